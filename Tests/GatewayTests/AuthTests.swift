import Gateway
import Reactor
import Synchronization
import Testing
import Wire

@testable import Plugins

@Suite("Auth")
struct AuthTests {
  static func bearer(_ value: String) -> String? { lending(value) { Auth.bearer($0).map { string($0) } } }
  static func redacted(_ secret: String) -> String { lending(secret) { Auth.redacted($0) } }

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

  static let keys = ConfiguredKeys([
    .init(digest: SHA256Digest(hashing: "sk-alice"), holder: Identity(name: "alice")),
    .init(digest: SHA256Digest(hashing: "sk-bob"), holder: Identity(name: "bob")),
    .init(digest: SHA256Digest(hashing: "sk-late"), holder: Identity(name: "late", expiresAt: 1)),
  ])
  static let auth = Auth(keys: keys)

  static func verdict(_ fields: String, path: String = "/v1/models") throws -> (said: Said, principal: String?) {
    try withExchange("GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n") { exchange in
      (Said(auth.request(exchange)), exchange.principal?.name)
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
      #expect(Said(Auth(keys: ConfiguredKeys([])).request(exchange)) == .fail(401, "bad_key"))
    }
  }

  @Test(
    "a header with credentials that is given twice is refused, whatever it holds",
    arguments: [
      "Authorization: Bearer sk-alice\r\nauthorization: Bearer sk-alice\r\n", "x-api-key: a\r\nX-API-Key: sk-bob\r\n",
    ])
  func twice(_ fields: String) throws {
    #expect(try Self.verdict(fields).said == .fail(400, "refused"))
  }

  @Test("a key whose time is over is refused as its holder's")
  func expired() throws {
    let (said, principal) = try Self.verdict("x-api-key: sk-late\r\n")
    #expect(said == .fail(401, "refused") && principal == "late")
  }

  // MARK: Sources

  /// Knows one secret at once and one after a look; another makes it fail.
  final class Source: CredentialSource {
    func find(_ credential: Credential, _ exchange: Exchange) -> Finding {
      switch string(credential.bytes) {
      case "at-once": .known(Identity(name: "quick"))
      case "no-good": .refused(Failure(.downstream, .forbidden(permission: "any")))
      case "none": .unknown
      default: .later
      }
    }

    func look(
      for secret: String?, _ kind: Credential.Kind?, _ exchange: Exchange, on loop: isolated LoopActor
    ) async throws -> Finding { .unknown }
  }

  @Test(
    "sources are asked behind the configuration's keys, and only what none refuses or knows is waited for",
    arguments: [
      ("x-api-key: sk-alice\r\n", Said.pass, "alice"), ("x-api-key: at-once\r\n", .pass, "quick"),
      ("x-api-key: no-good\r\n", .fail(403, "forbidden"), nil), ("x-api-key: none\r\n", .fail(401, "bad_key"), nil),
      ("x-api-key: else\r\n", .wait, nil), ("", .fail(401, "no_key"), nil),
      ("Authorization: Bearer none\r\nx-api-key: at-once\r\n", .pass, "quick"),
      ("Cookie: sluice_session=at-once\r\n", .pass, "quick"),
      ("Cookie: a=b; sluice_session=at-once; c=d\r\n", .pass, "quick"),
      ("Cookie: xsluice_session=at-once\r\n", .fail(401, "no_key"), nil),
      ("Cookie: sluice_session\r\n", .fail(401, "no_key"), nil),
      ("Cookie: sluice_session=\r\n", .fail(401, "no_key"), nil),
    ] as [(String, Said, String?)])
  func sources(_ fields: String, _ expected: Said, _ holder: String?) throws {
    let auth = Auth(keys: Self.keys, sources: [Source()], readsCookies: true)
    try withExchange("GET /v1/models HTTP/1.1\r\nHost: a\r\n\(fields)\r\n") { exchange in
      #expect(Said(auth.request(exchange)) == expected && exchange.principal?.name == holder)
    }
  }

