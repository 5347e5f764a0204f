// How often one request is tried, and where. A value: a failed attempt in, what follows out.

/// What a failed attempt leaves open. The failure itself says it.
public enum AnotherAttempt: Sendable, Hashable {
  /// None: the endpoint may have begun to work, or an answer has begun.
  case never
  /// Once on a fresh connection, if the failed one had carried a request before: the endpoint may simply have given up an
  /// idle connection (RFC 9112, 9.3.1).
  case ifReused
  /// On another endpoint: this one has seen nothing of the request.
  case elsewhere
}

/// What follows a failed attempt.
public enum RetryAction: Sendable, Hashable {
  /// Send it once more to the same endpoint, on a fresh connection.
  case retrySame
  /// Send it to an endpoint that was not tried yet; when there is none, `fail`.
  case elsewhere
  /// Tell the client.
  case fail
}

/// The attempts of one request.
public struct Attempts: Sendable, Hashable {
  /// Endpoints that are tried at most.
  public static let endpointsMax = 4

  /// Attempts that were made or are under way.
  public private(set) var count = 0
  private var endpoints = 0
  private var hasReplayed = false

  public init() {}

  /// An endpoint was chosen.
  public mutating func began() {
    count += 1
    endpoints += 1
  }

  /// Decides what follows a failure that leaves `allowed` open.
  ///
  /// - Parameters:
  ///   - isReused: the connection had carried a request before.
  ///   - hasAnswer: a byte of an answer has come. Then nothing is ever sent again.
  ///   - canAddress: the request's head is still there to be written for another endpoint.
  public mutating func decide(
    _ allowed: AnotherAttempt, isReused: Bool, hasAnswer: Bool, canAddress: Bool
  ) -> RetryAction {
    guard !hasAnswer else { return .fail }
    switch allowed {
    case .never: return .fail
    case .ifReused:
      guard isReused, !hasReplayed else { return .fail }
      hasReplayed = true
      count += 1
      return .retrySame
    case .elsewhere: return canAddress && endpoints < Self.endpointsMax ? .elsewhere : .fail
    }
  }
}
