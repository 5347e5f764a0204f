import Testing

@testable import Control

@Suite("Tokens and an auth service in a file")
struct TokensTests {
  static let secret = "secret-secret-secret-secret-secret"

  static func sources(_ auth: String, _ environment: [String: String] = [:]) throws -> Configuration.CredentialSources {
    guard
      case .required(let sources) = try configuration(smallest(without: "auth") + "auth: \(auth)\n", environment).auth
    else { throw NotRequired() }
    return sources
  }

  struct NotRequired: Error {}

  @Test("of one line have defaults for everything else")
  func defaults() throws {
    let jwt = try #require(try Self.sources("{ jwt: { jwks_url: https://a/keys } }").jwt)
    #expect(jwt.algorithms == [.rs256, .es256] && jwt.issuer == nil && jwt.audience == nil && jwt.requiresExpiry)
    #expect(jwt.leewayNanoseconds == 30_000_000_000 && jwt.refreshNanoseconds == 300_000_000_000)
    #expect(jwt.staleNanoseconds == 3_600_000_000_000 && jwt.claims == Configuration.JWT.Claims())
    let external = try #require(try Self.sources("{ external: { url: http://a/check } }").external)
    #expect(external.timeNanoseconds == 2_000_000_000 && external.cacheNanoseconds == 0 && external.headers == [])
    #expect(external.service.basePath == "/check")
  }

  @Test("are enough to come in by, alone or beside keys, and amount to a few words")
  func summary() throws {
    let all = "{ keys: [{ name: a, value: k }], jwt: { secret: \(Self.secret) }, external: { url: http://a/check } }"
    let it = try configuration(smallest(without: "auth") + "auth: \(all)\n")
    #expect(it.summary.hasSuffix("0 models, 1 key, tokens, an auth service"))
    #expect(try Self.sources("{ jwt: { secret: \(Self.secret) } }").keys.isEmpty)
  }

  @Test("print no secret")
  func secret() throws {
    let sources = try Self.sources("{ jwt: { secret: \"${S}\" } }", ["S": Self.secret])
    #expect(sources.jwt?.key == .secret(Self.secret) && sources.jwt?.algorithms == [.hs256])
    var dumped = ""
    dump(sources, to: &dumped)
    #expect(!("\(sources)" + String(reflecting: sources) + dumped).contains("secret-secret"))
  }
}
