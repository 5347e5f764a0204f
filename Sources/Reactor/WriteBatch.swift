// Pieces of memory that leave in one system call. Each loop owns one and lends it to whoever is writing just now; it
// keeps addresses only, never bytes, so what was added must stay alive until the write.

import Glibc

/// A list of runs of bytes for one gathered write.
public final class WriteBatch {
  /// Pieces that fit.
  public static let capacity = 64

  let pieces: UnsafeMutablePointer<iovec>
  /// Pieces added.
  public private(set) var count = 0
  /// Bytes in all pieces.
  public private(set) var byteCount = 0

  public init() { pieces = .allocate(capacity: Self.capacity) }

  deinit { pieces.deallocate() }

  /// The piece at `index`; an empty one when there is none.
  public subscript(index: Int) -> UnsafeRawBufferPointer {
    guard index >= 0, index < count else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    // SAFETY: `index` is below `count`, so the piece was initialised; its memory is alive by the caller's promise.
    return UnsafeRawBufferPointer(start: pieces[index].iov_base, count: pieces[index].iov_len)
  }

  /// Forgets all pieces.
  public func reset() {
    count = 0
    byteCount = 0
  }

  /// Adds `bytes` behind the others. False when the batch is full; an empty run is ignored.
  @discardableResult
  public func add(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return true }
    guard count < Self.capacity else { return false }
    // SAFETY: `count` is below the capacity that was allocated. The kernel only reads through iov_base.
    (pieces + count).initialize(to: iovec(iov_base: UnsafeMutableRawPointer(mutating: base), iov_len: bytes.count))
    count += 1
    byteCount += bytes.count
    return true
  }
}

@available(*, unavailable)
extension WriteBatch: Sendable {}
