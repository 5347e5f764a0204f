// A run of bytes inside a slab. Chunks are what connections keep when bytes have to wait.

/// A read-only run of bytes that keeps its slab alive.
public struct Chunk {
  /// The memory behind the bytes.
  public let slab: Slab
  /// Where the run begins in the slab, in bytes.
  public private(set) var offset: Int
  /// Length of the run in bytes.
  public private(set) var count: Int

  /// A run of `count` bytes at `offset`. A run that does not fit into the slab is cut to what fits.
  @inlinable
  public init(slab: Slab, offset: Int, count: Int) {
    let start = min(max(offset, 0), slab.capacity)
    self.init(slab: slab, fitting: start, min(max(count, 0), slab.capacity - start))
  }

  @usableFromInline
  init(slab: Slab, fitting offset: Int, _ count: Int) {
    self.slab = slab
    self.offset = offset
    self.count = count
  }

  /// A chunk with a slab of its own that is exactly large enough for a copy of `bytes`.
  public init(copying bytes: UnsafeRawBufferPointer) {
    let slab = Slab(capacity: bytes.count)
    slab.room.copyMemory(from: bytes)
    self.init(slab: slab, fitting: 0, bytes.count)
  }

  /// The bytes. Valid only while this chunk, or another reference to its slab, is alive.
  public var bytes: UnsafeRawBufferPointer {
    // SAFETY: offset and count were cut to the slab's capacity by the initialiser and only shrink.
    UnsafeRawBufferPointer(start: slab.base + offset, count: count)
  }

  /// Forgets the first `amount` bytes (all of them when there are fewer).
  public mutating func dropFirst(_ amount: Int) {
    let cut = min(max(amount, 0), count)
    offset += cut
    count -= cut
  }

  /// Takes in `amount` bytes that were written into the slab right behind this run.
  public mutating func extend(by amount: Int) {
    count += min(max(amount, 0), slab.capacity - offset - count)
  }
}
