// Errors as OpenAI's API words them. What a handler throws becomes an envelope in one place.

/// An error that is answered with an envelope. All four members are always there, as OpenAI's schema demands.
struct APIError: Error, Equatable {
  let status: Int
  let message: String
  var type = "invalid_request_error"
  var param: String?
  var code: String?

  /// `{"error": {…}}`.
  var envelope: JSON {
    [
      "error": [
        "message": .string(message), "type": .string(type), "param": .optional(param), "code": .optional(code),
      ]
    ]
  }

  static let unreadableBody = APIError(
    status: 400,
    message: "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP "
      + "library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)")

  static func missing(_ name: String) -> APIError {
    APIError(
      status: 400, message: "Missing required parameter: '\(name)'.", param: name, code: "missing_required_parameter")
  }

  static func wrongType(_ name: String, expected: String, found: JSON) -> APIError {
    APIError(
      status: 400, message: "Invalid type for '\(name)': expected \(expected), but got \(found.kind) instead.",
      param: name, code: "invalid_type")
  }

  static func outOfRange(_ name: String, _ range: ClosedRange<Int>, found: Int) -> APIError {
    let low = found < range.lowerBound
    return APIError(
      status: 400,
      message: low
        ? "Invalid '\(name)': integer below minimum value. Expected a value >= \(range.lowerBound), but got \(found) instead."
        : "Invalid '\(name)': integer above maximum value. Expected a value <= \(range.upperBound), but got \(found) instead.",
      param: name, code: low ? "integer_below_min_value" : "integer_above_max_value")
  }

  static func unknownModel(_ name: String) -> APIError {
    APIError(
      status: 404, message: "The model `\(name)` does not exist or you do not have access to it.", param: "model",
      code: "model_not_found")
  }

  static func unknownURL(_ method: String, _ path: String) -> APIError {
    APIError(status: 404, message: "Invalid URL (\(method) \(path))")
  }

  static func wrongMethod(_ method: String, _ path: String) -> APIError {
    APIError(
      status: 405,
      message: "Not allowed to \(method) on \(path). (HINT: Perhaps you meant to use a different HTTP method?)",
      code: "method_not_supported")
  }

  static let bodyTooLarge = APIError(status: 413, message: "The request body is larger than the demo backend takes.")

  /// The error a request asked for with `status=`.
  static func asked(for status: Int) -> APIError {
    let words = "The demo backend was asked to answer with status \(status)."
    switch status {
    case 401:
      return APIError(status: status, message: words, code: "invalid_api_key")
    case 404:
      return APIError(status: status, message: words, code: "model_not_found")
    case 429:
      return APIError(status: status, message: words, type: "requests", code: "rate_limit_exceeded")
    case 503:
      return APIError(status: status, message: words, type: "service_unavailable_error", code: "server_is_overloaded")
    default:
      return APIError(status: status, message: words, type: status < 500 ? "invalid_request_error" : "server_error")
    }
  }

  /// The error event that `error=` puts into a stream.
  static let midStream = APIError(
    status: 500, message: "The demo backend was asked to fail in mid-stream.", type: "server_error")
}
