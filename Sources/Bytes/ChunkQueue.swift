// Bytes that wait for a socket to take them, in order. An empty queue owns no memory.

/// A first-in, first-out queue of chunks.
public struct ChunkQueue {
  private var chunks: [Chunk] = []
  private var head = 0
  /// Bytes waiting, in total.
  public private(set) var byteCount = 0

  public init() {}

  public var isEmpty: Bool { byteCount == 0 }
  /// Chunks waiting.
  public var chunkCount: Int { chunks.count - head }

  /// Adds `chunk` at the end; an empty one is dropped.
  public mutating func append(_ chunk: Chunk) {
    guard chunk.count > 0 else { return }
    chunks.append(chunk)
    byteCount += chunk.count
  }

  /// Adds an empty slab at the end, for `tailRoom` to lend. It counts for nothing until bytes are committed to it.
  public mutating func appendEmpty(_ slab: Slab) {
    chunks.append(Chunk(slab: slab, offset: 0, count: 0))
  }

  /// Removes the first `amount` bytes, releasing the slabs they leave.
  public mutating func consume(_ amount: Int) {
    var left = min(max(amount, 0), byteCount)
    byteCount -= left
    while left > 0 {
      let size = chunks[head].count
      if left < size {
        chunks[head].dropFirst(left)
        break
      }
      left -= size
      head += 1
    }
    // An empty slab at the end has no bytes to leave by.
    if byteCount == 0 { head = chunks.count }
    guard head > 0 else { return }
    if head == chunks.count {
      chunks = []
      head = 0
    } else {
      // Slabs are large: what was sent is released now, not when the queue happens to run empty.
      chunks.removeFirst(head)
      head = 0
    }
  }

  /// Drops everything.
  public mutating func removeAll() {
    chunks = []
    head = 0
    byteCount = 0
  }

  /// Calls `body` with each run in order until it returns false.
  public func lendEach(_ body: (UnsafeRawBufferPointer) -> Bool) {
    for index in head..<chunks.count where !body(chunks[index].bytes) { return }
  }

  /// Lends the free memory behind the last chunk, if its slab has at least `minimum` bytes left there: bytes that must
  /// wait anyway are read straight to where they will wait.
  ///
  /// The caller must be the only one that appends to that slab; `commit(_:)` takes what was written.
  public func tailRoom(atLeast minimum: Int) -> UnsafeMutableRawBufferPointer? {
    guard let last = chunks.last, head < chunks.count else { return nil }
    let end = last.offset + last.count
    let free = last.slab.capacity - end
    guard free >= max(minimum, 1) else { return nil }
    // SAFETY: `end + free` is the slab's capacity, and the queue's chunk keeps the slab alive.
    return UnsafeMutableRawBufferPointer(start: last.slab.base + end, count: free)
  }

  /// Takes in `amount` bytes that were written into `tailRoom`.
  public mutating func commit(_ amount: Int) {
    guard head < chunks.count else { return }
    let before = chunks[chunks.count - 1].count
    chunks[chunks.count - 1].extend(by: amount)
    byteCount += chunks[chunks.count - 1].count - before
  }
}
