// Keys that were good once, known again by a short tag: a client sends the same key with every request, and its SHA-256 costs
// more than all the rest that is done about it. Shared by all cores, without locks.

import Synchronization

/// One tag for each key of a configuration, set when the key was first shown.
///
/// A tag is the key's SipHash under a secret of this process (Swift's own, and 128 bits more), so it tells nothing about
/// the key, and nobody outside can make another text with the same one but by trying 2^64 of them here.
final class SeenKeys: Sendable {
  private struct Slot: ~Copyable {
    /// 0 is no key yet.
    let tag = Atomic<UInt64>(0)
  }

  // SAFETY: allocated and initialised by init, released by deinit; what lies there is atomic.
  private nonisolated(unsafe) let slots: UnsafeMutablePointer<Slot>
  private let count: Int
  private let secret: (UInt64, UInt64)

  init(count: Int) {
    self.count = count
    slots = .allocate(capacity: max(count, 1))
    for index in 0..<count { (slots + index).initialize(to: Slot()) }
    var random = SystemRandomNumberGenerator()
    secret = (random.next(), random.next())
  }

  deinit {
    slots.deinitialize(count: count)
    slots.deallocate()
  }

  func tag(of key: UnsafeRawBufferPointer) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(secret.0)
    hasher.combine(secret.1)
    hasher.combine(bytes: key)
    let tag = UInt64(bitPattern: Int64(hasher.finalize()))
    return tag == 0 ? 1 : tag
  }

  /// The key that `tag` was kept for.
  func find(_ tag: UInt64) -> Int? {
    for index in 0..<count where slots[index].tag.load(ordering: .relaxed) == tag { return index }
    return nil
  }

  func keep(_ tag: UInt64, _ index: Int) {
    guard index >= 0, index < count else { return }
    slots[index].tag.store(tag, ordering: .relaxed)
  }
}
