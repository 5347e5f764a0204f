// Failures as PLLM's API reference has them: six types, a code that is always there, and no status but those it lists.

import Gateway

/// The `pllm` dialect's envelopes: `message`, `type`, `param`, `code`; status 400, 401, 403, 404, 429, 500 or 503.
public struct PLLMDialect: ErrorDialect {
  public static let dialect = "pllm"

  public init() {}

  public var name: String { "pllm_dialect" }
  public var dialects: [String] { [Self.dialect] }

  func words(for failure: Failure, _ exchange: Exchange) -> ErrorWords {
    var words = ErrorWords(failure, exchange)
    let code: String
    switch failure.category {
    case .request: (words.status, words.type, code) = (400, "invalid_request_error", "bad_request")
    case .key: (words.status, words.type, code) = (401, "authentication_error", "invalid_api_key")
    case .permission: (words.status, words.type, code) = (403, "permission_error", "insufficient_permissions")
    case .absence: (words.status, words.type, code) = (404, "invalid_request_error", "not_found")
    case .wrongKind, .unsupported: (words.status, words.type, code) = (400, "invalid_request_error", "unsupported")
    case .limit: (words.status, words.type, code) = (429, "rate_limit_error", "rate_limit_exceeded")
    case .stopped, .unreachable, .timeout, .draining:
      (words.status, words.type, code) = (503, "service_unavailable_error", "service_unavailable")
    case .badAnswer, .own: (words.status, words.type, code) = (500, "server_error", "internal_error")
    }
    words.code = words.code ?? code
    return words
  }

  func envelope(_ words: ErrorWords, _ failure: Failure, _ exchange: Exchange) -> [UInt8] { words.fullEnvelope() }
}
