import Bytes
import Testing

@Suite("ChunkQueue")
struct ChunkQueueTests {
  /// The queue's bytes, read run by run; no run may be empty.
  static func content(_ queue: ChunkQueue) -> [UInt8] {
    var bytes: [UInt8] = []
    func read(_ run: UnsafeRawBufferPointer) -> Bool {
      #expect(!run.isEmpty)
      bytes += run
      return true
    }
    queue.lendEach(read)
    return bytes
  }

  /// Chunks of the given lengths whose bytes count up over the whole queue, each in the middle of a slab of its own.
  static func queue(_ lengths: [Int]) -> (queue: ChunkQueue, bytes: [UInt8]) {
    var queue = ChunkQueue()
    var bytes: [UInt8] = []
    for length in lengths {
      let slab = Slab(capacity: length + 6)
      for index in 0..<slab.capacity { slab.room[index] = 255 }
      for index in 0..<length {
        slab.room[3 + index] = UInt8(bytes.count)
        bytes.append(UInt8(bytes.count))
      }
      queue.append(Chunk(slab: slab, offset: 3, count: length))
    }
    return (queue, bytes)
  }

  static let shapes: [[Int]] = [
    [], [1], [5], [1, 1], [3, 4], [4, 1, 3], [2, 0, 2], [0], [1, 1, 1, 1, 1], [7, 7, 7],
  ]

  @Test("chunks come out in the order they went in, empty ones not at all", arguments: shapes)
  func order(lengths: [Int]) {
    let (queue, bytes) = Self.queue(lengths)
    #expect(Self.content(queue) == bytes)
    #expect(queue.byteCount == bytes.count && queue.isEmpty == bytes.isEmpty)
    #expect(queue.chunkCount == lengths.filter { $0 > 0 }.count)
  }

  @Test("consuming at every place leaves exactly the rest", arguments: shapes)
  func everyCut(lengths: [Int]) {
    let total = lengths.reduce(0, +)
    for cut in -1...(total + 1) {
      var (queue, bytes) = Self.queue(lengths)
      queue.consume(cut)
      #expect(Self.content(queue) == Array(bytes.dropFirst(max(cut, 0))), "cut at \(cut)")
      #expect(queue.byteCount == total - min(max(cut, 0), total) && queue.isEmpty == (queue.byteCount == 0))
    }
  }

  @Test("consuming in every two steps is consuming once", arguments: shapes)
  func everyTwoCuts(lengths: [Int]) {
    let total = lengths.reduce(0, +)
    for first in 0...total {
      for second in 0...(total - first) {
        var (queue, bytes) = Self.queue(lengths)
        queue.consume(first)
        queue.consume(second)
        #expect(Self.content(queue) == Array(bytes.dropFirst(first + second)), "cuts of \(first) and \(second)")
        #expect(queue.byteCount == total - first - second)
      }
    }
  }

  @Test("more may be appended after every cut", arguments: shapes)
  func appendAfterCut(lengths: [Int]) {
    let total = lengths.reduce(0, +)
    for cut in 0...total {
      var (queue, bytes) = Self.queue(lengths)
      queue.consume(cut)
      queue.append(Chunk(slab: numbered(4), offset: 1, count: 2))
      #expect(Self.content(queue) == Array(bytes.dropFirst(cut)) + [1, 2], "cut at \(cut)")
      queue.consume(.max)
      #expect(queue.isEmpty && queue.chunkCount == 0)
    }
  }

  @Test("a slab is let go as soon as its last byte is consumed")
  func release() {
    var queue = ChunkQueue()
    weak var first: Slab?
    weak var second: Slab?
    do {
      let slabs = (numbered(4), numbered(4))
      (first, second) = slabs
      queue.append(Chunk(slab: slabs.0, offset: 0, count: 4))
      queue.append(Chunk(slab: slabs.1, offset: 0, count: 4))
    }
    queue.consume(3)
    #expect(first != nil && second != nil)
    queue.consume(1)
    #expect(first == nil && second != nil)
    queue.consume(4)
    #expect(second == nil)
    do {
      let slab = numbered(4)
      first = slab
      queue.append(Chunk(slab: slab, offset: 0, count: 4))
    }
    #expect(first != nil)
    queue.removeAll()
    #expect(first == nil && queue.isEmpty)
  }

  @Test("reading stops where the reader says", arguments: 1...4)
  func stops(limit: Int) {
    let (queue, _) = Self.queue([1, 1, 1, 1, 1])
    var runs = 0
    func read(_ run: UnsafeRawBufferPointer) -> Bool {
      runs += 1
      return runs < limit
    }
    queue.lendEach(read)
    #expect(runs == limit)
  }

