// How many of something are under way for each key, across all cores of one process: exact, whichever cores they are on.

import Synchronization

/// Counts per key. A key that has none under way takes no room.
///
/// Entering and leaving take one of 64 locks for as long as it takes to look a number up: once per request and for limited
/// requests only, never while bytes pass.
public final class ConcurrencyTable: Sendable {
  private final class Stripe: Sendable {
    let counts = Mutex<[UInt64: Int]>([:])
  }

  private let stripes = (0..<64).map { _ in Stripe() }

  public init() {}

  /// Counts one more for `key`, unless `max` are under way already. Whoever was let in must `leave` once.
  public func enter(_ key: UInt64, max: Int) -> Bool {
    stripe(key).counts.withLock { counts in
      let count = counts[key, default: 0]
      guard count < max else { return false }
      counts[key] = count + 1
      return true
    }
  }

  /// One that had entered has ended.
  public func leave(_ key: UInt64) {
    stripe(key).counts.withLock { counts in
      guard let count = counts[key] else { return }
      counts[key] = count > 1 ? count - 1 : nil
    }
  }

  /// How many are under way for `key`.
  public func count(_ key: UInt64) -> Int { stripe(key).counts.withLock { $0[key] ?? 0 } }

  private func stripe(_ key: UInt64) -> Stripe { stripes[Int(truncatingIfNeeded: Mix.finish(key) >> 58)] }
}
