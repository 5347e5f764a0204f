// Failures as ModelPilot's documentation has them: OpenAI's four members, the states of deployments, and beside the error of
// an unknown model the names of those that there are.

import Gateway
import Wire

/// The `modelpilot` dialect's envelopes.
public struct ModelPilotDialect: ErrorDialect {
  public static let dialect = "modelpilot"

  private let catalog: ModelCatalog

  /// - Parameter catalog: whose running models are the `available_models`.
  public init(catalog: ModelCatalog) { self.catalog = catalog }

  public var name: String { "modelpilot_dialect" }
  public var dialects: [String] { [Self.dialect] }

  func words(for failure: Failure, _ exchange: Exchange) -> ErrorWords {
    var words = ErrorWords(failure, exchange)
    let code: String
    switch failure.category {
    case .request: (words.type, code) = ("invalid_request_error", "bad_request")
    case .key: (words.type, code) = ("authentication_error", "invalid_api_key")
    case .permission: (words.type, code) = ("permission_error", "insufficient_permissions")
    case .absence: (words.type, code) = ("invalid_request_error", "not_found")
    case .stopped, .wrongKind, .unsupported: (words.type, code) = ("invalid_request_error", "unsupported")
    case .limit: (words.type, code) = ("rate_limit_error", "rate_limit_exceeded")
    case .unreachable, .timeout, .draining:
      (words.status, words.type, code) = (503, "service_unavailable_error", "service_unavailable")
    case .badAnswer, .own: (words.status, words.type, code) = (500, "server_error", "internal_error")
    }
    words.code = words.code ?? code
    if case .unknownModel(let name) = failure.cause {
      words.message = "No active deployment found for model '\(name)'"
    }
    return words
  }

  func envelope(_ words: ErrorWords, _ failure: Failure, _ exchange: Exchange) -> [UInt8] {
    guard case .unknownModel = failure.cause else { return words.fullEnvelope() }
    return words.fullEnvelope(
      extra: Array(#""available_models":"#.utf8) + catalog.availableModels(for: exchange.identity))
  }
}
