// What a failure says to a client, in the words of OpenAI's API. Other dialects begin here and put their own status, type
// and code on it; messages are mostly alike, because people read them, not programs.

import Flow
import Gateway
import Wire

/// Status, message, type, param and code of an error.
struct ErrorWords {
  var status: Int
  var message: String
  var type = "invalid_request_error"
  var param: String?
  var code: String?

  init(_ failure: Failure, _ exchange: Exchange) {
    status = failure.status
    message = ""
    describe(failure.cause, exchange)
  }

  /// What the client did, or may not do.
  private mutating func describe(_ cause: Failure.Cause, _ exchange: Exchange) {
    switch cause {
    case .framing(_, let reason): message = "\(reason)"
    case .headTimeout: message = "The request's headers were not received in time."
    case .bodyTimeout: message = "The request's body was not received in time."
    case .expectation: message = "Only the expectation 100-continue is supported."
    case .bodyTooLarge(let limit): message = "The request's body is larger than the \(limit) bytes that are allowed."
    case .unreadableBody:
      message =
        exchange.isJSONBody
        ? "We could not parse the JSON body of your request. The API expects a JSON object, encoded in UTF-8."
        : "We could not parse the form in the body of your request."
    case .unsupportedMedia:
      message = "Encoded request bodies are not supported; send the body without content-encoding."
    case .missingModel: (message, param) = ("you must provide a model parameter", "model")
    case .badModel: (message, param) = ("The parameter 'model' must be given once, as a string.", "model")
    case .badParameter(let name, let text): (message, param) = (text, name)
    case .unknownPath: message = "Invalid URL (\(exchange.method.name) \(path(of: exchange)))"
    case .method:
      message =
        "Not allowed to \(exchange.method.name) on \(path(of: exchange)). "
        + "(HINT: Perhaps you meant to use a different HTTP method?)"
      code = "method_not_supported"
    case .noKey:
      message =
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer "
        + "auth (i.e. Authorization: Bearer YOUR_KEY)."
    case .badKey(let redacted): (message, code) = ("Incorrect API key provided: \(redacted).", "invalid_api_key")
    case .forbidden(let permission):
      message = "Your API key does not have the permission '\(permission)', which this request needs."
      (type, code) = ("permission_error", "insufficient_permissions")
    case .limited(let reached): describe(reached)
    case .refused(let refusal):
      (message, code, param) = (refusal.message, refusal.code, refusal.param)
      switch refusal.status {
      case 403: type = "permission_error"
      case 429: type = "requests"
      case 503: type = "service_unavailable_error"
      case 500...: type = "server_error"
      default: break
      }
    default: describeModel(cause)
    }
  }

  /// Which limit is used up.
  private mutating func describe(_ reached: LimitReached) {
    let subject =
      switch reached.subject {
      case .address: "from your address"
      case .key: "with your API key"
      case .everybody: "of all clients"
      }
    let whose = reached.about.isEmpty ? subject : "\(subject) (\(reached.about.joined(separator: ", ")))"
    let again = reached.retryAfter.map { "Please try again in \(ResetTime.text($0))." }
    (type, code) = ("requests", "rate_limit_exceeded")
    switch reached.measure {
    case .requests(let rate):
      message = "Rate limit reached for requests \(whose): Limit \(Self.text(rate)). \(again ?? "")"
    case .tokens(let rate, let requested):
      type = "tokens"
      let limit = "Limit \(Self.text(rate)), Requested \(requested)."
      message =
        again.map { "Rate limit reached for tokens \(whose): \(limit) \($0)" }
        ?? "Request too large for the tokens \(whose): \(limit) Lower max_tokens to run it."
    case .concurrent(let max):
      message = "Too many requests \(whose) at one time: Limit \(max). Please try again when one has ended."
    }
  }

  /// `100 per minute`.
  private static func text(_ rate: Rate) -> String {
    switch rate.perNanoseconds / 1_000_000 {
    case 1000: "\(rate.count) per second"
    case 60_000: "\(rate.count) per minute"
    case 3_600_000: "\(rate.count) per hour"
    case 86_400_000: "\(rate.count) per day"
    default: "\(rate.count) in \(ResetTime.text(rate.perNanoseconds))"
    }
  }

  /// What is the matter with the model that was asked for.
  private mutating func describeModel(_ cause: Failure.Cause) {
    param = "model"
    switch cause {
    case .unknownModel(let name):
      message = "The model `\(name)` does not exist or you do not have access to it."
      code = "model_not_found"
    case .modelStopped(let name, let status):
      message = "Model '\(name)' deployment is not running (status: \(status))"
      (type, code) = ("service_unavailable_error", "model_not_available")
    case .wrongKind(let name, let route):
      message = "Model '\(name)' is not \(route.kind.withArticle) model and cannot be used with \(route.title)"
      code = "invalid_model_type"
    case .unsupported(let route):
      message = "The model's backend does not support \(route.title)."
      code = "unsupported"
    default:
      param = nil
      describeAnswer(cause)
    }
  }

  /// What the upstream did, or we.
  private mutating func describeAnswer(_ cause: Failure.Cause) {
    switch cause {
    case .unreachable:
      message = "The model's backend could not be reached. Please try again."
      (type, code) = ("server_error", "backend_unreachable")
    case .closedEarly:
      message = "The model's backend closed the connection before it answered. Please try again."
      (type, code) = ("server_error", "backend_unreachable")
    case .badAnswer:
      message = "The model's backend sent an answer that could not be understood."
      (type, code) = ("server_error", "backend_bad_response")
    case .cut:
      message = "The model's backend ended the answer before it was complete."
      (type, code) = ("server_error", "backend_disconnected")
    case .timeout:
      message = "The model's backend did not answer in time."
      (type, code) = ("server_error", "backend_timeout")
    case .draining:
      message = "The gateway is shutting down. Please try again."
      (type, code) = ("service_unavailable_error", "server_is_overloaded")
    default:
      message = "The server had an error while processing your request. Sorry about that!"
      type = "server_error"
    }
  }

  private func path(of exchange: Exchange) -> String { String(decoding: exchange.path, as: UTF8.self) }
}

extension Route.Inference {
  /// As a sentence calls it: `chat completions`.
  var title: String { rawValue.dropFirst().split(separator: "/").joined(separator: " ") }

  /// The kind of model that it asks.
  var kind: ModelKind {
    switch self {
    case .chatCompletions, .completions, .responses, .messages, .moderations, .rerank: .text
    case .embeddings: .embedding
    case .imagesGenerations, .imagesEdits, .imagesVariations: .image
    case .audioSpeech, .audioTranscriptions, .audioTranslations: .audio
    }
  }
}
