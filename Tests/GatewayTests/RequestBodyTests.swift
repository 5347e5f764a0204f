import Bytes
import Flow
import Reactor
import Testing

@testable import Gateway

@Suite("Request bodies")
struct RequestBodyTests {
  static let roomCapacity = 64 << 10

  /// A loop that never runs: a body needs its room, nothing else of it.
  static func withLoop<Result>(_ scene: (Loop) throws -> Result) throws -> Result {
    let loop = try Loop(roomCapacity: roomCapacity)
    defer { loop.close() }
    return try scene(loop)
  }

  /// Puts `bytes` into the loop's room at `offset`, as a read would.
  static func read(_ bytes: [UInt8], at offset: Int = 0, _ loop: Loop) -> UnsafeRawBufferPointer {
    let place = UnsafeMutableRawBufferPointer(rebasing: loop.room.room[offset..<(offset + bytes.count)])
    place.copyBytes(from: bytes)
    return UnsafeRawBufferPointer(place)
  }

  static func overwriteRoom(_ loop: Loop) { loop.room.room.initializeMemory(as: UInt8.self, repeating: 0xEE) }

  static func kept(_ body: RequestBody) -> [UInt8] {
    var all: [UInt8] = []
    body.lendEach {
      all += $0
      return true
    }
    return all
  }

  static func sent(_ body: RequestBody, skipping skip: Int = 0) -> [UInt8] {
    var all: [UInt8] = []
    body.lendSent(skipping: skip) {
      all += $0
      return true
    }
    return all
  }

  // MARK: Borrowing and keeping

  @Test("a borrowed body is lent where it lies")
  func borrow() throws {
    try Self.withLoop { loop in
      var body = RequestBody()
      let lent = Self.read(pattern(100), at: 7, loop)
      body.borrow(lent)
      #expect(body.count == 100)
      #expect(body.sentCount == 100)
      body.lendEach {
        #expect($0.baseAddress == lent.baseAddress)
        return true
      }
    }
  }

  @Test("a kept body outlives the room it was read into", arguments: [1, 100, 16383, 16384, 40_000, roomCapacity])
  func keep(_ count: Int) throws {
    try Self.withLoop { loop in
      var body = RequestBody()
      body.borrow(Self.read(pattern(count), loop))
      body.keep(loop)
      #expect(body.borrowed == nil)
      #expect(body.count == count)
      Self.overwriteRoom(loop)
      #expect(Self.kept(body) == pattern(count))
      body.keep(loop)
      #expect(Self.kept(body) == pattern(count), "keeping twice is keeping once")
    }
  }

  @Test("a large body takes the room with it, a small one leaves the room where it is")
  func handOver() throws {
    try Self.withLoop { loop in
      for (count, moves) in [(16383, false), (16384, true)] {
        var body = RequestBody()
        let room = loop.room
        let lent = Self.read(pattern(count), at: 11, loop)
        body.borrow(lent)
        body.keep(loop)
        #expect((loop.room !== room) == moves)
        body.lendEach {
          #expect(($0.baseAddress == lent.baseAddress) == moves, "copied exactly when the room stayed")
          return true
        }
      }
    }
  }

  @Test("an empty body keeps nothing and sends nothing")
  func empty() throws {
    try Self.withLoop { loop in
      var body = RequestBody()
      body.keep(loop)
      body.hold(UnsafeRawBufferPointer(start: nil, count: 0), expected: 10, loop)
      #expect(body.count == 0)
      #expect(Self.kept(body).isEmpty)
      #expect(Self.sent(body).isEmpty)
      #expect(body.room(expected: 0) == nil)
    }
  }

  // MARK: Growing

  @Test(
    "pieces of any size add up to the body they were cut from, whether or not its length is known",
    arguments: [1, 100, 4096, 16384, 65_536], [true, false])
  func hold(_ piece: Int, isLengthKnown: Bool) throws {
    let whole = pattern(min(200_000, piece * 700))
    try Self.withLoop { loop in
      var body = RequestBody()
      var at = 0
      while at < whole.count {
        let bytes = Array(whole[at..<min(at + piece, whole.count)])
        at += bytes.count
        body.hold(Self.read(bytes, loop), expected: isLengthKnown ? whole.count - at : 0, loop)
        if body.count == at, loop.room.capacity == Self.roomCapacity { Self.overwriteRoom(loop) }
      }
      #expect(body.count == whole.count)
      #expect(Self.kept(body) == whole)
    }
  }

