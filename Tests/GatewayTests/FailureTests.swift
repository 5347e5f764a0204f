import Flow
import Testing

@testable import Gateway

/// Every cause there is, with what it is to a client and to the access log. A cause that is missing here does not
/// compile, or fails the test of completeness.
struct FailureCase: Sendable, CustomTestStringConvertible {
  let cause: Failure.Cause
  let status: Int
  let word: String
  let closes: Bool
  var type = "invalid_request_error"
  var param: String?
  var code: String?
  let message: String

  var testDescription: String { word }

  static let reached = LimitReached(
    .requests(Rate(count: 100, perNanoseconds: 60_000_000_000, burst: 100)), of: .address, retryAfter: 599_000_001)

  static let waits: [Failure.Wait] = [.connect, .tls, .firstByte, .betweenBytes, .total, .writeStall]

  static let every: [FailureCase] =
    [
      .init(
        cause: .framing(status: 431, reason: "The header section is too long."), status: 431, word: "bad_request",
        closes: true, message: "The header section is too long."),
      .init(
        cause: .headTimeout, status: 408, word: "head_timeout", closes: true,
        message: "The request's headers were not received in time."),
      .init(
        cause: .bodyTimeout, status: 408, word: "body_timeout", closes: true,
        message: "The request's body was not received in time."),
      .init(
        cause: .expectation, status: 417, word: "expectation_failed", closes: true,
        message: "Only the expectation 100-continue is supported."),
      .init(
        cause: .bodyTooLarge(limit: 1024), status: 413, word: "body_too_large", closes: true,
        message: "The request's body is larger than the 1024 bytes that are allowed."),
      .init(
        cause: .unreadableBody, status: 400, word: "unreadable_body", closes: false,
        message: "We could not parse the JSON body of your request."),
      .init(
        cause: .unsupportedMedia, status: 415, word: "unsupported_media_type", closes: false,
        message: "Encoded request bodies are not supported"),
      .init(
        cause: .missingModel, status: 400, word: "missing_model", closes: false, param: "model",
        message: "you must provide a model parameter"),
      .init(
        cause: .badModel, status: 400, word: "bad_model", closes: false, param: "model",
        message: "The parameter 'model' must be given once, as a string."),
      .init(
        cause: .badParameter(name: "messages", message: "must be a list"), status: 400, word: "bad_parameter",
        closes: false, param: "messages", message: "must be a list"),
      .init(
        cause: .modelStopped("m", status: "stopped"), status: 503, word: "model_stopped", closes: false,
        type: "service_unavailable_error", param: "model", code: "model_not_available",
        message: "Model 'm' deployment is not running (status: stopped)"),
      .init(
        cause: .wrongKind("m", route: .chatCompletions), status: 400, word: "wrong_model_kind", closes: false,
        param: "model", code: "invalid_model_type",
        message: "Model 'm' is not a text model and cannot be used with chat completions"),
      .init(
        cause: .unsupported(.embeddings), status: 501, word: "unsupported", closes: false, param: "model",
        code: "unsupported", message: "does not support embeddings"),
      .init(
        cause: .forbidden(permission: "proxy"), status: 403, word: "forbidden", closes: false,
        type: "permission_error", code: "insufficient_permissions", message: "the permission 'proxy'"),
      .init(
        cause: .refused(Failure.Refusal(status: 451, message: "Not \"here\".", code: "law", param: "p")), status: 451,
        word: "refused", closes: false, param: "p", code: "law", message: "Not \"here\"."),
      .init(
        cause: .unknownModel("no\"such\nmodel"), status: 404, word: "unknown_model", closes: false, param: "model",
        code: "model_not_found",
        message: "The model `no\"such\nmodel` does not exist or you do not have access to it."),
      .init(
        cause: .unknownPath, status: 404, word: "unknown_path", closes: false,
        message: "Invalid URL (POST /v1/chat/completions)"),
      .init(
        cause: .method(allowed: "POST"), status: 405, word: "method_not_allowed", closes: false,
        code: "method_not_supported", message: "Not allowed to POST on /v1/chat/completions."),
      .init(
        cause: .noKey, status: 401, word: "no_key", closes: false,
        message:
          "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer"),
      .init(
        cause: .badKey("sk-***cdef"), status: 401, word: "bad_key", closes: false, code: "invalid_api_key",
        message: "Incorrect API key provided: sk-***cdef."),
      .init(
        cause: .limited(reached), status: 429, word: "rate_limited", closes: false,
        type: "requests",
        code: "rate_limit_exceeded", message: "Please try again in 600ms."),
      .init(
        cause: .unreachable, status: 502, word: "upstream_unreachable", closes: false, type: "server_error",
        code: "backend_unreachable", message: "The model's backend could not be reached."),
      .init(
        cause: .closedEarly, status: 502, word: "upstream_closed_early", closes: false, type: "server_error",
        code: "backend_unreachable", message: "closed the connection before it answered"),
      .init(
        cause: .badAnswer, status: 502, word: "upstream_bad_answer", closes: false, type: "server_error",
        code: "backend_bad_response", message: "could not be understood"),
      .init(
        cause: .cut, status: 502, word: "upstream_cut", closes: false, type: "server_error",
        code: "backend_disconnected",
        message: "ended the answer before it was complete"),
      .init(
        cause: .draining, status: 503, word: "draining", closes: true, type: "service_unavailable_error",
        code: "server_is_overloaded", message: "The gateway is shutting down."),
      .init(
        cause: .internalFault, status: 500, word: "internal", closes: false, type: "server_error",
        message: "The server had an error while processing your request."),
    ]
    + waits.map { wait in
      .init(
        cause: .timeout(wait), status: 504, word: "upstream_timeout_\(wait.rawValue)", closes: false,
        type: "server_error",
        code: "backend_timeout", message: "did not answer in time")
    }
}

