import JWTKit
import Testing

@testable import WebTokens

@Suite("A set of keys")
struct KeySetTests {
  static func keys(_ members: String...) throws -> TokenKeys {
    try TokenKeys(jwks: Array(#"{"keys":[\#(members.joined(separator: ","))]}"#.utf8))
  }

  static func token(_ id: String?, of key: ES256PrivateKey = Issuer.elliptic) async throws -> String {
    try await Issuer.sign(Issuer.alice, .es256, header: id.map { ["kid": .string($0)] } ?? [:], elliptic: key)
  }

  @Test("a token is verified with the key that it names")
  func named() async throws {
    let keys = try Self.keys(
      Issuer.member(of: Issuer.elliptic, "a"), Issuer.member(of: Issuer.otherElliptic, "b"))
    #expect(try await Issuer.holder(of: Self.token("a"), keys) == "alice")
    #expect(try await Issuer.holder(of: Self.token("b", of: Issuer.otherElliptic), keys) == "alice")
    await #expect(throws: TokenRefusal.signature) { try await Issuer.holder(of: Self.token("b"), keys) }
    await #expect(throws: TokenRefusal.noKey("c")) { try await Issuer.holder(of: Self.token("c"), keys) }
  }

  @Test("a token that names none is tried with the keys of its algorithm, a few of them")
  func unnamed() async throws {
    let other = Issuer.member(of: Issuer.otherElliptic, "b")
    let mine = Issuer.member(of: Issuer.elliptic, "a")
    #expect(try await Issuer.holder(of: Self.token(nil), Self.keys(other, mine)) == "alice")
    let many = Array(repeating: other, count: TokenKeys.triesMax) + [mine]
    await #expect(throws: TokenRefusal.signature) {
      try await Issuer.holder(of: Self.token(nil), TokenKeys(jwks: Issuer.set(many.joined(separator: ","))))
    }
  }

  @Test("a key without an id is for whatever id a token names")
  func withoutID() async throws {
    let bare = Issuer.member(of: Issuer.elliptic, "a").replacing(#""kid":"a","#, with: "")
    #expect(try await Issuer.holder(of: Self.token("zzz"), Self.keys(bare)) == "alice")
  }

  @Test(
    "keys of other kinds, uses and algorithms are skipped, and so is whatever cannot be read",
    arguments: [
      #"{"kty":"oct","k":"YS1zZWNyZXQtb2YtdGhpcnR5LXR3by1ieXRlcy1vci1tb3Jl","alg":"HS256"}"#,
      #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
      #"{"kty":"AKP","alg":"ML-DSA-65"}"#,
      #"{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}"#, #"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#,
      #"{"kty":"EC","crv":"P-256"}"#, #"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#,
      #"{"kty":"RSA","n":"\#(PEM.smallModulus)","e":"AQAB"}"#,
      #"{"kty":"RSA","n":"!","e":"AQAB"}"#, #"{"kty":"RSA"}"#, #"{"kty":1}"#, #"{}"#, "null", "1", #""key""#, "[]",
      #"{"kty":"RSA","n":"\#(String(repeating: "_", count: 4000))","e":"AQAB"}"#,
    ])
  func skipped(_ member: String) async throws {
    let keys = try Self.keys(member, Issuer.member(of: Issuer.elliptic, "a"))
    #expect(keys.keys.count == 1)
    #expect(throws: TokenKeys.Mistake.self) { try Self.keys(member) }
  }

  @Test(
    "a key that is not for signatures with its algorithm is skipped",
    arguments: [
      #","use":"enc""#, #","use":1"#, #","alg":"ES384""#, #","alg":"ECDH-ES""#, #","key_ops":["sign"]"#,
      #","alg":"RS256""#,
    ])
  func uses(_ more: String) throws {
    #expect(throws: TokenKeys.Mistake.self) { try Self.keys(Issuer.member(of: Issuer.elliptic, "a", more: more)) }
  }

  @Test(
    "one that says that it is, or says nothing, is taken",
    arguments: ["", #","use":"sig""#, #","alg":"ES256""#, #","key_ops":["verify"],"x5t":"?""#])
  func taken(_ more: String) throws {
    #expect(try Self.keys(Issuer.member(of: Issuer.elliptic, "a", more: more)).algorithms == [.es256])
  }

  @Test("RSA keys are taken by modulus and exponent")
  func rsa() async throws {
    let primitives = try Insecure.RSA.PrivateKey(pem: PEM.rsa).publicKey.getKeyPrimitives()
    let member =
      #"{"kty":"RSA","kid":"r","n":"\#(Issuer.base64(Array(primitives.modulus)))","e":"\#(Issuer.base64(Array(primitives.publicExponent)))"}"#
    let token = try await Issuer.sign(Issuer.alice, .rs256, header: ["kid": "r"])
    #expect(try await Issuer.holder(of: token, Self.keys(member)) == "alice")
  }

  @Test(
    "what is no set is told",
    arguments: [
      "", "{}", "[]", "null", #"{"keys":{}}"#, #"{"keys":[]}"#, "<html>", #"{"keys":[],"keys":[]}"#,
      String(repeating: "[", count: 100_000),
    ])
  func noSet(_ text: String) {
    #expect(throws: TokenKeys.Mistake.self) { try TokenKeys(jwks: Array(text.utf8)) }
  }

  @Test("of a set without end a bounded number of keys is taken")
  func bounded() throws {
    let member = Issuer.member(of: Issuer.elliptic, "a")
    #expect(
      try TokenKeys(jwks: Issuer.set(Array(repeating: member, count: 1000).joined(separator: ","))).keys.count
        == TokenKeys.keysMax)
  }

  @Test("sets have numbers of their own, and the same text has the same digest")
  func numbers() throws {
    let (one, two) = (try TokenKeys(pem: PEM.otherRSA), try TokenKeys(pem: PEM.otherRSA))
    #expect(one.number != two.number && one.digest == two.digest && one.number != 0)
  }
}
