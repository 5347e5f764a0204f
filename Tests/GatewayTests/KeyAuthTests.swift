import Gateway
import Reactor
import Testing
import Wire

@testable import Plugins

@Suite("Keys")
struct KeyAuthTests {
  static func bearer(_ value: String) -> String? { lending(value) { KeyAuth.bearer($0).map { string($0) } } }
  static func redacted(_ secret: String) -> String { lending(secret) { KeyAuth.redacted($0) } }

  @Test(
    "the token of a bearer credential, with the scheme in any case and any number of spaces",
    arguments: [
      ("Bearer sk-1", "sk-1"), ("bearer sk-1", "sk-1"), ("BEARER sk-1", "sk-1"), ("bEaReR sk-1", "sk-1"),
      ("Bearer   sk-1", "sk-1"), ("Bearer a b", "a b"), ("Bearer Bearer x", "Bearer x"), ("Bearer =", "="),
    ])
  func token(_ value: String, _ token: String) {
    #expect(Self.bearer(value) == token)
  }

  @Test(
    "what is no bearer credential has no token",
    arguments: [
      "", "Bearer", "Bearer ", "Bearer    ", "Bearer\tsk-1", "Bearersk-1", "Basic dXNlcjpwYXNz", "sk-1", " Bearer sk-1",
      "Bearer:sk-1", "Token sk-1",
    ])
  func noToken(_ value: String) {
    #expect(Self.bearer(value) == nil)
  }

  @Test(
    "a wrong key is shown by its ends, and a short or strange one not at all",
    arguments: [
      ("sk-proj-abcdefghijkl", "sk-***ijkl"), ("123456789012", "123***9012"), ("12345678901", "***"), ("", "***"),
      ("sk-proj-abc defghijkl", "***"), ("sk-proj-abc\ndefghijkl", "***"), ("sk-proj-abcdefghijké", "***"),
      ("sk-proj-\u{7f}abcdefghijk", "***"),
    ])
  func redacted(_ secret: String, _ shown: String) {
    #expect(Self.redacted(secret) == shown)
  }

  @Test("at most seven characters of a key are ever shown")
  func bounded() {
    for count in 0..<200 {
      let shown = Self.redacted(String(repeating: "k", count: count))
      #expect(shown.utf8.filter { $0 == UInt8(ascii: "k") }.count <= 7)
    }
  }

  // MARK: Verdicts

  static let auth = KeyAuth(keys: [
    .init(name: "alice", digest: SHA256Digest(hashing: "sk-alice")),
    .init(name: "bob", digest: SHA256Digest(hashing: "sk-bob")),
  ])

  static func verdict(_ fields: String, path: String = "/v1/models") throws -> (said: Said, principal: String?) {
    try withExchange("GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n") { exchange in
      (Said(auth.request(exchange)), exchange.principal)
    }
  }

  @Test(
    "a good key lets its holder in, in either field, and one good key is enough",
    arguments: [
      ("Authorization: Bearer sk-alice\r\n", "alice"), ("x-api-key: sk-bob\r\n", "bob"),
      ("Authorization: Bearer nonsense\r\nX-Api-Key: sk-bob\r\n", "bob"),
      ("Authorization: Bearer sk-alice\r\nx-api-key: nonsense\r\n", "alice"),
      ("Authorization: Basic eDp5\r\nx-api-key: sk-alice\r\n", "alice"),
    ])
  func admitted(_ fields: String, _ holder: String) throws {
    let (said, principal) = try Self.verdict(fields)
    #expect(said == .pass && principal == holder)
  }

  @Test(
    "no key and a wrong key are told apart",
    arguments: [
      ("", "no_key"), ("Authorization: Basic eDp5\r\n", "no_key"), ("Authorization: sk-alice\r\n", "no_key"),
      ("x-api-key:\r\n", "no_key"), ("Authorization: Bearer sk-alic\r\n", "bad_key"),
      ("Authorization: Bearer sk-alice2\r\n", "bad_key"), ("Authorization: Bearer SK-ALICE\r\n", "bad_key"),
      ("x-api-key: sk-\r\n", "bad_key"), ("x-api-key: Bearer sk-alice\r\n", "bad_key"),
    ])
  func refused(_ fields: String, _ word: String) throws {
    let (said, principal) = try Self.verdict(fields)
    #expect(said == .fail(401, word) && principal == nil)
  }

  @Test("outside of the API nobody is asked for a key")
  func outside() throws {
    #expect(try Self.verdict("", path: "/health").said == .pass)
    #expect(try Self.verdict("Authorization: Bearer wrong\r\n", path: "/").said == .pass)
  }

  @Test("without keys nobody comes in")
  func noKeys() throws {
    try withExchange("GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n") { exchange in
      #expect(Said(KeyAuth(keys: []).request(exchange)) == .fail(401, "bad_key"))
    }
  }
}
