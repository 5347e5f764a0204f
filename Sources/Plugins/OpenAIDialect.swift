// Failures in the words of OpenAI's API: four members always, the types and codes that its SDKs act on.

import Gateway
import Wire

/// The `openai` dialect's envelopes.
public struct OpenAIDialect: Plugin {
  public init() {}

  public var name: String { "openai_dialect" }
  public var phases: Phases { .failed }

  public func failed(_ exchange: Exchange, _ failure: Failure) -> Reply? {
    let words = Words(failure, exchange)
    var reply = Reply(status: failure.status, body: words.envelope)
    switch failure.cause {
    case .noKey, .badKey: reply.fields = [("WWW-Authenticate", "Bearer realm=\"OpenAI API\"")]
    case .method(let allowed): reply.fields = [("Allow", "\(allowed)")]
    default: break
    }
    return reply
  }

  /// A stream that broke ends with one event that the SDKs raise as an error, and without `[DONE]`. The Responses API has
  /// an event type of its own for this.
  public func streamFailed(_ exchange: Exchange, _ failure: Failure) -> [UInt8]? {
    let words = Words(failure, exchange)
    var out: [UInt8] = []
    switch exchange.route {
    case .inference(.responses):
      out += Array(#"event: error\#ndata: {"type":"error","code":"#.utf8)
      words.appendNullable(words.code, &out)
      out += Array(#","message":"#.utf8)
      JSONText.append(words.message, to: &out)
      out += Array(#","param":null,"sequence_number":0}"#.utf8)
    case .inference(.messages):
      // Anthropic's form, which the clients of this route read.
      out += Array(#"event: error\#ndata: {"type":"error","error":{"type":"api_error","message":"#.utf8)
      JSONText.append(words.message, to: &out)
      out += Array("}}".utf8)
    default:
      out += Array("data: ".utf8)
      out += words.envelope
    }
    out += Array("\n\n".utf8)
    return out
  }

  /// Message, type, param and code of a failure.
  struct Words {
    var message: String
    var type = "invalid_request_error"
    var param: String?
    var code: String?

    init(_ failure: Failure, _ exchange: Exchange) {
      let method = exchange.method.name
      let path = String(decoding: exchange.path, as: UTF8.self)
      switch failure.cause {
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
      case .missingModel:
        message = "you must provide a model parameter"
        param = "model"
      case .badModel:
        message = "The parameter 'model' must be given once, as a string."
        param = "model"
      case .unknownModel(let name):
        message = "The model `\(name)` does not exist or you do not have access to it."
        param = "model"
        code = "model_not_found"
      case .unknownPath: message = "Invalid URL (\(method) \(path))"
      case .method:
        message = "Not allowed to \(method) on \(path). (HINT: Perhaps you meant to use a different HTTP method?)"
        code = "method_not_supported"
      case .noKey:
        message =
          "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer "
          + "auth (i.e. Authorization: Bearer YOUR_KEY)."
      case .badKey(let redacted):
        message = "Incorrect API key provided: \(redacted)."
        code = "invalid_api_key"
      case .limited(let rate, let perMinute):
        message =
          "Rate limit reached for requests from your address: Limit \(perMinute) per minute. "
          + "Please try again in \(ResetTime.text(rate.retryAfterNanoseconds))."
        type = "requests"
        code = "rate_limit_exceeded"
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
      case .internalFault:
        message = "The server had an error while processing your request. Sorry about that!"
        type = "server_error"
      }
    }

    var envelope: [UInt8] {
      var out = Array(#"{"error":{"message":"#.utf8)
      JSONText.append(message, to: &out)
      out += Array(#","type":"#.utf8)
      JSONText.append(type, to: &out)
      out += Array(#","param":"#.utf8)
      appendNullable(param, &out)
      out += Array(#","code":"#.utf8)
      appendNullable(code, &out)
      out += Array("}}".utf8)
      return out
    }

    func appendNullable(_ value: String?, _ out: inout [UInt8]) {
      if let value { JSONText.append(value, to: &out) } else { out += Array("null".utf8) }
    }
  }
}
