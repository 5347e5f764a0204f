// Client connections of all cores together: what a bound on them is held against.

import Synchronization

/// A count that all cores share.
public final class Tally: Sendable {
  private let count = Atomic<Int>(0)

  public init() {}

  /// Counts one more, if there are fewer than `max` (0 is no bound).
  func enter(max: Int) -> Bool {
    let before = count.wrappingAdd(1, ordering: .relaxed).oldValue
    guard max > 0, before >= max else { return true }
    leave()
    return false
  }

  /// Counts one less.
  func leave() { count.wrappingSubtract(1, ordering: .relaxed) }
}