  @Test("several pieces of one read, as chunked framing gives them, are kept in order")
  func chunkedPieces() throws {
    try Self.withLoop { loop in
      let first = pattern(20_000)
      let second = Array(pattern(30_000).reversed())
      let bytes = first + Array("\r\n7530\r\n".utf8) + second
      let lent = Self.read(bytes, loop)
      var body = RequestBody()
      body.hold(UnsafeRawBufferPointer(rebasing: lent[..<20_000]), expected: 0, loop)
      body.hold(UnsafeRawBufferPointer(rebasing: lent[20_008...]), expected: 0, loop)
      Self.overwriteRoom(loop)
      #expect(body.count == 50_000)
      #expect(Self.kept(body) == first + second)
    }
  }

  @Test("the room for the rest is never larger than the rest, nor than what a promise is worth")
  func roomIsBounded() {
    var body = RequestBody()
    let small = body.room(expected: 10)
    #expect(small?.count == 10)
    var promised = RequestBody()
    let large = promised.room(expected: 1 << 40)
    #expect(large?.count == 256 << 10)
  }

  @Test(
    "what is read into the room and committed is the body, at every size of step", arguments: [10, 70, 10_000, 50_000])
  func commit(_ step: Int) throws {
    let whole = pattern(300_000)
    try Self.withLoop { loop in
      var body = RequestBody()
      body.hold(Self.read(Array(whole[..<100]), loop), expected: whole.count - 100, loop)
      var at = 100
      while at < whole.count {
        guard let room = body.room(expected: whole.count - at) else { throw NoStage() }
        let count = min(step, room.count)
        room.copyBytes(from: whole[at..<(at + count)])
        // What was read is lent by the same call again: the scanner sees it before it is committed.
        let again = body.room(expected: count)
        #expect(again?.baseAddress == room.baseAddress)
        body.commit(count)
        at += count
      }
      #expect(body.count == whole.count)
      #expect(Self.kept(body) == whole)
    }
  }

  // MARK: Replacing

  /// One body in each form it can have: borrowed, in one chunk, and in several.
  static func forms(of whole: [UInt8], _ loop: Loop) -> [(String, RequestBody)] {
    var forms: [(String, RequestBody)] = []
    var pieces = RequestBody()
    for start in stride(from: 0, to: whole.count, by: 5) {
      // Without a known length each of these is a chunk of its own.
      pieces.hold(read(Array(whole[start..<min(start + 5, whole.count)]), loop), expected: 0, loop)
    }
    forms.append(("in chunks", pieces))
    var kept = RequestBody()
    kept.borrow(read(whole, loop))
    kept.keep(loop)
    forms.append(("kept", kept))
    var borrowed = RequestBody()
    borrowed.borrow(read(whole, at: 1000, loop))
    forms.append(("borrowed", borrowed))
    return forms
  }

  @Test(
    "what is sent after every skip is the naive concatenation",
    arguments: [0..<0, 0..<8, 0..<23, 9..<15, 10..<10, 5..<10, 15..<23, 23..<23],
    ["", "x", "much-longer-than-before-it-was"])
  func lendSent(_ range: Range<Int>, _ replacement: String) throws {
    let whole = Array("{\"model\":\"gpt\",\"n\":123}".utf8)
    #expect(whole.count == 23)
    let naive = Array(whole[..<range.lowerBound]) + Array(replacement.utf8) + Array(whole[range.upperBound...])
    try Self.withLoop { loop in
      for (form, unchanged) in Self.forms(of: whole, loop) {
        var body = unchanged
        #expect(body.sentCount == whole.count)
        for skip in 0...whole.count {
          #expect(Self.sent(body, skipping: skip) == Array(whole[skip...]), "\(form), \(skip)")
        }
        body.replace(range, with: Array(replacement.utf8))
        #expect(body.sentCount == naive.count)
        #expect(body.count == whole.count, "a replacement changes what is sent, not what came")
        #expect(Self.kept(body) == whole)
        for skip in 0...naive.count {
          #expect(Self.sent(body, skipping: skip) == Array(naive[skip...]), "\(form), \(range), after \(skip)")
        }
      }
    }
  }

  @Test("lending stops where it is told to")
  func lendingStops() throws {
    try Self.withLoop { loop in
      for (form, unchanged) in Self.forms(of: pattern(40), loop) {
        var body = unchanged
        body.replace(10..<20, with: [1, 2, 3])
        var runs = 0
        body.lendSent(skipping: 0) { _ in
          runs += 1
          return false
        }
        #expect(runs == 1, "\(form)")
      }
    }
  }

  @Test("a replacement outside of the body is none", arguments: [0..<24, 24..<30, -1..<3])
  func outside(_ range: Range<Int>) throws {
    try Self.withLoop { loop in
      var body = RequestBody()
      body.borrow(Self.read(pattern(23), loop))
      body.replace(range, with: [1, 2, 3])
      #expect(body.edits.isEmpty)
      #expect(Self.sent(body) == pattern(23))
    }
  }

