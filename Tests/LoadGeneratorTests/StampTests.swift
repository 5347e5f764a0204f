import Stamp
import Testing

@Suite("Stamps and filler")
struct StampTests {
  private func bytes(_ stamp: Stamp) -> [UInt8] {
    var room = [UInt8](repeating: 0, count: Stamp.byteCount)
    room.withUnsafeMutableBytes { stamp.write(to: $0) }
    return room
  }

  private func read(_ bytes: [UInt8]) -> Stamp? { bytes.withUnsafeBytes { Stamp($0) } }

  @Test(
    "what was written is read",
    arguments: [
      Stamp(number: 1, count: 100, sentAt: 0), Stamp(number: 99_999_999, count: 99_999_999, sentAt: 1),
      Stamp(number: 12_345_678, count: 87_654_321, sentAt: 1_234_567_890_123_456_789),
      Stamp(number: 7, count: 8, sentAt: 9_223_372_036_854_775_807), Stamp(number: 0, count: 0, sentAt: 999),
    ])
  func roundTrip(stamp: Stamp) {
    #expect(read(bytes(stamp)) == stamp)
  }

  @Test("the text is as it is told")
  func text() {
    let text = String(decoding: bytes(Stamp(number: 42, count: 100, sentAt: 123_456_789_012_345)), as: UTF8.self)
    #expect(text == "#00000042:00000100@0000123456789012345 ")
  }

  @Test("no byte of a stamp can be another kind of byte")
  func everyByteCounts() {
    let good = bytes(Stamp(number: 1, count: 2, sentAt: 3))
    for index in good.indices {
      for wrong in [UInt8(ascii: "/"), UInt8(ascii: "%"), UInt8(ascii: "a"), 0, 0xff] {
        var bad = good
        bad[index] = wrong
        #expect(read(bad) == nil, "byte \(index) as \(wrong)")
      }
    }
    #expect(read(Array(good.dropLast())) == nil)
    #expect(read([]) == nil)
  }

  @Test(
    "filler matches itself wherever it is cut, and nothing else",
    arguments: [0, 1, 60, 61, 200, 65_536, 65_597, 200_000])
  func filler(offset: Int) {
    var whole = [UInt8](repeating: 0, count: offset + 150_000)
    whole.withUnsafeMutableBytes { Filler.fill($0) }
    whole.withUnsafeBytes { bytes in
      let piece = UnsafeRawBufferPointer(rebasing: bytes[offset...])
      #expect(Filler.matches(piece, at: offset))
      #expect(!Filler.matches(piece, at: offset + 1))
      #expect(!Filler.matches(piece, at: offset + 1024))
      #expect(!Filler.matches(piece, at: offset + 65_536))
    }
    whole[offset + 149_999] ^= 1
    whole.withUnsafeBytes { bytes in
      let piece = UnsafeRawBufferPointer(rebasing: bytes[offset...])
      #expect(!Filler.matches(piece, at: offset))
      #expect(Filler.matching(piece, at: offset) == 149_999)
    }
  }

  @Test("texts are found where they are")
  func search() {
    let text = Array("aaab ab".utf8)
    text.withUnsafeBytes {
      #expect(ByteRun.end(of: "ab", in: $0) == 4)
      #expect(ByteRun.end(of: "ab", in: $0, from: 3) == 7)
      #expect(ByteRun.end(of: "abc", in: $0) == nil)
      #expect(ByteRun.begins($0, with: "aaa") && !ByteRun.begins($0, with: "ab"))
      #expect(ByteRun.ends($0, with: " ab") && !ByteRun.ends($0, with: "aaab aab"))
    }
  }
}
