// What can go wrong with an exchange, as values: whose fault, what, and whether another attempt is allowed.
// Words for clients are chosen by the dialect plugin, from these; nothing of our insides is in them.

import Flow

/// One failure of an exchange.
public struct Failure: Error, Sendable {
  /// Whose fault it is.
  public enum Fault: Sendable { case downstream, upstream, own }

  /// What happened.
  public enum Cause: Sendable {
    /// The message broke HTTP's framing rules; the connection closes. `status` is the one that says so.
    case framing(status: Int, reason: StaticString)
    /// Head not received in time (408).
    case headTimeout
    /// Body not received in time (408).
    case bodyTimeout
    /// An expectation other than 100-continue (417).
    case expectation
    /// More body than `client.body_bytes_max` (413).
    case bodyTooLarge(limit: Int)
    /// The body is not the JSON object, or the form, that the route needs (400).
    case unreadableBody
    /// The body is encoded in a way that the gateway cannot read (415).
    case unsupportedMedia
    /// The route needs a model and the body names none (400).
    case missingModel
    /// `model` stands in the body twice, or is no string (400).
    case badModel
    /// A parameter that the gateway itself must understand is missing or of a wrong type (400).
    indirect case badParameter(name: String, message: String)
    /// No such model (404).
    case unknownModel(String)
    /// The model is there, its deployment does not run (503). `status` is how it is instead.
    indirect case modelStopped(String, status: String)
    /// The model is of another kind than the path needs (400).
    indirect case wrongKind(String, route: Route.Inference)
    /// Nothing that the model's backend can do (501).
    case unsupported(Route.Inference)
    /// No such path (404).
    case unknownPath
    /// The path exists, the method does not (405).
    case method(allowed: StaticString)
    /// No credential (401).
    case noKey
    /// A credential that is not ours (401). The payload is a redacted form for the message.
    case badKey(String)
    /// The key is good and may not do this (403). The payload is the permission that it lacks.
    case forbidden(permission: String)
    /// What a plugin refuses in words of its own.
    indirect case refused(Refusal)
    /// More than a limit allows (429).
    indirect case limited(LimitReached)
    /// No connection to any endpoint (502).
    case unreachable
    /// The upstream closed or reset before an answer (502).
    case closedEarly
    /// What the upstream sent is no HTTP (502).
    case badAnswer
    /// Connected, or tried to, and waited too long (504).
    case timeout(Wait)
    /// The answer ended before its end.
    case cut
    /// The gateway is draining and its time is over (503).
    case draining
    /// A fault of the gateway (500).
    case internalFault
  }

  /// A refusal in a plugin's own words, which the dialect of the exchange puts into its envelope.
  public struct Refusal: Sendable {
    /// 400...599.
    public var status: Int
    /// For people.
    public var message: String
    /// For programs; nil says nothing.
    public var code: String?
    /// The parameter at fault.
    public var param: String?

    public init(status: Int, message: String, code: String? = nil, param: String? = nil) {
      self.status = min(max(status, 400), 599)
      self.message = message
      self.code = code
      self.param = param
    }
  }

  /// Which wait ran out.
  public enum Wait: String, Sendable { case connect, tls, firstByte, betweenBytes, total, writeStall }

  public var fault: Fault
  public var cause: Cause
  /// Whether the gateway may try again.
  public var retry: AnotherAttempt
  /// Detail for the operator's log, never for the client.
  public var detail: String

  public init(_ fault: Fault, _ cause: Cause, retry: AnotherAttempt = .never, detail: String = "") {
    self.fault = fault
    self.cause = cause
    self.retry = retry
    self.detail = detail
  }

  /// The status that says this to a client.
  public var status: Int {
    switch cause {
    case .framing(let status, _): status
    case .headTimeout, .bodyTimeout: 408
    case .expectation: 417
    case .bodyTooLarge: 413
    case .unreadableBody, .missingModel, .badModel, .badParameter, .wrongKind: 400
    case .forbidden: 403
    case .refused(let refusal): refusal.status
    case .modelStopped: 503
    case .unsupported: 501
    case .unsupportedMedia: 415
    case .unknownModel, .unknownPath: 404
    case .method: 405
    case .noKey, .badKey: 401
    case .limited: 429
    case .unreachable, .closedEarly, .badAnswer, .cut: 502
    case .timeout: 504
    case .draining: 503
    case .internalFault: 500
    }
  }

  /// Whether the client's connection cannot be trusted to carry another message after this.
  var closes: Bool {
    switch cause {
    case .framing, .headTimeout, .bodyTimeout, .draining, .bodyTooLarge, .expectation: true
    default: false
    }
  }

  /// One word for the access log.
  public var word: String {
    switch cause {
    case .framing: "bad_request"
    case .headTimeout: "head_timeout"
    case .bodyTimeout: "body_timeout"
    case .expectation: "expectation_failed"
    case .bodyTooLarge: "body_too_large"
    case .unreadableBody: "unreadable_body"
    case .unsupportedMedia: "unsupported_media_type"
    case .missingModel: "missing_model"
    case .badModel: "bad_model"
    case .badParameter: "bad_parameter"
    case .unknownModel: "unknown_model"
    case .modelStopped: "model_stopped"
    case .wrongKind: "wrong_model_kind"
    case .unsupported: "unsupported"
    case .forbidden: "forbidden"
    case .refused: "refused"
    case .unknownPath: "unknown_path"
    case .method: "method_not_allowed"
    case .noKey: "no_key"
    case .badKey: "bad_key"
    case .limited: "rate_limited"
    case .unreachable: "upstream_unreachable"
    case .closedEarly: "upstream_closed_early"
    case .badAnswer: "upstream_bad_answer"
    case .timeout(let wait): "upstream_timeout_\(wait.rawValue)"
    case .cut: "upstream_cut"
    case .draining: "draining"
    case .internalFault: "internal"
    }
  }
}