  @Test("a copy of a queue goes its own way")
  func valueSemantics() {
    var (queue, bytes) = Self.queue([3, 4])
    let before = queue
    queue.consume(5)
    #expect(Self.content(before) == bytes && Self.content(queue) == Array(bytes.dropFirst(5)))
  }
}

@Suite("ChunkQueue, tail room")
struct ChunkQueueTailTests {
  @Test("an empty queue lends nothing, before and after")
  func empty() {
    var queue = ChunkQueue()
    #expect(queue.tailRoom(atLeast: 0) == nil)
    queue.commit(5)
    #expect(queue.isEmpty)
    queue.append(Chunk(slab: numbered(10), offset: 0, count: 5))
    #expect(queue.tailRoom(atLeast: 1)?.count == 5)
    queue.consume(5)
    #expect(queue.tailRoom(atLeast: 1) == nil)
    queue.commit(5)
    #expect(queue.isEmpty && queue.chunkCount == 0)
  }

  @Test(
    "the room is what is free behind the last chunk, or nothing if that is too little",
    arguments: [(0, 6), (-1, 6), (1, 6), (6, 6), (7, nil), (.max, nil)] as [(Int, Int?)])
  func minimum(minimum: Int, room: Int?) {
    var queue = ChunkQueue()
    queue.append(Chunk(slab: numbered(100), offset: 0, count: 1))
    let last = numbered(10)
    queue.append(Chunk(slab: last, offset: 1, count: 3))
    let tail = queue.tailRoom(atLeast: minimum)
    #expect(tail?.count == room)
    #expect(tail == nil || tail?.baseAddress == last.base + 4)
  }

  @Test("a full slab lends nothing, not even nothing")
  func full() {
    var queue = ChunkQueue()
    queue.append(Chunk(slab: numbered(4), offset: 1, count: 3))
    #expect(queue.tailRoom(atLeast: 0) == nil)
    queue.commit(1)
    #expect(queue.byteCount == 3)
  }

  @Test("a commit takes in what fits, never more", arguments: [(-1, 0), (0, 0), (1, 1), (6, 6), (7, 6), (.max, 6)])
  func commit(amount: Int, taken: Int) {
    var queue = ChunkQueue()
    queue.append(Chunk(slab: numbered(10), offset: 0, count: 4))
    queue.commit(amount)
    #expect(queue.byteCount == 4 + taken)
    #expect(ChunkQueueTests.content(queue) == (0..<(4 + taken)).map { UInt8($0) })
  }

  /// A stream is read into the tail in pieces of `piece` bytes, a new slab is begun when the room is used up, and
  /// `taken` bytes are consumed after each piece.
  @Test("a stream written to the tail and consumed in any sizes comes out whole", arguments: 1...9, 0...9)
  func stream(piece: Int, taken: Int) {
    var queue = ChunkQueue()
    var (written, read) = (0, 0)
    var out: [UInt8] = []
    while written < 100 {
      let want = min(piece, 100 - written)
      var into: UnsafeMutableRawBufferPointer
      var fresh: Slab?
      if let room = queue.tailRoom(atLeast: want) {
        into = room
      } else {
        let slab = Slab(capacity: 16)
        fresh = slab
        into = slab.room
      }
      for index in 0..<want { into[index] = UInt8(written + index) }
      if let fresh { queue.append(Chunk(slab: fresh, offset: 0, count: want)) } else { queue.commit(want) }
      written += want
      out += ChunkQueueTests.content(queue).prefix(taken)
      queue.consume(taken)
      read = min(read + taken, written)
      #expect(queue.byteCount == written - read)
    }
    out += ChunkQueueTests.content(queue)
    #expect(out == (0..<100).map { UInt8($0) })
  }

  @Test("the tail may be consumed at every place between two commits", arguments: 0...8)
  func consumeBetweenCommits(cut: Int) {
    let slab = numbered(16)
    var queue = ChunkQueue()
    queue.append(Chunk(slab: slab, offset: 0, count: 4))
    queue.commit(4)
    queue.consume(cut)
    // At 8 the queue is empty and has let the slab go.
    #expect((queue.tailRoom(atLeast: 8) == nil) == (cut == 8))
    queue.commit(4)
    #expect(ChunkQueueTests.content(queue) == (cut == 8 ? [] : (cut..<12).map { UInt8($0) }))
  }
}
