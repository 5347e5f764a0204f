// Whether a request that failed upstream is sent again, and where. Owned by an exchange; it neither knows endpoints nor
// opens connections, and it never lets a client see two beginnings of an answer.

/// What went wrong with one attempt.
public enum AttemptFailure: Sendable, Hashable {
  /// No connection: refused, unreachable, or not in time. The backend saw nothing of the request.
  case connectFailed
  /// The TLS handshake failed or was too slow. The backend saw nothing of the request.
  case handshakeFailed
  /// The connection ended after (part of) the request was sent and before any byte of an answer. `reused`: it had
  /// answered an earlier request, so the backend may simply have given up an idle connection (RFC 9112 9.3.1).
  case closedBeforeByte(reused: Bool)
  /// No byte of an answer in time. The backend may well be working on it.
  case firstByteTimedOut
  /// A whole response head came, with this status.
  case status(Int)
  /// The answer began, and then broke or made no sense.
  case brokenAnswer
}

/// What to do about a failed attempt.
public enum RetryAction: Sendable, Hashable {
  /// Send it once more to the same endpoint, on a fresh connection.
  case retrySame
  /// Send it to an endpoint that was not tried; when there is none, `fail`.
  case elsewhere
  /// Give the failure to the client (a status: the backend's own answer).
  case fail
}

/// Which failures are worth another attempt.
public struct RetryPolicy: Sendable, Hashable {
  /// Attempts in all, the first included. At least 1. The one transparent retry of a reused connection is not counted.
  public var attemptsMax: Int
  /// Whether a request that may have begun to run is sent elsewhere. Inference is repeatable, but costs twice.
  public var afterClose: Bool
  /// Whether to send it elsewhere when no byte came in time. Off by default: the first backend may still be computing.
  public var afterTimeout: Bool
  /// Statuses that are sent elsewhere.
  public var statuses: Set<Int>

  public init(
    attemptsMax: Int = 3, afterClose: Bool = true, afterTimeout: Bool = false, statuses: Set<Int> = [502, 503, 504]
  ) {
    self.attemptsMax = max(attemptsMax, 1)
    self.afterClose = afterClose
    self.afterTimeout = afterTimeout
    self.statuses = statuses
  }

  /// Only the transparent retry.
  public static let none = RetryPolicy(attemptsMax: 1)

  func allowsElsewhere(after failure: AttemptFailure) -> Bool {
    switch failure {
    case .connectFailed, .handshakeFailed: true
    case .closedBeforeByte: afterClose
    case .firstByteTimedOut: afterTimeout
    case .status(let status): statuses.contains(status)
    case .brokenAnswer: false
    }
  }
}

/// The attempts of one exchange.
public struct Attempts: Sendable {
  /// Attempts that were made or are under way, transparent ones not counted.
  public private(set) var count = 1
  private var hasRetriedSame = false

  public init() {}

  /// Decides what follows `failure`.
  ///
  /// - Parameters:
  ///   - canReplay: all bytes of the request that were sent are still kept, or none was sent.
  ///   - clientHasBytes: a byte of an answer has reached the client. Then nothing is ever sent again.
  ///   - budget: pays for attempts elsewhere; the transparent retry is free, as the backend did nothing the first time.
  public mutating func decide(
    after failure: AttemptFailure, canReplay: Bool, clientHasBytes: Bool, policy: RetryPolicy,
    budget: inout RetryBudget, now: UInt64
  ) -> RetryAction {
    guard canReplay, !clientHasBytes else { return .fail }
    if failure == .closedBeforeByte(reused: true), !hasRetriedSame {
      hasRetriedSame = true
      return .retrySame
    }
    guard count < policy.attemptsMax, policy.allowsElsewhere(after: failure), budget.withdraw(now: now) else {
      return .fail
    }
    count += 1
    return .elsewhere
  }
}
