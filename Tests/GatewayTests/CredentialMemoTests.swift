import Testing

@testable import Plugins

@Suite("Credentials that were found good")
struct CredentialMemoTests {
  static let alice = Identity(name: "alice")

  @Test("one is known until its time is over, and not after")
  func time() {
    let memo = CredentialMemo()
    memo.keep(Self.alice, 7, until: 100, core: 0)
    #expect(memo.find(7, now: 99, core: 0)?.name == "alice")
    #expect(memo.find(7, now: 100, core: 0) == nil)
    #expect(memo.find(7, now: 99, core: 0) == nil, "what is over does not come back")
    #expect(memo.find(8, now: 1, core: 0) == nil)
  }

  @Test("one is known for the edition that it was found good by, and a later one takes its place")
  func edition() {
    let memo = CredentialMemo()
    memo.keep(Self.alice, 7, edition: 1, until: 100, core: 0)
    memo.keep(Identity(name: "bob"), 7, edition: 2, until: 100, core: 0)
    #expect(memo.find(7, edition: 2, now: 1, core: 0)?.name == "bob")
    #expect(memo.find(7, edition: 1, now: 1, core: 0) == nil)
  }

  @Test("cores know nothing of one another, and any number of a core will do", arguments: [1, 63, 65, 1000])
  func cores(_ core: Int) {
    let memo = CredentialMemo()
    memo.keep(Self.alice, 7, until: 100, core: 0)
    #expect(memo.find(7, now: 1, core: core) == nil)
    memo.keep(Self.alice, 7, until: 100, core: core)
    #expect(memo.find(7, now: 1, core: core) != nil)
  }

  @Test("of many, those that are asked for stay, and never more than the bound")
  func bound() {
    let memo = CredentialMemo(entriesMax: 100)
    for tag in 1...10_000 as ClosedRange<UInt64> {
      memo.keep(Self.alice, tag, until: .max, core: 3)
      #expect(tag == 1 || memo.find(1, now: 1, core: 3) != nil)
    }
    let known = (1...10_000).filter { memo.find($0, now: 1, core: 3) != nil }
    #expect((2...100).contains(known.count) && known.contains(10_000))
  }
}
