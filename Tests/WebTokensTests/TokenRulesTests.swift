import Plugins
import Testing

@testable import WebTokens

@Suite("What a token must say")
struct TokenRulesTests {
  static let now = Issuer.now
  static let second: UInt64 = 1_000_000_000

  static func identity(
    _ more: [String: ClaimValue], without: String = "", _ change: (inout TokenRules) -> Void = { _ in }
  ) throws -> Identity {
    var rules = TokenRules()
    change(&rules)
    var claims = Issuer.alice.merging(more) { $1 }
    claims[without] = nil
    return try rules.identity(of: Claims(claims), now: now)
  }

  @Test("an expired token is refused once the leeway is over, and its holder ends with it")
  func expired() throws {
    let over = ClaimValue.number(1_800_000_000 - 30)
    #expect(throws: TokenRefusal.expired) { try Self.identity(["exp": over]) }
    #expect(throws: TokenRefusal.expired) { try Self.identity(["exp": .number(0)]) }
    #expect(throws: TokenRefusal.expired) { try Self.identity(["exp": .number(-1e300)]) }
    let nearly = try Self.identity(["exp": .number(1_800_000_000 - 29)])
    #expect(nearly.expiresAt == Self.now + Self.second)
    #expect(throws: TokenRefusal.expired) { try Self.identity(["exp": .number(1_800_000_000)]) { $0.leeway = 0 } }
    #expect(
      try Self.identity(["exp": .number(1_800_000_000.5)]) { $0.leeway = 0 }.expiresAt == Self.now + Self.second / 2)
  }

  @Test("a token without an end is refused, unless that is allowed")
  func endless() throws {
    #expect(throws: TokenRefusal.claim("exp", "missing")) { try Self.identity([:], without: "exp") }
    #expect(try Self.identity([:], without: "exp") { $0.requiresExpiry = false }.expiresAt == nil)
    #expect(try Self.identity(["exp": .number(1e300)]).expiresAt == .max)
  }

  @Test("a token whose time has not come is refused, but for the leeway")
  func notYet() throws {
    #expect(throws: TokenRefusal.notYet) { try Self.identity(["nbf": .number(1_800_000_031)]) }
    #expect(throws: TokenRefusal.notYet) { try Self.identity(["nbf": .number(1e300)]) }
    #expect(try Self.identity(["nbf": .number(1_800_000_030)]).name == "alice")
    #expect(try Self.identity(["nbf": .number(-5)]).name == "alice")
  }

  @Test("times are numbers", arguments: [ClaimValue.text("1900000000"), .texts([]), .other])
  func times(_ value: ClaimValue) {
    #expect(throws: TokenRefusal.claim("exp", "no number")) {
      try Self.identity(["exp": value]) { $0.requiresExpiry = false }
    }
    #expect(throws: TokenRefusal.claim("nbf", "no number")) { try Self.identity(["nbf": value]) }
  }

  @Test(
    "the issuer is the one that was named, to the letter",
    arguments: [
      ClaimValue.text("https://a/"), .text("HTTPS://A"), .text(""), .texts(["https://a"]), .number(1), .other,
    ])
  func issuer(_ value: ClaimValue) throws {
    #expect(throws: TokenRefusal.self) { try Self.identity(["iss": value]) { $0.issuer = "https://a" } }
    #expect(throws: TokenRefusal.self) { try Self.identity([:]) { $0.issuer = "https://a" } }
    #expect(try Self.identity(["iss": .text("https://a")]) { $0.issuer = "https://a" }.name == "alice")
    #expect(try Self.identity(["iss": value]).name == "alice", "nobody asks")
  }

  @Test("the audience is among those of the token, be it one or several")
  func audience() throws {
    for good in [ClaimValue.text("llm"), .texts(["x", "llm"])] {
      #expect(try Self.identity(["aud": good]) { $0.audience = "llm" }.name == "alice")
    }
    for bad in [ClaimValue.text("llm2"), .text("x llm"), .texts([]), .texts(["LLM"]), .number(1), .other] {
      #expect(throws: TokenRefusal.self) { try Self.identity(["aud": bad]) { $0.audience = "llm" } }
    }
    #expect(throws: TokenRefusal.claim("aud", "another audience, or none")) {
      try Self.identity([:]) { $0.audience = "llm" }
    }
  }

  @Test(
    "permissions are words between spaces, or a list of them; others' words mean nothing",
    arguments: [
      (nil, .usual), (.text("read"), .read), (.text("proxy read"), .usual), (.text("openid read  email"), .read),
      (.text(""), []), (.text("READ"), []), (.text("read,proxy"), []), (.texts(["read", "proxy", "admin"]), .all),
      (.texts([]), []), (.texts(["read proxy"]), []),
    ] as [(ClaimValue?, Permissions)])
  func permissions(_ value: ClaimValue?, _ permissions: Permissions) throws {
    #expect(try Self.identity(value.map { ["scope": $0] } ?? [:]).permissions == permissions)
    #expect(
      try Self.identity(value.map { ["roles": $0] } ?? [:]) { $0.names.permissions = "roles" }.permissions
        == permissions)
  }

  @Test("models are a list, of which an empty one allows none; the account is a word")
  func rest() throws {
    #expect(try Self.identity([:]).models == nil && Self.identity([:]).account == nil)
    #expect(try Self.identity(["models": .texts(["a", "b"])]).models == ["a", "b"])
    #expect(try Self.identity(["models": .texts([])]).models == [])
    #expect(try Self.identity(["account": .text("free")]).account == "free")
  }

  @Test(
    "a claim that is there and of a wrong type gives nobody more than it says",
    arguments: ["scope", "models", "account", "sub"])
  func wrongTypes(_ name: String) {
    for value in [ClaimValue.other, .number(1)] {
      #expect(throws: TokenRefusal.self) { try Self.identity([name: value]) }
    }
    if name == "models" { #expect(throws: TokenRefusal.self) { try Self.identity([name: .text("a")]) } }
  }

  @Test(
    "the holder has a name that can be written down",
    arguments: ["", "a\nb", "\u{0}", String(repeating: "n", count: 257)])
  func names(_ name: String) throws {
    #expect(throws: TokenRefusal.self) { try Self.identity(["sub": .text(name)]) }
    #expect(throws: TokenRefusal.self) { try Self.identity([:], without: "sub") }
    let named = try Self.identity(["email": .text("a@b")]) { $0.names.name = "email" }
    #expect(named.name == "a@b" && named.id == "token:alice")
  }
}
