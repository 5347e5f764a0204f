// How long a change may still begin: whoever was told that it failed must not find it done.

import Reactor
import Synchronization

/// What somebody waits for, until a time or until they have gone.
final class Patience: Sendable {
  /// On the monotonic clock.
  private let end: UInt64
  private let isGone = Atomic<Bool>(false)

  init(nanoseconds: UInt64) { end = Machine.monotonicNanoseconds() &+ nanoseconds }

  /// Nobody waits any more.
  func lose() { isGone.store(true, ordering: .releasing) }

  /// Throws where nothing may be changed any more.
  func check(_ path: String) throws(KeyStoreError) {
    if isGone.load(ordering: .acquiring) {
      throw KeyStoreError(.abandoned, path, "nobody waits for the change any more")
    }
    guard Machine.monotonicNanoseconds() < end else {
      throw KeyStoreError(
        .locked, path,
        "locked by another process for as long as a change waits; end what holds it (fuser tells who does)")
    }
  }
}
