// The bytes of a head that did not come in one read, or that outlive the read they came in. Contiguous, bounded.

import Bytes
import Wire

/// A growing run of bytes, at most as large as a head may be.
struct HeadStore {
  private var slab: Slab?
  private var count = 0

  var isEmpty: Bool { count == 0 }

  /// The bytes. Valid while the store, or a copy of it, is kept and nothing is appended.
  var bytes: UnsafeRawBufferPointer {
    guard let slab else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    // SAFETY: `count` never passes the slab's capacity, and the slab is held by self.
    return UnsafeRawBufferPointer(start: slab.base, count: count)
  }

  /// Where the first byte of `head` lies, whose last byte is the store's: empty lines may stand in front of it.
  func base(of head: Head) -> UnsafeRawPointer? {
    guard head.byteCount <= count else { return nil }
    return bytes.baseAddress.map { $0 + (count - head.byteCount) }
  }

  /// Adds `bytes`. Beyond `limit` nothing is added: the parser has refused the head by then.
  mutating func append(_ bytes: UnsafeRawBufferPointer, limit: Int) {
    // Empty lines in front of a head come on top of the limit.
    guard count + bytes.count <= limit + 1024 else { return }
    let needed = count + bytes.count
    if slab.map({ $0.capacity < needed }) ?? true {
      let larger = Slab(capacity: max(needed, min(needed * 2, limit + 1024), 1024))
      larger.room.copyMemory(from: self.bytes)
      slab = larger
    }
    guard let slab else { return }
    UnsafeMutableRawBufferPointer(rebasing: slab.room[count...]).copyMemory(from: bytes)
    count = needed
  }

  mutating func removeAll() {
    slab = nil
    count = 0
  }
}
