// What a token must say to be believed, and who its holder is then (RFC 7519, 4.1; RFC 8725, 3).

import Plugins

/// How tokens are signed: the three that are used, and `none` is not one of them (RFC 7518, 3.1; RFC 8725, 3.1).
public enum TokenAlgorithm: String, Sendable, Hashable, CaseIterable {
  /// HMAC with SHA-256, by a secret that both sides know.
  case hs256 = "HS256"
  /// RSA (PKCS 1, version 1.5) with SHA-256.
  case rs256 = "RS256"
  /// ECDSA on P-256 with SHA-256.
  case es256 = "ES256"
}

/// What is asked of the claims of a token.
public struct TokenRules: Sendable {
  /// Names of the claims that tell who the holder is.
  public struct Names: Sendable, Hashable {
    public var name = "sub"
    public var permissions = "scope"
    public var models = "models"
    public var account = "account"

    public init() {}
  }

  public var algorithms: Set<TokenAlgorithm> = Set(TokenAlgorithm.allCases)
  /// What `iss` must be; nil asks for none.
  public var issuer: String?
  /// What must be in `aud`; nil asks for none.
  public var audience: String?
  /// How far clocks may be apart, in nanoseconds.
  public var leeway: UInt64 = 30_000_000_000
  /// Whether a token must say when it expires.
  public var requiresExpiry = true
  public var names = Names()

  public init() {}

  /// Whether a token may be signed so. Asked before any key is looked for.
  func check(_ header: TokenHeader) throws(TokenRefusal) {
    guard algorithms.contains(where: { $0.rawValue == header.algorithm }) else { throw .algorithm(header.algorithm) }
  }

  /// The holder of a token whose signature is good. Its end is that of the token, with the leeway.
  /// - Parameter now: nanoseconds since 1970.
  func identity(of claims: Claims, now: UInt64) throws(TokenRefusal) -> Identity {
    let end = try time("exp", claims).map { $0.addingReportingOverflow(leeway) }
    if end == nil, requiresExpiry { throw .claim("exp", "missing") }
    let expiresAt = end.map { $0.overflow ? .max : $0.partialValue }
    if let expiresAt, now >= expiresAt { throw .expired }
    if let start = try time("nbf", claims), start > now, start - now > leeway { throw .notYet }
    if let issuer {
      guard case .text(let found)? = claims.values["iss"], found == issuer else {
        throw .claim("iss", "another issuer, or none")
      }
    }
    if let audience, !(try words("aud", claims) ?? []).contains(audience) {
      throw .claim("aud", "another audience, or none")
    }
    let name = try name(claims)
    // Its subject tells it from a key of the same name, and from another token's holder where names are not the subject.
    var id = "token:\(name)"
    if case .text(let subject)? = claims.values["sub"] { id = "token:\(subject)" }
    return Identity(
      name: name, id: id, permissions: try permissions(claims), models: try models(claims),
      account: try account(claims), expiresAt: expiresAt)
  }

  private func name(_ claims: Claims) throws(TokenRefusal) -> String {
    guard case .text(let name)? = claims.values[names.name] else { throw .claim(names.name, "missing, or no string") }
    guard Identity.isName(name) else {
      throw .claim(names.name, "empty, longer than 256 bytes, or with control characters")
    }
    return name
  }

  /// Words that mean nothing here are other services' (RFC 8693, 4.2: scopes, with spaces between).
  private func permissions(_ claims: Claims) throws(TokenRefusal) -> Permissions {
    guard let value = claims.values[names.permissions] else { return .usual }
    let words: [String]
    switch value {
    case .text(let text): words = text.split(separator: " ").map(String.init)
    case .texts(let texts): words = texts
    case .number, .other: throw .claim(names.permissions, "neither a string nor a list of strings")
    }
    return words.reduce(into: []) { permissions, word in
      if let known = Permissions(word: word) { permissions.insert(known) }
    }
  }

  private func models(_ claims: Claims) throws(TokenRefusal) -> Set<String>? {
    switch claims.values[names.models] {
    case nil: return nil
    case .texts(let models)?: return Set(models)
    default: throw .claim(names.models, "no list of strings")
    }
  }

  private func account(_ claims: Claims) throws(TokenRefusal) -> String? {
    switch claims.values[names.account] {
    case nil: return nil
    case .text(let account)?: return account
    default: throw .claim(names.account, "no string")
    }
  }

  /// One string, or a list of them (RFC 7519, 4.1.3).
  private func words(_ name: String, _ claims: Claims) throws(TokenRefusal) -> [String]? {
    switch claims.values[name] {
    case nil: return nil
    case .text(let text)?: return [text]
    case .texts(let texts)?: return texts
    default: throw .claim(name, "neither a string nor a list of strings")
    }
  }

  /// A time in nanoseconds since 1970, from seconds that may have fractions (RFC 7519, 2: NumericDate).
  private func time(_ name: String, _ claims: Claims) throws(TokenRefusal) -> UInt64? {
    switch claims.values[name] {
    case nil: return nil
    case .number(let seconds)?:
      if seconds <= 0 { return 0 }
      // From the year 2500 on it is for ever.
      return seconds < 16_725_225_600 ? UInt64(seconds * 1_000_000_000) : .max
    default: throw .claim(name, "no number")
    }
  }
}