  /// Must look when it is asked first, and knows from then on, as when another request's look was quicker.
  final class Learns: CredentialSource {
    private let asked = Atomic<Int>(0)

    func find(_ credential: Credential, _ exchange: Exchange) -> Finding {
      asked.add(1, ordering: .relaxed).newValue == 1 ? .later : .known(Identity(name: "learnt"))
    }

    func look(
      for secret: String?, _ kind: Credential.Kind?, _ exchange: Exchange, on loop: isolated LoopActor
    ) async throws -> Finding { .unknown }
  }

  @Test("a credential that a source has come to know by the time auth waits for it is no wrong one")
  func learns() async throws {
    let plugins: [any Plugin] = [
      Auth(keys: Self.keys, sources: [Learns()]), WaitingPluginTests.Answers(journal: WaitingPluginTests.Journal()),
    ]
    let answer = try await WaitingPluginTests.withCore(plugins) { peer in
      WaitingPluginTests.send("GET /v1/x HTTP/1.1\r\nHost: a\r\nx-api-key: a\r\nConnection: close\r\n\r\n", peer)
      return WaitingPluginTests.readToEnd(peer)
    }
    #expect(answer.hasSuffix("\r\n\r\nyes"))
  }

  @Test(
    "an expired key does not keep out a good one beside it",
    arguments: [
      ("Authorization: Bearer sk-late\r\nx-api-key: sk-bob\r\n", Said.pass, "bob"),
      ("Authorization: Bearer nonsense\r\nx-api-key: sk-late\r\n", .fail(401, "bad_key"), "late"),
    ] as [(String, Said, String)])
  func expiredBesideGood(_ fields: String, _ expected: Said, _ holder: String) throws {
    let (said, principal) = try Self.verdict(fields)
    #expect(said == expected && principal == holder)
  }

  @Test("a credential that must be looked for is not passed over for one behind it that is known")
  func order() throws {
    let auth = Auth(keys: Self.keys, sources: [Source()])
    let head = "Authorization: Bearer else\r\nx-api-key: sk-alice\r\n"
    try withExchange("GET /v1/models HTTP/1.1\r\nHost: a\r\n\(head)\r\n") { exchange in
      #expect(Said(auth.request(exchange)) == .wait && exchange.principal == nil)
    }
  }

  @Test("a key of the configuration is no cookie")
  func noCookie() throws {
    let auth = Auth(keys: Self.keys, readsCookies: true)
    try withExchange("GET /v1/models HTTP/1.1\r\nHost: a\r\nCookie: sluice_session=sk-alice\r\n\r\n") { exchange in
      #expect(Said(auth.request(exchange)) == .fail(401, "bad_key") && exchange.ownsCookies)
    }
  }

  @Test(
    "a session changes things for pages of its own origin alone, and reads for all",
    arguments: [
      ("POST", "", true), ("POST", "Sec-Fetch-Site: same-origin\r\n", true), ("POST", "Sec-Fetch-Site: none\r\n", true),
      ("POST", "Sec-Fetch-Site: same-site\r\n", false), ("POST", "Sec-Fetch-Site: cross-site\r\n", false),
      ("POST", "Origin: https://a\r\n", true), ("POST", "Origin: https://a:8443\r\n", false),
      ("POST", "Origin: https://evil.a\r\n", false), ("POST", "Origin: null\r\n", false),
      ("DELETE", "Origin: http://b\r\n", false), ("GET", "Origin: http://b\r\n", true),
      ("POST", "Origin: https://a\r\nSec-Fetch-Site: same-site\r\n", false),
    ])
  func sameSite(_ method: String, _ fields: String, _ allowed: Bool) throws {
    let auth = Auth(keys: Self.keys, sources: [Source()], readsCookies: true)
    let head = "\(method) /v1/x HTTP/1.1\r\nHost: a\r\nCookie: sluice_session=at-once\r\n\(fields)\r\n"
    try withExchange(head) { exchange in
      #expect(Said(auth.request(exchange)) == (allowed ? .pass : .fail(403, "refused")))
    }
  }
}
