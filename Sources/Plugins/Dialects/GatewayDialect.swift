// Failures as the self-hosted gateway's reference has them: a category and a message, nothing else.

import Gateway
import Wire

/// The `gateway` dialect's envelopes: `{"error":{"type","message"}}`.
public struct GatewayDialect: ErrorDialect {
  public static let dialect = "gateway"

  public init() {}

  public var name: String { "gateway_dialect" }
  public var dialects: [String] { [Self.dialect] }

  func words(for failure: Failure, _ exchange: Exchange) -> ErrorWords {
    var words = ErrorWords(failure, exchange)
    switch failure.category {
    case .request, .absence: words.type = "invalid_request"
    case .key: words.type = "authentication_error"
    case .permission: words.type = "permission_denied"
    case .wrongKind, .unsupported: (words.status, words.type) = (501, "unsupported")
    case .limit: words.type = "rate_limit_exceeded"
    case .stopped, .unreachable, .badAnswer, .draining: words.type = "backend_unreachable"
    case .timeout: words.type = "backend_timeout"
    case .own: words.type = "internal_error"
    }
    return words
  }

  func envelope(_ words: ErrorWords, _ failure: Failure, _ exchange: Exchange) -> [UInt8] {
    var out = Array(#"{"error":{"type":"#.utf8)
    JSONText.append(words.type, to: &out)
    out += Array(#","message":"#.utf8)
    JSONText.append(words.message, to: &out)
    return out + Array("}}".utf8)
  }
}
