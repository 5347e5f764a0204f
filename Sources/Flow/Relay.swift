// One direction of body between two sockets: counts the bytes that wait and says when to pause the source, when to go
// on, and when everything was delivered. Owned by an exchange; it never touches a socket and holds no bytes.
//
//   flowing ──pending ≥ high──▶ paused          sourceEnded (from either) ──▶ ending ──pending = 0──▶ closed
//      ◀──────pending ≤ low───────┘             sourceEnded with nothing pending ──▶ closed; close() from anywhere

/// The decision of one direction of body. Events come in as methods, the deed to do comes back as an `Action`.
///
/// `.closed` is terminal: nothing leaves it, and every later event answers `.none`. Such late events are normal, for
/// example a socket that turns writable in the same turn in which the exchange was given up.
public enum Relay: ~Copyable {
  /// The source is read; `pending` bytes wait for the sink, fewer than the high mark.
  case flowing(pending: Int)
  /// The source is not read until the sink has taken all but the low mark.
  case paused(pending: Int)
  /// The source is over; what waits still drains.
  case ending(pending: Int)
  /// Delivered or given up. Terminal.
  case closed

  /// What the owner of the two sockets has to do now.
  public enum Action: Sendable, Hashable {
    /// Nothing changes.
    case none
    /// Stop reading the source (keep its hang-up armed).
    case pauseReading
    /// Read the source again.
    case resumeReading
    /// The source is over and its last byte was delivered. Said exactly once.
    case finish
  }

  /// A relay that has seen nothing.
  public init() { self = .flowing(pending: 0) }

  /// Bytes that came from the source and are not yet taken by the sink.
  public var pending: Int {
    switch self {
    case .flowing(let pending): pending
    case .paused(let pending): pending
    case .ending(let pending): pending
    case .closed: 0
    }
  }

  /// Whether reading the source was stopped by `.pauseReading`.
  public var isPaused: Bool {
    switch self {
    case .paused: true
    default: false
    }
  }

  /// Whether the source is over while bytes still wait for the sink.
  public var isEnding: Bool {
    switch self {
    case .ending: true
    default: false
    }
  }

  /// Whether this direction is over, delivered or given up.
  public var isClosed: Bool {
    switch self {
    case .closed: true
    default: false
    }
  }

  /// `count` new bytes came from the source, and the kernel took `accepted` bytes of what waits, old ones included.
  ///
  /// New bytes while paused are no mistake: a TLS layer gives out what it had already decrypted. New bytes while ending
  /// are the gateway's own, such as the last chunk after a source of another framing.
  public mutating func wrote(_ count: Int, accepted: Int, marks: Watermarks) -> Action {
    settle(adding: count, taking: accepted, marks: marks)
  }

  /// The sink took `accepted` of the waiting bytes.
  public mutating func drained(_ accepted: Int, marks: Watermarks) -> Action {
    settle(adding: 0, taking: accepted, marks: marks)
  }

  /// The source will send no more. Answers `.finish` at once when nothing waits.
  public mutating func sourceEnded() -> Action {
    switch consume self {
    case .flowing(let pending): self = .ending(pending: pending)
    case .paused(let pending): self = .ending(pending: pending)
    case .ending(let pending): self = .ending(pending: pending)
    case .closed: self = .closed
    }
    return finishIfDelivered()
  }

  /// Gives up this direction: the sink went away, or the exchange failed.
  public mutating func close() { self = .closed }

  private mutating func settle(adding count: Int, taking accepted: Int, marks: Watermarks) -> Action {
    switch consume self {
    case .flowing(let pending):
      let left = Self.balance(pending, adding: count, taking: accepted)
      guard left >= marks.high else {
        self = .flowing(pending: left)
        return .none
      }
      self = .paused(pending: left)
      return .pauseReading
    case .paused(let pending):
      let left = Self.balance(pending, adding: count, taking: accepted)
      guard left <= marks.low else {
        self = .paused(pending: left)
        return .none
      }
      self = .flowing(pending: left)
      return .resumeReading
    case .ending(let pending):
      self = .ending(pending: Self.balance(pending, adding: count, taking: accepted))
      return finishIfDelivered()
    case .closed:
      self = .closed
      return .none
    }
  }

  private mutating func finishIfDelivered() -> Action {
    guard isEnding, pending == 0 else { return .none }
    self = .closed
    return .finish
  }

  /// Never below zero and never past `Int.max`: a wrong count stalls or hurries one exchange, it does not trap.
  private static func balance(_ pending: Int, adding count: Int, taking accepted: Int) -> Int {
    let (sum, overflow) = pending.addingReportingOverflow(max(count, 0))
    return max((overflow ? Int.max : sum) - max(accepted, 0), 0)
  }
}
