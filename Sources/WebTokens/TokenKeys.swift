// What tokens are verified with. A key has one algorithm, its own, whatever a token's header says: a public key is never
// taken for a secret (RFC 8725, 2.1 and 3.1). A set of keys never changes; a newer one is another set.

import FoundationEssentials
import JWTKit
import Reactor
import Synchronization

/// Keys of an issuer whose tokens are believed.
public final class TokenKeys: Sendable {
  /// Why keys cannot be used.
  public struct Mistake: Error, Equatable, CustomStringConvertible {
    /// What should have been there.
    public let expected: String
    /// How to mend it; may be empty.
    public let mend: String

    init(expected: String, mend: String = "") {
      self.expected = expected
      self.mend = mend
    }

    public var description: String { "expected \(expected)\(mend.isEmpty ? "" : "; \(mend)")" }
  }

  let keys: [TokenKey]
  /// Tells it from all other sets of this process.
  let number: UInt64
  /// Of the text that it was read from.
  let digest: SHA256Digest

  private static let count = Atomic<UInt64>(0)
  /// Keys of a set that are taken, at most.
  static let keysMax = 64

  private init(_ keys: [TokenKey], _ digest: SHA256Digest) {
    self.keys = keys
    self.digest = digest
    number = Self.count.add(1, ordering: .relaxed).newValue
  }

  /// Fewest bytes of a secret: as many as its signatures have (RFC 7518, 3.2).
  public static let secretBytesMin = 32

  /// A secret for HS256.
  public convenience init(secret: String) throws(Mistake) {
    guard secret.utf8.count >= Self.secretBytesMin else {
      throw Mistake(expected: "a secret of at least \(Self.secretBytesMin) bytes")
    }
    let key = TokenKey(.secret(HMACKey(from: secret)), .hs256, id: nil)
    self.init([key], SHA256Digest(hashing: secret))
  }

  /// A public key in PEM: RSA of 2048 bits or more for RS256, or P-256 for ES256.
  public convenience init(pem: String) throws(Mistake) {
    if pem.contains("PRIVATE KEY-----") {
      throw Mistake(
        expected: "a public key, and no private one", mend: "openssl pkey -in KEY -pubout writes it")
    }
    let key: TokenKey
    if let elliptic = try? ES256PublicKey(pem: pem) {
      key = TokenKey(.elliptic(elliptic), .es256, id: nil)
    } else if let rsa = try? Insecure.RSA.PublicKey(pem: pem) {
      key = TokenKey(.rsa(rsa), .rs256, id: nil)
    } else {
      throw Mistake(expected: "a public key in PEM, RSA of at least 2048 bits or P-256")
    }
    self.init([key], SHA256Digest(hashing: pem))
  }

  /// A set of keys (RFC 7517, 5). What is not for signatures, or for none of the algorithms here, is skipped.
  public convenience init(jwks: [UInt8]) throws(Mistake) {
    guard MemberNames.areUnique(in: jwks), let set = try? JSONDecoder().decode(KeySet.self, from: Data(jwks)) else {
      throw Mistake(expected: "a JSON object with a list of keys")
    }
    let keys = set.keys.lazy.compactMap(\.key).prefix(Self.keysMax)
    guard !keys.isEmpty else {
      throw Mistake(expected: "at least one key for signatures with RS256 or ES256 among its \(set.keys.count) keys")
    }
    self.init(Array(keys), jwks.withUnsafeBytes { SHA256Digest(hashing: $0) })
  }

  /// The algorithms that its keys are for.
  public var algorithms: Set<TokenAlgorithm> { Set(keys.map(\.algorithm)) }

  // MARK: Verifying

  /// Keys that are tried for one token, at most: those of a set without ids.
  static let triesMax = 8

  /// The claims of `token`, when a key of its algorithm verifies it. Works on actors of JWTKit's, and those where the task prefers to.
  func verify(_ token: CompactToken) async throws(TokenRefusal) -> Claims {
    let id = token.header.keyID
    // A key without an id is for whatever id a token names, and a token without one for any key.
    let candidates = keys.filter {
      $0.algorithm.rawValue == token.header.algorithm && ($0.id == nil || id == nil || $0.id == id)
    }
    guard !candidates.isEmpty else { throw .noKey(id) }
    for key in candidates.prefix(Self.triesMax) {
      if let claims = try await key.verify(token) { return claims }
    }
    throw .signature
  }
}

/// One key.
final class TokenKey: Sendable {
  enum Material: Sendable {
    case secret(HMACKey)
    case rsa(Insecure.RSA.PublicKey)
    case elliptic(ES256PublicKey)
  }

  let algorithm: TokenAlgorithm
  let id: String?
  private let material: Material
  // One for each key: a collection of several takes its default for an id that it does not know.
  private let collection = JWTKeyCollection()
  private let isFilled = Atomic(false)

  init(_ material: Material, _ algorithm: TokenAlgorithm, id: String?) {
    self.material = material
    self.algorithm = algorithm
    self.id = id
  }

  /// The claims of `token`; nil when this is not the key that it was signed with.
  func verify(_ token: CompactToken) async throws(TokenRefusal) -> Claims? {
    // Twice at most, when two ask at once, and the second time changes nothing.
    if !isFilled.load(ordering: .acquiring) {
      await fill()
      isFilled.store(true, ordering: .releasing)
    }
    do {
      return try await collection.verify(token.text, as: Claims.self)
    } catch let error as JWTError where error.errorType == .malformedToken {
      throw .malformed("its claims cannot be read")
    } catch {
      return nil
    }
  }

  private func fill() async {
    switch material {
    case .secret(let key): await collection.add(hmac: key, digestAlgorithm: .sha256)
    case .rsa(let key): await collection.add(rsa: key, digestAlgorithm: .sha256)
    case .elliptic(let key): await collection.add(ecdsa: key)
    }
  }
}
