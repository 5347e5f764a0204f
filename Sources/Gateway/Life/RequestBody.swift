// The body of a request that is held: to read its model, and to send it again when a reused connection turns out dead.
// It is either borrowed from the loop's room for one turn, or kept in chunks of its own.

import Bytes
import Reactor

/// A request body that is whole, or growing.
struct RequestBody {
  /// Bytes that are valid only until the loop's room is read into again.
  private(set) var borrowed: UnsafeRawBufferPointer?
  private var kept = ChunkQueue()
  /// Length so far in bytes.
  private(set) var count = 0

  /// What is sent in place of a range of the body. An empty range is a place where bytes are put in.
  struct Edit {
    let range: Range<Int>
    let bytes: Chunk
  }

  /// In the order of their places; no two overlap. Few: each is looked for along the whole body. Nil is none, and costs no
  /// count of references where the body is copied.
  private var made: [Edit]?
  var edits: [Edit] { made ?? [] }
  /// Bytes that the edits add, less those they take.
  private var growth = 0

  /// Length as it goes to the upstream.
  var sentCount: Int { count + growth }

  /// A whole body that lies in the loop's room.
  mutating func borrow(_ bytes: UnsafeRawBufferPointer) {
    borrowed = bytes
    count = bytes.count
  }

  /// Keeps the borrowed bytes beyond this turn: a large body takes the room with it, a small one is copied.
  mutating func keep(_ loop: Loop) {
    guard let bytes = borrowed else { return }
    borrowed = nil
    append(bytes, loop)
  }

  /// Adds bytes that lie in the loop's room or elsewhere. `count` was raised by `borrow` when they were borrowed.
  private mutating func append(_ bytes: UnsafeRawBufferPointer, _ loop: Loop) {
    let room = loop.room
    let start = UInt(bitPattern: room.base)
    let at = UInt(bitPattern: bytes.baseAddress)
    if bytes.count >= Self.handOverBytesMin, at >= start, at &+ UInt(bytes.count) <= start &+ UInt(room.capacity) {
      _ = loop.handOverRoom()
      kept.append(Chunk(slab: room, offset: Int(at &- start), count: bytes.count))
    } else {
      kept.append(Chunk(copying: bytes))
    }
  }

  /// Adds a piece that has just been read into the loop's room. `expected` is how much of the body is known to follow.
  mutating func hold(_ bytes: UnsafeRawBufferPointer, expected: Int, _ loop: Loop) {
    guard bytes.count > 0 else { return }
    count += bytes.count
    if let room = kept.tailRoom(atLeast: bytes.count) {
      room.copyMemory(from: bytes)
      kept.commit(bytes.count)
    } else if bytes.count >= Self.handOverBytesMin {
      append(bytes, loop)
    } else {
      // Where nothing is known to follow (chunks), as much room again as there is already: small chunks share a slab.
      grow(expected: max(bytes.count + expected, count))
      guard let room = kept.tailRoom(atLeast: bytes.count) else { return append(bytes, loop) }
      room.copyMemory(from: bytes)
      kept.commit(bytes.count)
    }
  }

  /// Room to read the next piece of the body into directly, at most `limit` bytes.
  mutating func room(expected: Int) -> UnsafeMutableRawBufferPointer? {
    guard expected > 0 else { return nil }
    if kept.tailRoom(atLeast: 1) == nil { grow(expected: expected) }
    guard let room = kept.tailRoom(atLeast: 1) else { return nil }
    return UnsafeMutableRawBufferPointer(rebasing: room[..<min(room.count, expected)])
  }

  /// Takes in what was read into `room`.
  mutating func commit(_ amount: Int) {
    kept.commit(amount)
    count += amount
  }

  /// The bytes of `range` will be sent as `bytes`; behind an earlier edit of the same place, where the range is empty. False,
  /// and nothing is changed, when it is not all within the body or another edit has a part of it.
  @discardableResult
  mutating func replace(_ range: Range<Int>, with bytes: [UInt8]) -> Bool {
    guard range.lowerBound >= 0, range.upperBound <= count else { return false }
    let place = edits.firstIndex { $0.range.upperBound > range.lowerBound } ?? edits.count
    guard place == edits.count || range.upperBound <= edits[place].range.lowerBound else { return false }
    made = edits
    made?.insert(Edit(range: range, bytes: bytes.withUnsafeBytes { Chunk(copying: $0) }), at: place)
    growth += bytes.count - range.count
    return true
  }

  mutating func removeAll() {
    borrowed = nil
    kept.removeAll()
    made = nil
    growth = 0
    count = 0
  }

  /// Lends the runs of the body as it came.
  func lendEach(_ body: (UnsafeRawBufferPointer) -> Bool) {
    if let borrowed {
      _ = body(borrowed)
    } else {
      kept.lendEach(body)
    }
  }

  /// The body as it came, copied; nil when it is longer than `limit`.
  func copied(upTo limit: Int) -> [UInt8]? {
    guard count <= limit else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    lendEach { run in
      bytes.append(contentsOf: run)
      return true
    }
    return bytes
  }

  /// Lends the runs of the body as it goes to the upstream, after the first `skip` bytes of that.
  func lendSent(skipping skip: Int, _ body: (UnsafeRawBufferPointer) -> Bool) {
    var skip = skip
    var from = 0
    guard let made else {
      _ = lend(0..<count, skipping: &skip, body)
      return
    }
    for edit in made {
      guard lend(from..<edit.range.lowerBound, skipping: &skip, body) else { return }
      from = edit.range.upperBound
      if skip < edit.bytes.count {
        guard body(UnsafeRawBufferPointer(rebasing: edit.bytes.bytes[skip...])) else { return }
        skip = 0
      } else {
        skip -= edit.bytes.count
      }
    }
    _ = lend(from..<count, skipping: &skip, body)
  }

  /// Lends a part of the body as it came, after the first `skip` bytes of it; what is skipped is taken off. False when
  /// `body` wants no more.
  private func lend(_ part: Range<Int>, skipping skip: inout Int, _ body: (UnsafeRawBufferPointer) -> Bool) -> Bool {
    guard skip < part.count else {
      skip -= part.count
      return true
    }
    let from = part.lowerBound + skip
    skip = 0
    let to = part.upperBound
    var at = 0
    var proceed = true
    lendEach { run in
      let end = at + run.count
      defer { at = end }
      let low = max(from, at)
      let high = min(to, end)
      guard low < high else { return end < to }
      proceed = body(UnsafeRawBufferPointer(rebasing: run[(low - at)..<(high - at)]))
      return proceed
    }
    return proceed
  }

  private mutating func grow(expected: Int) {
    // Never more than 256 KiB for a promise: a client that announces much and sends nothing costs little.
    kept.appendEmpty(Slab(capacity: min(max(expected, 1024), 256 << 10)))
  }

  /// From this size on it is cheaper to give the room away than to copy.
  private static let handOverBytesMin = 16 << 10
}
