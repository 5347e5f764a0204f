// Failures by what dialects tell apart: each row of their error matrix.

import Gateway

extension Failure {
  enum Category {
    /// The request itself is at fault.
    case request
    /// No key, or none of ours.
    case key
    /// A good key that may not do this.
    case permission
    /// No such model, or path.
    case absence
    /// A model whose deployment does not run.
    case stopped
    /// A model of another kind than the path needs.
    case wrongKind
    /// Nothing that the backend can do.
    case unsupported
    /// Too many requests.
    case limit
    case unreachable
    /// The backend answered, and not so that it could be passed on.
    case badAnswer
    case timeout
    case draining
    case own
  }

  var category: Category {
    switch cause {
    case .framing, .headTimeout, .bodyTimeout, .expectation, .bodyTooLarge, .unreadableBody, .unsupportedMedia,
      .missingModel, .badModel, .badParameter, .method:
      .request
    case .noKey, .badKey: .key
    case .forbidden: .permission
    case .unknownModel, .unknownPath: .absence
    case .modelStopped: .stopped
    case .wrongKind: .wrongKind
    case .unsupported: .unsupported
    case .limited: .limit
    case .unreachable, .closedEarly, .cut: .unreachable
    case .badAnswer: .badAnswer
    case .timeout: .timeout
    case .draining: .draining
    case .internalFault: .own
    case .refused(let refusal): Self.category(refusal.status)
    }
  }

  private static func category(_ status: Int) -> Category {
    switch status {
    case 401: .key
    case 403: .permission
    case 404: .absence
    case 429: .limit
    case 501: .unsupported
    case 502, 503: .unreachable
    case 504: .timeout
    case 400..<500: .request
    default: .own
    }
  }
}
