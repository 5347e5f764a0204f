import JWTKit
import Testing

@testable import WebTokens

@Suite("Verifying")
struct VerifyingTests {
  static let secretKeys = try? TokenKeys(secret: Issuer.secret)

  static func keys(_ algorithm: TokenAlgorithm) throws -> TokenKeys {
    switch algorithm {
    case .hs256: try TokenKeys(secret: Issuer.secret)
    case .rs256: try TokenKeys(pem: try Insecure.RSA.PrivateKey(pem: PEM.rsa).publicKey.pemRepresentation)
    case .es256: try TokenKeys(pem: Issuer.elliptic.publicKey.pemRepresentation)
    }
  }

  @Test("a good token is its holder's, with each algorithm", arguments: TokenAlgorithm.allCases)
  func good(_ algorithm: TokenAlgorithm) async throws {
    let token = try await Issuer.sign(Issuer.alice, algorithm)
    for _ in 0..<2 { #expect(try await Issuer.holder(of: token, Self.keys(algorithm)) == "alice") }
  }

  @Test("a token of another key of the same kind is refused")
  func otherKey() async throws {
    let others = [
      try TokenKeys(secret: Issuer.secret + "x"), try TokenKeys(pem: PEM.otherRSA),
      try TokenKeys(pem: Issuer.otherElliptic.publicKey.pemRepresentation),
    ]
    for (algorithm, keys) in zip(TokenAlgorithm.allCases, others) {
      let token = try await Issuer.sign(Issuer.alice, algorithm)
      await #expect(throws: TokenRefusal.signature) { try await Issuer.holder(of: token, keys) }
    }
  }

  @Test("a key verifies tokens of its own algorithm alone", arguments: TokenAlgorithm.allCases)
  func confusion(_ algorithm: TokenAlgorithm) async throws {
    for other in TokenAlgorithm.allCases where other != algorithm {
      let token = try await Issuer.sign(Issuer.alice, other)
      await #expect(throws: TokenRefusal.noKey(nil)) { try await Issuer.holder(of: token, Self.keys(algorithm)) }
    }
  }

  @Test("a public key is no secret: a token that is signed with its text is refused, whatever its header says")
  func publicKeyAsSecret() async throws {
    for algorithm in [TokenAlgorithm.rs256, .es256] {
      let pem =
        algorithm == .rs256
        ? try Insecure.RSA.PrivateKey(pem: PEM.rsa).publicKey.pemRepresentation
        : Issuer.elliptic.publicKey.pemRepresentation
      for text in [pem, pem + "\n"] {
        let token = try await Issuer.sign(Issuer.alice, secret: text)
        await #expect(throws: TokenRefusal.noKey(nil)) { try await Issuer.holder(of: token, TokenKeys(pem: pem)) }
        var rules = TokenRules()
        rules.algorithms = [algorithm]
        await #expect(throws: TokenRefusal.algorithm("HS256")) {
          try await Issuer.holder(of: token, TokenKeys(pem: pem), rules)
        }
      }
      let signer = await JWTKeyCollection().add(hmac: HMACKey(from: pem), digestAlgorithm: .sha256)
      let text =
        "\(Issuer.base64(Array(#"{"alg":"\#(algorithm.rawValue)"}"#.utf8))).\(Issuer.base64(Array(#"{"sub":"alice","exp":1800000600}"#.utf8)))"
      let lie = "\(text).\(Issuer.base64(try await signer.getKey().sign(Array(text.utf8))))"
      await #expect(throws: TokenRefusal.signature) { try await Issuer.holder(of: lie, TokenKeys(pem: pem)) }
    }
  }

