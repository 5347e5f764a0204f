import Testing

@testable import Plugins

@Suite("What a limited exchange has cost")
struct LimitChargesTests {
  typealias Cost = LimitCharges.Cost

  static func cost(
    _ tokensIn: Int? = nil, _ tokensOut: Int? = nil, status: Int = 200, isStream: Bool = false, bytesOut: UInt64 = 0,
    wasSent: Bool = true, wasCut: Bool = false
  ) -> Cost {
    LimitCharges.cost(
      tokensIn: tokensIn, tokensOut: tokensOut, status: status, isStream: isStream, bytesOut: bytesOut,
      wasSent: wasSent,
      wasCut: wasCut)
  }

  @Test("what the backend counted is what is paid, whatever was reserved")
  func counted() {
    #expect(Self.cost(30, 12) == .counted(42) && Self.cost(30, nil) == .counted(30))
    #expect(Self.cost(1, 2, status: 500) == .counted(3))
    #expect(Cost.counted(42).owed(reserved: 1000) == 42 && Cost.counted(42).owed(reserved: 1) == 42)
    #expect(Self.cost(.max, .max) == .counted(1 << 25), "counts that no answer has are cut")
  }

  @Test("what never reached a backend, or was refused by it, costs nothing")
  func nothing() {
    for cost in [Self.cost(wasSent: false), Self.cost(status: 429), Self.cost(status: 502, bytesOut: 1 << 20)] {
      #expect(cost == .nothing && cost.owed(reserved: 1000) == 0)
    }
  }

  @Test("an answer that was not counted costs what was reserved, and no less than what was sent of it")
  func estimated() {
    #expect(Self.cost().owed(reserved: 100) == 100)
    #expect(Self.cost(isStream: true, bytesOut: 250_000).owed(reserved: 1) == 1000)
    #expect(Self.cost(bytesOut: 5000).owed(reserved: 1) == 1000)
    #expect(Self.cost(status: 0, isStream: true, bytesOut: .max).owed(reserved: 1) > 1000)
  }

  @Test("an answer that its backend breaks off costs what was sent of it")
  func cut() {
    #expect(Self.cost(isStream: true, bytesOut: 2500, wasCut: true).owed(reserved: 30_000) == 10)
    #expect(Self.cost(3, 4, wasCut: true).owed(reserved: 30_000) == 7)
  }
}
