import Testing

@testable import Plugins

@Suite("Seen keys")
struct SeenKeysTests {
  @Test("a tag finds the key that it was kept for, and only then")
  func found() {
    let seen = SeenKeys(count: 3)
    let tags = ["a", "b", "c"].map { text in lending(text) { seen.tag(of: $0) } }
    #expect(Set(tags).count == 3)
    for tag in tags { #expect(seen.find(tag) == nil) }
    seen.keep(tags[1], 1)
    #expect(seen.find(tags[1]) == 1 && seen.find(tags[0]) == nil)
    seen.keep(tags[2], 3)
    seen.keep(tags[2], -1)
    #expect(seen.find(tags[2]) == nil, "there is no such key")
  }

  @Test("no tag is the one of an empty place, and two tables agree on none")
  func secret() {
    let one = SeenKeys(count: 1)
    let other = SeenKeys(count: 1)
    #expect(lending("sk-key") { one.tag(of: $0) } != lending("sk-key") { other.tag(of: $0) })
    #expect(lending("") { one.tag(of: $0) } != 0)
  }

  @Test("without keys nothing is found")
  func none() {
    let seen = SeenKeys(count: 0)
    seen.keep(1, 0)
    #expect(seen.find(1) == nil)
  }
}
