// A block of memory that bytes are read into and written from. One idea of ownership for the whole program: whoever
// holds a reference to a slab keeps its memory alive, and nobody frees by hand. A slab lives on one core.

/// A block of raw memory of fixed size.
///
/// The loop reads every socket into one shared slab. When a peer's socket is full, the slab changes owner (the waiting
/// connection keeps it, the loop allocates another), so that bytes are never copied to make room.
public final class Slab {
  /// First byte of the block.
  public let base: UnsafeMutableRawPointer
  /// Size of the block in bytes.
  public let capacity: Int

  /// Allocates a block of `capacity` bytes, at least one.
  public init(capacity: Int) {
    let size = max(capacity, 1)
    base = .allocate(byteCount: size, alignment: 16)
    self.capacity = size
  }

  deinit { base.deallocate() }

  /// The whole block.
  @inlinable
  public var room: UnsafeMutableRawBufferPointer {
    // SAFETY: `base` is valid for `capacity` bytes while self is; callers use the buffer only while they hold self.
    UnsafeMutableRawBufferPointer(start: base, count: capacity)
  }
}

@available(*, unavailable)
extension Slab: Sendable {}