@Suite("Failures")
struct FailureTests {
  @Test(
    "every cause has its status, its word for the log, and says whether the connection can go on",
    arguments: FailureCase.every)
  func table(_ row: FailureCase) {
    let failure = Failure(.downstream, row.cause, detail: "for the log")
    #expect(failure.status == row.status)
    #expect(failure.word == row.word)
    #expect(failure.closes == row.closes)
  }

  /// A number for each cause. New causes do not compile without one.
  static func number(_ cause: Failure.Cause) -> Int {
    switch cause {
    case .framing: 0
    case .headTimeout: 1
    case .bodyTimeout: 2
    case .expectation: 3
    case .bodyTooLarge: 4
    case .unreadableBody: 5
    case .unsupportedMedia: 6
    case .missingModel: 7
    case .badModel: 8
    case .unknownModel: 9
    case .unknownPath: 10
    case .method: 11
    case .noKey: 12
    case .badKey: 13
    case .limited: 14
    case .unreachable: 15
    case .closedEarly: 16
    case .badAnswer: 17
    case .timeout: 18
    case .cut: 19
    case .draining: 20
    case .internalFault: 21
    case .badParameter: 22
    case .modelStopped: 23
    case .wrongKind: 24
    case .unsupported: 25
    case .forbidden: 26
    case .refused: 27
    }
  }

  @Test("the table has every cause")
  func complete() {
    #expect(Set(FailureCase.every.map { Self.number($0.cause) }) == Set(0...27))
  }

  @Test("a broken message keeps the status that the parser gave it", arguments: [400, 414, 431, 501, 505])
  func framing(_ status: Int) {
    #expect(Failure(.downstream, .framing(status: status, reason: "")).status == status)
  }

  @Test("words of the log are one token each, so that they can be counted by name")
  func words() {
    let words = FailureCase.every.map(\.word)
    #expect(Set(words).count == words.count)
    for word in words { #expect(word.utf8.allSatisfy { RequestID.allows($0) }) }
  }

  @Test("another attempt is never made unless a failure says so")
  func retry() {
    #expect(Failure(.upstream, .unreachable).retry == .never)
    #expect(Failure(.upstream, .unreachable, retry: .elsewhere).retry == .elsewhere)
  }

  @Test("the outcome is the failure's word, else whether the client stayed")
  func outcome() {
    var record = AccessRecord(startedAt: 0)
    #expect(record.outcome == "done")
    record.clientLeft = true
    #expect(record.outcome == "client_left")
    record.failure = Failure(.upstream, .cut)
    #expect(record.outcome == "upstream_cut")
  }
}
