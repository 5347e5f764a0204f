import Testing

@testable import WebTokens

@Suite("When keys are fetched")
struct KeyRefreshTests {
  typealias Step = KeyRefresh.Step

  static func machine() -> KeyRefresh {
    KeyRefresh(KeyRefresh.Times(fresh: 300, stale: 3600, pause: 10, shortPause: 1))
  }

  /// One that has fetched at `now`.
  static func fetched(_ now: UInt64) -> KeyRefresh {
    var machine = machine()
    #expect(machine.wanted(now) == .fetch)
    machine.fetched(now, worked: true)
    return machine
  }

  @Test("whoever is first fetches, and others wait for it")
  func first() {
    var machine = Self.machine()
    #expect(machine.settledUntil == 0 && machine.endsAt == 0)
    #expect([machine.wanted(5), machine.wanted(5), machine.missed(6)] == [.fetch, .wait, .wait])
    machine.fetched(7, worked: true)
    #expect(machine.wanted(8) == .use && machine.settledUntil == 307)
  }

  @Test("a set is used while it is fresh; then one asks again, and others use it meanwhile")
  func refresh() {
    var machine = Self.fetched(0)
    #expect(machine.wanted(299) == .use)
    #expect([machine.wanted(300), machine.wanted(300)] == [.fetch, .use])
    machine.fetched(301, worked: true)
    #expect(machine.settledUntil == 601)
  }

  @Test("when no newer one can be had, the old one is used, asked for again after a pause, and ends in the end")
  func stale() {
    var machine = Self.fetched(0)
    #expect(machine.wanted(300) == .fetch)
    machine.fetched(305, worked: false)
    #expect(machine.settledUntil == 315)
    #expect([machine.wanted(314), machine.wanted(315)] == [.use, .fetch])
    machine.fetched(3895, worked: false)
    #expect(machine.settledUntil == 3900 && machine.endsAt == 3900)
    #expect([machine.wanted(3899), machine.wanted(3900), machine.wanted(3900)] == [.use, .fetch, .wait])
    machine.fetched(3901, worked: false)
    #expect(machine.wanted(3901) == .none && machine.settledUntil <= 3901)
  }

  @Test("where there is no set, a failure is remembered for a moment, so that not each request asks")
  func noSet() {
    var machine = Self.machine()
    #expect(machine.wanted(0) == .fetch)
    machine.fetched(5, worked: false)
    #expect([machine.wanted(5), machine.wanted(6)] == [.none, .fetch])
    machine.fetched(7, worked: true)
    #expect(machine.wanted(7) == .use)
  }

  @Test("tokens that no key fits make it fetch at once, and then no more often than once in a pause")
  func missed() {
    var machine = Self.fetched(0)
    #expect([machine.missed(1), machine.missed(1), machine.wanted(1)] == [.fetch, .wait, .use])
    machine.fetched(2, worked: true)
    #expect((3..<11).map { machine.missed($0) } == Array(repeating: Step.use, count: 8))
    #expect(machine.missed(11) == .fetch)
    machine.fetched(12, worked: false)
    #expect(machine.missed(20) == .use && machine.wanted(20) == .use, "the set is still good")
  }

  @Test("however many tokens are shown at any time, fetches are as rare as they should be")
  func storm() {
    var machine = Self.machine()
    var random = Seeded()
    var fetches = 0
    for now in 0..<10_000 as Range<UInt64> {
      for _ in 0..<3 {
        let step = random.next() % 2 == 0 ? machine.wanted(now) : machine.missed(now)
        guard step == .fetch else { continue }
        fetches += 1
        machine.fetched(now, worked: random.next() % 4 != 0)
      }
    }
    #expect(fetches < 2500, "one for each pause because of misses, and as many for what has failed")
  }

  private struct Seeded: RandomNumberGenerator {
    var state: UInt64 = 88_172_645_463_325_252
    mutating func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
  }
}
