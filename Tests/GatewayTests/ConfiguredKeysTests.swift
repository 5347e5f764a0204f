import Reactor
import Testing

@testable import Plugins

@Suite("Configured keys")
struct ConfiguredKeysTests {
  static let keys = ConfiguredKeys(
    ["a", "b", "c"].map { .init(digest: SHA256Digest(hashing: "sk-\($0)"), holder: Identity(name: $0)) })

  static func holder(of secret: String, _ keys: ConfiguredKeys = keys) -> String? {
    lending(secret) { keys.find(Credential(.bearer, $0))?.name }
  }

  @Test("each key has its own holder, when it is first shown and ever after")
  func found() {
    for _ in 0..<3 {
      for name in ["a", "c", "b"] { #expect(Self.holder(of: "sk-\(name)") == name) }
      for wrong in ["", "sk-", "sk-d", "sk-aa", "SK-A"] { #expect(Self.holder(of: wrong) == nil) }
    }
  }

  @Test("without keys nothing is found")
  func none() {
    #expect(Self.holder(of: "sk-a", ConfiguredKeys([])) == nil)
  }

  @Test("a tag stands for one text, is never 0, and tells the text of no other")
  func tags() {
    func tag(_ text: String) -> UInt64 { lending(text) { CredentialTag.of($0) } }
    let texts = (0..<1000).map { "sk-\($0)" } + [""]
    #expect(Set(texts.map(tag)).count == texts.count)
    #expect(texts.allSatisfy { tag($0) != 0 && tag($0) == tag($0) })
  }
}
