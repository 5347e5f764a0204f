// How many unsent bytes stop a source and how few let it go on. An immutable value from the configuration, shared by
// every relay; it never counts anything itself.

/// The two marks of backpressure, in unsent bytes of one direction of one exchange.
public struct Watermarks: Sendable, Hashable {
  /// At this many unsent bytes, reading from the source stops. At least 1.
  public let high: Int
  /// At this many unsent bytes or fewer, reading goes on. Less than `high`, at least 0.
  public let low: Int

  /// Marks at `high` and `low`. What makes no sense is cut: `high` to at least 1, `low` into `0..<high`.
  public init(high: Int, low: Int) {
    self.high = max(high, 1)
    self.low = min(max(low, 0), self.high - 1)
  }

  /// One read room (64 KiB) high, a quarter of it low.
  public static let standard = Watermarks(high: 64 * 1024, low: 16 * 1024)
}
