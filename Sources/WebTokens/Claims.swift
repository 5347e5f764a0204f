// What a token says, once its signature is verified (RFC 7519, 4).

import FoundationEssentials
import JWTKit

/// The value of a claim, as far as claims are read here. JWTKit's own type for such values traps on numbers that no Int
/// has, so it is not used.
enum ClaimValue: Sendable, Equatable {
  case text(String)
  case number(Double)
  case texts([String])
  /// Anything else: null, a boolean, an object, another list.
  case other
}

extension ClaimValue: Codable {
  init(from decoder: any Decoder) throws {
    // Never into what is nested: how deep that is, is the issuer's.
    guard let container = try? decoder.singleValueContainer() else {
      self = .other
      return
    }
    if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let texts = try? container.decode([String].self) {
      self = .texts(texts)
    } else {
      self = .other
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .text(let text): try container.encode(text)
    case .number(let number): try container.encode(number)
    case .texts(let texts): try container.encode(texts)
    case .other: try container.encodeNil()
    }
  }
}

/// All claims of a token. What they must be is said by ``TokenRules``.
struct Claims: JWTPayload, Equatable {
  var values: [String: ClaimValue]

  init(_ values: [String: ClaimValue]) { self.values = values }

  init(from decoder: any Decoder) throws {
    values = try decoder.singleValueContainer().decode([String: ClaimValue].self)
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(values)
  }

  func verify(using algorithm: some JWTAlgorithm) async throws {}
}
