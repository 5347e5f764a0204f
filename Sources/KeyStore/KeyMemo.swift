// What a core remembers of the store: who showed which credential, for as long as nothing was committed. One memo for each
// core, under a lock that no other core asks for but when the store itself is exchanged.

import Plugins
import Synchronization

/// The memo of one core.
final class KeyMemo: Sendable {
  private struct State {
    /// Where commits are watched; nil while there is no store to watch.
    var index: WALIndex?
    /// What the index said when what is here was true.
    var version: WALIndex.Version?
    var identities = RecentEntries<Identity>(max: KeyMemo.entriesMax)
  }

  private let state = Mutex(State())
  /// More are not kept: about 1.5 MiB.
  static let entriesMax = 4096

  /// Whoever shows the credential with this tag, where that is still known to be so.
  func identity(_ tag: UInt64) -> Identity? {
    state.withLock { state in
      guard let index = state.index else { return nil }
      guard state.version == index.version else {
        state.identities.removeAll()
        return nil
      }
      return state.identities.find(tag) { _ in true }
    }
  }

  /// Keeps what was read when the index had said `version` in front of it, unless something was committed since, or the
  /// store is not the one of `isCurrent` any more.
  func keep(
    _ identity: Identity, _ tag: UInt64, _ index: WALIndex, _ version: WALIndex.Version, isCurrent: () -> Bool
  ) {
    state.withLock { state in
      // Within the lock: whoever exchanges the store says so first, and then empties every memo.
      guard isCurrent(), index.version == version else { return }
      if state.version != version { state.identities.removeAll() }
      state.index = index
      state.version = version
      state.identities.put(identity, tag)
    }
  }

  /// Forgets everything, the index above all: it is not looked at again.
  func clear() { state.withLock { $0 = State() } }

  /// How many are remembered; for tests, that the bound is kept and that nothing stays.
  var count: Int { state.withLock { $0.identities.count } }
}
