import Bytes
import Testing

/// A slab whose bytes are 0, 1, 2, … (mod 256).
func numbered(_ capacity: Int) -> Slab {
  let slab = Slab(capacity: capacity)
  for index in 0..<capacity { slab.room[index] = UInt8(truncatingIfNeeded: index) }
  return slab
}

@Suite("Slab")
struct SlabTests {
  @Test("a slab has the size that was asked for, at least a byte", arguments: [(64, 64), (1, 1), (0, 1), (-7, 1)])
  func size(asked: Int, capacity: Int) {
    let slab = Slab(capacity: asked)
    #expect(slab.capacity == capacity && slab.room.count == capacity)
    #expect(slab.room.baseAddress == slab.base)
  }

  @Test("what is written stays")
  func keeps() {
    let slab = numbered(300)
    withExtendedLifetime(slab) { #expect(Array(slab.room) == (0..<300).map { UInt8(truncatingIfNeeded: $0) }) }
  }
}

@Suite("Chunk")
struct ChunkTests {
  @Test(
    "a run that does not fit is cut to what fits",
    arguments: [
      // offset, count, bytes that result
      (0, 10, 0..<10), (3, 4, 3..<7), (3, 40, 3..<10), (10, 5, 10..<10), (11, 5, 10..<10), (-2, 4, 0..<4),
      (4, -1, 4..<4), (.max, .max, 10..<10), (.min, .max, 0..<10), (9, 1, 9..<10), (2, .max, 2..<10),
    ] as [(Int, Int, Range<Int>)])
  func cut(offset: Int, count: Int, expected: Range<Int>) {
    let chunk = Chunk(slab: numbered(10), offset: offset, count: count)
    #expect(chunk.offset == expected.lowerBound && chunk.count == expected.count)
    #expect(Array(chunk.bytes) == expected.map { UInt8($0) })
  }

  @Test("dropping forgets from the front, never more than there is", arguments: [-1, 0, 1, 5, 6, 7, .max, .min])
  func drop(amount: Int) {
    var chunk = Chunk(slab: numbered(10), offset: 2, count: 6)
    chunk.dropFirst(amount)
    #expect(Array(chunk.bytes) == Array((2..<8).map { UInt8($0) }.dropFirst(min(max(amount, 0), 6))))
  }

  @Test("extending takes in what follows, never past the slab", arguments: [-1, 0, 1, 2, 3, .max])
  func extend(amount: Int) {
    var chunk = Chunk(slab: numbered(10), offset: 2, count: 6)
    chunk.extend(by: amount)
    #expect(Array(chunk.bytes) == Array((2..<10).map { UInt8($0) }.prefix(6 + min(max(amount, 0), 2))))
  }

  @Test("a copy does not follow its source, and may be empty", arguments: [0, 1, 9])
  func copy(count: Int) {
    var source = (0..<count).map { UInt8($0) }
    let chunk = source.withUnsafeBytes { Chunk(copying: $0) }
    for index in source.indices { source[index] = 99 }
    #expect(Array(chunk.bytes) == (0..<count).map { UInt8($0) })
    #expect(chunk.slab.capacity == max(count, 1))
  }

  @Test("a chunk keeps its slab alive, and lets it go")
  func alive() {
    weak var slab: Slab?
    do {
      let chunk: Chunk
      do {
        let made = numbered(10)
        slab = made
        chunk = Chunk(slab: made, offset: 1, count: 2)
      }
      #expect(slab != nil && Array(chunk.bytes) == [1, 2])
    }
    #expect(slab == nil)
  }
}
