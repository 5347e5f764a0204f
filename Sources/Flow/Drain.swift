// How a core stops: readiness flips and listeners close at once, exchanges finish within the drain time, then what is
// left is cut. One per core; it closes nothing itself and reads no clock.
//
//   serving ──begin──▶ draining ──no exchange left──▶ over        begin again, or the deadline ──▶ cut what is left, over

/// The drain machine of one core. `.over` is terminal.
public enum Drain: Sendable, Hashable {
  /// Normal work.
  case serving
  /// Since `since`, until `deadline` at the latest (nanoseconds, monotonic).
  case draining(since: UInt64, deadline: UInt64)
  /// Nothing is left to wait for. `cut` when exchanges were still running.
  case over(cut: Bool)

  /// What the core has to do now.
  public enum Action: Sendable, Hashable {
    case none
    /// Say "not ready", close the listeners and the connections without an exchange; arm a timer for the deadline.
    case closeListeners
    /// End what still runs, each in the honest way of its phase; then stop the loop.
    case cutExchanges
    /// Stop the loop.
    case stop
  }

  public init() { self = .serving }

  /// Whether the readiness page says yes.
  public var isReady: Bool { self == .serving }
  /// Whether a connection may take another request after its answer. If not, the answer says `Connection: close`
  /// (RFC 9112 9.6).
  public var keepsAlive: Bool { self == .serving }
  /// Whether all is done.
  public var isOver: Bool {
    if case .over = self { true } else { false }
  }
  /// When to call `ticked`; nil unless draining.
  public var deadline: UInt64? {
    if case .draining(_, let deadline) = self { deadline } else { nil }
  }

  /// The operator asked to stop, with `grace` nanoseconds for running exchanges. Asking again means: now.
  public mutating func begin(now: UInt64, grace: UInt64, exchanges: Int) -> Action {
    switch self {
    case .serving:
      let (deadline, overflow) = now.addingReportingOverflow(grace)
      self = .draining(since: now, deadline: overflow ? .max : deadline)
      return .closeListeners
    case .draining:
      return end(exchanges: exchanges)
    case .over:
      return .none
    }
  }

  /// Time passed, or an exchange finished; `exchanges` still run. After `.closeListeners` call it once at once: with
  /// nothing running there is nothing to wait for.
  public mutating func ticked(now: UInt64, exchanges: Int) -> Action {
    guard case .draining(_, let deadline) = self, exchanges <= 0 || now >= deadline else { return .none }
    return end(exchanges: exchanges)
  }

  private mutating func end(exchanges: Int) -> Action {
    self = .over(cut: exchanges > 0)
    return exchanges > 0 ? .cutExchanges : .stop
  }
}
