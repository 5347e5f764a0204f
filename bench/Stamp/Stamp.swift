// What the mock backend writes into the content of each event, and the load generator reads back: the event's number,
// how many there will be, and when it was sent. Both sides take the layout from here, so that they cannot differ.
//
//   #00000042:00000100@0000123456789012345 ABCDEFGH…
//    number   count    CLOCK_MONOTONIC, ns  filler, see Filler.swift
//
// Fixed width, no character that JSON escapes, and a first character that occurs nowhere else in an event: a gateway
// that writes the JSON anew leaves it readable.

/// The mark of one event.
@frozen
public struct Stamp: Equatable, Sendable {
  /// The event's number, from 1.
  public var number: UInt32
  /// Numbered events of the stream.
  public var count: UInt32
  /// When it was sent, in nanoseconds on CLOCK_MONOTONIC.
  public var sentAt: UInt64

  @inlinable
  public init(number: UInt32, count: UInt32, sentAt: UInt64) {
    self.number = number
    self.count = count
    self.sentAt = sentAt
  }

  /// Bytes of a stamp, the space behind it included.
  public static let byteCount = 39
  /// Where the number's eight digits begin.
  public static let numberOffset = 1
  /// Where the nineteen digits of the time begin.
  public static let sentAtOffset = 19
  /// Highest number that fits.
  public static let numberMax = 99_999_999

  /// Reads the stamp at the beginning of `bytes`; nil when there is none.
  @inlinable @inline(__always)
  public init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Stamp.byteCount, bytes[0] == UInt8(ascii: "#"), bytes[9] == UInt8(ascii: ":"),
      bytes[18] == UInt8(ascii: "@"), bytes[38] == UInt8(ascii: " ")
    else { return nil }
    let number = Digits.eight(bytes, at: 1)
    let count = Digits.eight(bytes, at: 10)
    let high = Digits.eight(bytes, at: 19)
    let middle = Digits.eight(bytes, at: 27)
    let low = Digits.eight(bytes, at: 30)
    guard number | count | high | middle | low <= Digits.valid else { return nil }
    self.number = UInt32(truncatingIfNeeded: number)
    self.count = UInt32(truncatingIfNeeded: count)
    // The last eight digits overlap the ones before by five.
    sentAt = high &* 100_000_000_000 &+ middle &* 1_000 &+ low % 1_000
  }

  /// Writes the stamp to the beginning of `room`, which must have `byteCount` bytes.
  public func write(to room: UnsafeMutableRawBufferPointer) {
    guard room.count >= Stamp.byteCount else { return }
    room[0] = UInt8(ascii: "#")
    room[9] = UInt8(ascii: ":")
    room[18] = UInt8(ascii: "@")
    room[38] = UInt8(ascii: " ")
    Digits.write(UInt64(number), width: 8, to: room, at: 1)
    Digits.write(UInt64(count), width: 8, to: room, at: 10)
    Digits.write(sentAt, width: 19, to: room, at: 19)
  }
}

/// Decimal digits of fixed width.
public enum Digits {
  /// Values of eight digits lie below this power of two; what `eight` returns for other bytes lies above.
  public static let valid: UInt64 = (1 << 27) - 1

  /// The number in the eight digits at `offset`, which must lie in `bytes`; above `valid` when one is no digit.
  @inlinable @inline(__always)
  public static func eight(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt64 {
    var word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    // Every byte is 0x30 to 0x39: its high half is 3, also when 6 is added.
    let high = word & 0xF0F0_F0F0_F0F0_F0F0
    let above = (word &+ 0x0606_0606_0606_0606) & 0xF0F0_F0F0_F0F0_F0F0
    guard high == 0x3030_3030_3030_3030, above == high else { return .max }
    // Pairs, then pairs of pairs, then the two halves; the first digit is in the lowest byte.
    word &= 0x0F0F_0F0F_0F0F_0F0F
    word = (word &* 10 &+ (word >> 8)) & 0x00FF_00FF_00FF_00FF
    word = (word &* 100 &+ (word >> 16)) & 0x0000_FFFF_0000_FFFF
    return (word &* 10_000 &+ (word >> 32)) & 0x0000_0000_FFFF_FFFF
  }

  /// Writes `number` with leading zeros; digits that do not fit into `width` are lost.
  @inlinable
  public static func write(_ number: UInt64, width: Int, to room: UnsafeMutableRawBufferPointer, at offset: Int) {
    var rest = number
    var index = offset &+ width
    while index > offset {
      index &-= 1
      let next = rest / 10
      room[index] = 0x30 &+ UInt8(truncatingIfNeeded: rest &- next &* 10)
      rest = next
    }
  }
}