  /// Edits by their places and texts, and what they make of twenty bytes; nil for one that cannot be made.
  static let several: [[(range: Range<Int>, text: String)]] = [
    [(20..<20, "end"), (3..<5, "x")],
    [(5..<5, "first"), (5..<5, "second"), (0..<0, "")],
    [(5..<5, "in front"), (5..<8, "in place"), (8..<8, "behind")],
    [(5..<8, "in place"), (8..<8, "behind"), (5..<5, "in front")],
    [(0..<20, ""), (20..<20, "tail"), (0..<0, "head")],
    [(0..<1, "a"), (1..<2, "b"), (2..<3, ""), (19..<20, "long-long-long-long-long")],
    [(17..<20, ""), (10..<12, ""), (0..<9, "")],
  ]

  @Test("any number of edits at once is the naive concatenation, after every skip", arguments: several)
  func severalEdits(_ edits: [(range: Range<Int>, text: String)]) throws {
    let whole = pattern(20)
    var naive: [UInt8] = []
    var from = 0
    // A stable order by place: what is put in stands in front of what is replaced at the same place.
    let ordered = edits.enumerated().sorted {
      ($0.element.range.lowerBound, $0.element.range.upperBound, $0.offset)
        < ($1.element.range.lowerBound, $1.element.range.upperBound, $1.offset)
    }
    for (_, edit) in ordered {
      naive += whole[from..<edit.range.lowerBound] + Array(edit.text.utf8)
      from = edit.range.upperBound
    }
    naive += whole[from...]
    try Self.withLoop { loop in
      for (form, unchanged) in Self.forms(of: whole, loop) {
        var body = unchanged
        for edit in edits {
          let isMade = body.replace(edit.range, with: Array(edit.text.utf8))
          #expect(isMade)
        }
        #expect(body.sentCount == naive.count)
        #expect(Self.kept(body) == whole)
        for skip in 0...(naive.count + 1) {
          #expect(Self.sent(body, skipping: skip) == Array(naive.dropFirst(skip)), "\(form), \(edits), after \(skip)")
        }
      }
    }
  }

  @Test("seeded edits are the naive concatenation, and one that another has a part of is refused")
  func seededEdits() throws {
    try Self.withLoop { loop in
      var random = Xoshiro256(seed: 20)
      for round in 0..<200 {
        let whole = pattern(Int.random(in: 0...60, using: &random))
        var body = RequestBody()
        body.borrow(Self.read(whole, loop))
        // At each place: what is put in there, what stands instead of what began there, the byte that came.
        var front = [[UInt8]](repeating: [], count: whole.count + 1)
        var instead = front
        var came = whole.map { [$0] } + [[]]
        var taken: [Range<Int>] = []
        for _ in 0..<Int.random(in: 0...6, using: &random) {
          let low = Int.random(in: 0...whole.count, using: &random)
          let range = low..<Int.random(in: low...min(whole.count, low + 9), using: &random)
          let text = pattern(Int.random(in: 0...12, using: &random))
          let isFree = taken.allSatisfy { $0.upperBound <= range.lowerBound || range.upperBound <= $0.lowerBound }
          let isMade = body.replace(range, with: text)
          #expect(isMade == isFree, "round \(round): \(range) beside \(taken)")
          guard isFree else { continue }
          taken.append(range)
          if range.isEmpty { front[low] += text } else { instead[low] = text }
          for index in range { came[index] = [] }
        }
        let naive = came.indices.flatMap { front[$0] + instead[$0] + came[$0] }
        #expect(body.sentCount == naive.count, "round \(round)")
        for skip in 0...naive.count {
          #expect(Self.sent(body, skipping: skip) == Array(naive[skip...]), "round \(round), after \(skip)")
        }
      }
    }
  }

  @Test("nothing is left of a body that was removed")
  func removeAll() throws {
    try Self.withLoop { loop in
      for (form, whole) in Self.forms(of: pattern(40), loop) {
        var body = whole
        body.replace(0..<10, with: [1])
        body.removeAll()
        #expect(body.count == 0 && body.sentCount == 0, "\(form)")
        #expect(Self.kept(body).isEmpty && Self.sent(body).isEmpty, "\(form)")
      }
    }
  }

  @Test("a body is copied for whoever asks, up to the length that they say", arguments: [0, 1, 100, 20_000])
  func copied(_ count: Int) throws {
    try Self.withLoop { loop in
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
      var borrowed = RequestBody()
      borrowed.borrow(Self.read(bytes, loop))
      #expect(borrowed.copied(upTo: count) == bytes)
      if count > 0 { #expect(borrowed.copied(upTo: count - 1) == nil) }
      var held = RequestBody()
      for start in stride(from: 0, to: count, by: 999) {
        let piece = Array(bytes[start..<min(start + 999, count)])
        held.hold(Self.read(piece, loop), expected: count - start - piece.count, loop)
      }
      #expect(held.copied(upTo: .max) == bytes)
    }
  }
}
