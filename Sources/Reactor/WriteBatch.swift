// Pieces of memory that leave in one system call. Each loop owns one and lends it to whoever is writing just now; it
// keeps addresses only, never bytes, so what was added must stay alive until the write.

import Glibc

/// A list of runs of bytes for one gathered write.
public final class WriteBatch {
  /// Pieces that fit.
  public static let capacity = 64

  let pieces: UnsafeMutablePointer<iovec>
  // Stored privately and read through getters: the compiler drops its run-time exclusivity checks only for what no
  // other module could touch, and there are several of them per write.
  private var used = 0
  private var bytes = 0

  /// Pieces added.
  public var count: Int { used }
  /// Bytes in all pieces.
  public var byteCount: Int { bytes }

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
    used = 0
    bytes = 0
  }

  /// Adds `run` behind the others. False when the batch is full; an empty run is ignored.
  @discardableResult
  public func add(_ run: UnsafeRawBufferPointer) -> Bool {
    guard let base = run.baseAddress, run.count > 0 else { return true }
    guard used < Self.capacity else { return false }
    // SAFETY: `used` is below the capacity that was allocated. The kernel only reads through iov_base.
    (pieces + used).initialize(to: iovec(iov_base: UnsafeMutableRawPointer(mutating: base), iov_len: run.count))
    used += 1
    bytes += run.count
    return true
  }
}

@available(*, unavailable)
extension WriteBatch: Sendable {}