  @Test(
    "none is no algorithm",
    arguments: ["none", "None", "NONE", "nOnE", "", "HS256 ", "hs256", "RS384", "PS256", "EdDSA"])
  func noAlgorithm(_ name: String) async throws {
    let keys = try TokenKeys(secret: Issuer.secret)
    let signed = try await Issuer.signText(#"{"alg":"\#(name)"}"#, #"{"sub":"alice","exp":1800000600}"#)
    let bare = signed.split(separator: ".").prefix(2).joined(separator: ".") + "."
    for token in [signed, bare] {
      await #expect(throws: TokenRefusal.algorithm(name)) { try await Issuer.holder(of: token, keys) }
      // And where nobody asks the rules first, there is no key for it.
      let parsed = try CompactToken(token)
      await #expect(throws: TokenRefusal.noKey(nil)) { try await keys.verify(parsed) }
    }
  }

  @Test("a token without its signature is refused", arguments: TokenAlgorithm.allCases)
  func noSignature(_ algorithm: TokenAlgorithm) async throws {
    let token = try await Issuer.sign(Issuer.alice, algorithm)
    let bare = token.split(separator: ".").prefix(2).joined(separator: ".") + "."
    await #expect(throws: TokenRefusal.signature) { try await Issuer.holder(of: bare, Self.keys(algorithm)) }
  }

  @Test(
    "a token that is cut at any place, or has one letter more, fewer or another, is refused",
    arguments: [TokenAlgorithm.hs256, .es256])
  func mangled(_ algorithm: TokenAlgorithm) async throws {
    let token = Array(try await Issuer.sign(Issuer.alice, algorithm).utf8)
    let keys = try Self.keys(algorithm)
    func check(_ bytes: [UInt8], _ at: Int) async {
      await #expect(throws: TokenRefusal.self, "at \(at)") {
        try await Issuer.holder(of: String(decoding: bytes, as: UTF8.self), keys)
      }
    }
    for at in token.indices {
      await check(Array(token[..<at]), at)
      await check(Array(token[(at + 1)...]), at)
      await check(Array(token[..<at] + token[(at + 1)...]), at)
      for other in [UInt8(ascii: "A"), UInt8(ascii: "_"), UInt8(ascii: "."), 0, 0xFF] where other != token[at] {
        await check(Array(token[..<at]) + [other] + Array(token[(at + 1)...]), at)
      }
      // The bits that a last letter has too many.
      await check(Array(token[..<at]) + [token[at] ^ 1] + Array(token[(at + 1)...]), at)
    }
    await check(token + [UInt8(ascii: "A")], token.count)
    await check(token + token, token.count)
  }

  @Test(
    "claims that are no JSON object are refused although their signature is good",
    arguments: ["", "[]", "1", "{", #"{"sub":}"#, #"{"sub":"a","exp":1e999}"#])
  func badClaims(_ claims: String) async throws {
    let token = try await Issuer.signText(#"{"alg":"HS256"}"#, claims)
    await #expect(throws: TokenRefusal.self) { try await Issuer.holder(of: token, TokenKeys(secret: Issuer.secret)) }
  }

  @Test("a secret is at least as long as its signatures")
  func shortSecret() {
    #expect(throws: TokenKeys.Mistake.self) { try TokenKeys(secret: String(repeating: "s", count: 31)) }
    #expect(throws: Never.self) { try TokenKeys(secret: String(repeating: "s", count: 32)) }
  }

  @Test(
    "what is no public key of a kind that is used is told",
    arguments: [
      "", "hello", PEM.smallRSA, PEM.p384, PEM.rsa, String(PEM.otherRSA.dropLast(60)),
      PEM.otherRSA.replacing("A", with: "!"),
    ])
  func badPEM(_ pem: String) {
    #expect(throws: TokenKeys.Mistake.self) { try TokenKeys(pem: pem) }
  }

  @Test("a private key in place of a public one is told as that, and is not shown")
  func privateKey() {
    #expect(
      throws: TokenKeys.Mistake(
        expected: "a public key, and no private one", mend: "openssl pkey -in KEY -pubout writes it")
    ) {
      try TokenKeys(pem: PEM.rsa)
    }
  }

  @Test("a refusal shows no more of a header than short, printable names")
  func shown() {
    #expect("\(TokenRefusal.noKey("a\n\u{1b}é"))" == #"token refused: no key "a???""#)
    #expect("\(TokenRefusal.algorithm(String(repeating: "x", count: 9999)))".utf8.count < 120)
  }
}
