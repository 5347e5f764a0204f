// Why a token is not believed, in words for the operator's log. Clients are told that it is no good, and nothing else.

/// What is wrong with a token. Holds nothing of it but the names of its algorithm and its key.
public enum TokenRefusal: Error, Equatable, CustomStringConvertible {
  /// It is no token, in one way or another.
  case malformed(String)
  /// An algorithm that is not allowed.
  case algorithm(String)
  /// No key that it could be verified with; the payload is the key's id, where it names one.
  case noKey(String?)
  /// No key verifies it.
  case signature
  /// It is over.
  case expired
  /// Its time has not come.
  case notYet
  /// A claim is missing, of a wrong type, or not what it must be.
  case claim(String, String)

  /// Whether keys that are newer might tell otherwise.
  var mayBeNewKey: Bool {
    switch self {
    case .noKey, .signature: true
    case .malformed, .algorithm, .expired, .notYet, .claim: false
    }
  }

  public var description: String {
    switch self {
    case .malformed(let how): "token refused: \(how)"
    case .algorithm(let name): "token refused: algorithm \(Self.shown(name)) is not allowed"
    case .noKey(let id?): "token refused: no key \(Self.shown(id))"
    case .noKey(nil): "token refused: no key for its algorithm"
    case .signature: "token refused: the signature is wrong"
    case .expired: "token refused: it has expired"
    case .notYet: "token refused: it is not valid yet"
    case .claim(let name, let problem): "token refused: claim \(Self.shown(name)): \(problem)"
    }
  }

  /// Short and printable: what stands in a header is anybody's.
  private static func shown(_ text: String) -> String {
    "\"\(String(text.unicodeScalars.prefix(64).map { $0.value > 0x20 && $0.value < 0x7F ? Character($0) : "?" }))\""
  }
}
