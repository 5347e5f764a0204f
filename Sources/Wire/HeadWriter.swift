// Heads on their way out, written into memory somebody lends (a loop's scratch, a slab's free end). Heads are always
// written anew, never echoed. The writer owns nothing, allocates nothing and never writes past its room.

/// Writes bytes one behind the other into lent memory.
///
/// What does not fit is dropped and `overflowed` says so; a dropped piece is dropped whole, and so is all that follows.
/// Values are checked against nothing here except that they can not end a line: see `field(_:_:)`.
public struct HeadWriter {
  // Of an empty room nothing is ever used: every claim fails first.
  @usableFromInline let start: UnsafeMutableRawPointer?
  @usableFromInline let capacity: Int
  @usableFromInline var used = 0
  @usableFromInline var isOver = false

  /// Bytes written so far.
  public var count: Int { used }
  /// True once something did not fit.
  public var overflowed: Bool { isOver }

  /// A writer for `room`, which must stay valid for as long as the writer is used.
  public init(_ room: UnsafeMutableRawBufferPointer) {
    start = room.baseAddress
    capacity = room.count
  }

  /// What was written.
  public var written: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

  /// Bytes that still fit.
  public var free: Int { capacity &- count }

  /// Copies bytes.
  @inlinable
  public mutating func write(_ bytes: UnsafeRawBufferPointer) {
    guard let target = claim(bytes.count), let source = bytes.baseAddress else { return }
    // SAFETY: `claim` has checked the room; source and room do not overlap, as the room is lent for writing only.
    target.copyMemory(from: source, byteCount: bytes.count)
  }

  /// Copies a literal. Inlined, because its length is known where it stands: a few stores instead of a call.
  @inlinable @inline(__always)
  public mutating func write(_ text: StaticString) {
    guard let target = claim(text.utf8CodeUnitCount) else { return }
    // SAFETY: as above, and the bytes of a static string are never released.
    target.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
  }

  /// Copies a string's UTF-8.
  public mutating func write(utf8 text: String) {
    var text = text
    text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
  }

  /// Writes one byte.
  @inlinable @inline(__always)
  public mutating func write(byte: UInt8) {
    guard let target = claim(1) else { return }
    target.storeBytes(of: byte, as: UInt8.self)
  }

  /// Writes a number in decimal, with zeros in front up to `width` digits.
  public mutating func writeDecimal(_ number: UInt64, width: Int = 1) {
    if number < 10, width <= 1 { return write(byte: 0x30 &+ UInt8(truncatingIfNeeded: number)) }
    if number < 100, width <= 2 {
      guard let target = claim(2) else { return }
      return target.storeBytes(of: Self.pair(number), as: UInt16.self)
    }
    if number < 1000, width <= 3 {
      guard let target = claim(3) else { return }
      target.storeBytes(of: 0x30 &+ UInt8(truncatingIfNeeded: number / 100), as: UInt8.self)
      return target.storeBytes(of: Self.pair(number), toByteOffset: 1, as: UInt16.self)
    }
    var digits = max(width, 1)
    if number >= 10 {
      var bound: UInt64 = 100
      var needed = 2
      while needed < 20, number >= bound {
        bound = needed < 19 ? bound &* 10 : .max
        needed &+= 1
      }
      digits = max(digits, needed)
    }
    guard digits <= 20, let target = claim(digits) else { return }
    var rest = number
    var index = digits
    while index >= 2 {
      index &-= 2
      let (hundreds, pair) = rest.quotientAndRemainder(dividingBy: 100)
      target.storeBytes(of: Self.pair(pair), toByteOffset: index, as: UInt16.self)
      rest = hundreds
    }
    if index == 1 { target.storeBytes(of: 0x30 &+ UInt8(truncatingIfNeeded: rest % 10), as: UInt8.self) }
  }

  /// Both digits of a number below 100, the first at the lower address.
  @inline(__always)
  private static func pair(_ number: UInt64) -> UInt16 {
    // SAFETY: the table has two digits for each number below 100.
    UnsafeRawPointer(pairs.utf8Start).loadUnaligned(fromByteOffset: Int(number % 100) &* 2, as: UInt16.self)
  }

  private static let pairs: StaticString =
    """
    00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354\
    555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
    """

  /// Writes the low `digits` hexadecimal digits of a number, in lower case; as many as it has when `digits` is 0.
  public mutating func writeHex(_ number: UInt64, digits: Int = 0) {
    let needed = max((67 &- number.leadingZeroBitCount) >> 2, 1)
    let digits = digits > 0 ? min(digits, 16) : needed
    guard let target = claim(digits) else { return }
    if digits == 16 {
      let high = Self.hexDigits(UInt32(truncatingIfNeeded: number >> 32))
      let low = Self.hexDigits(UInt32(truncatingIfNeeded: number))
      target.storeBytes(of: high.bigEndian, as: UInt64.self)
      target.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
      return
    }
    for index in 0..<digits {
      let nibble = UInt8(truncatingIfNeeded: number >> UInt64(4 &* (digits &- 1 &- index))) & 15
      target.storeBytes(of: nibble < 10 ? 0x30 &+ nibble : 0x57 &+ nibble, toByteOffset: index, as: UInt8.self)
    }
  }

  /// The eight digits of `number` as eight bytes, the first in the highest place: each step halves the groups.
  private static func hexDigits(_ number: UInt32) -> UInt64 {
    var nibbles = UInt64(number)
    nibbles = (nibbles | nibbles << 16) & 0x0000_ffff_0000_ffff
    nibbles = (nibbles | nibbles << 8) & 0x00ff_00ff_00ff_00ff
    nibbles = (nibbles | nibbles << 4) & 0x0f0f_0f0f_0f0f_0f0f
    // 1 in each byte whose nibble is above 9: those are letters, 39 places behind the digits.
    let letters = ((nibbles &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
    return nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
  }

  /// Writes four octets in decimal with dots between them.
  mutating func writeDotted(_ octets: UInt32) {
    guard capacity &- used >= 16, !isOver, let start else {
      for shift in stride(from: UInt32(24), through: 0, by: -8) {
        writeDecimal(UInt64(octets >> shift & 255))
        if shift > 0 { write(byte: UInt8(ascii: ".")) }
      }
      return
    }
    // SAFETY: four octets and their dots are at most sixteen bytes, which are free behind `used`.
    var target = start + used
    for shift in stride(from: UInt32(24), through: 0, by: -8) {
      let octet = UInt64(octets >> shift & 255)
      if octet >= 100 {
        target.storeBytes(of: 0x30 &+ UInt8(truncatingIfNeeded: octet / 100), as: UInt8.self)
        target.storeBytes(of: Self.pair(octet), toByteOffset: 1, as: UInt16.self)
        target += 3
      } else if octet >= 10 {
        target.storeBytes(of: Self.pair(octet), as: UInt16.self)
        target += 2
      } else {
        target.storeBytes(of: 0x30 &+ UInt8(truncatingIfNeeded: octet), as: UInt8.self)
        target += 1
      }
      target.storeBytes(of: UInt8(ascii: "."), as: UInt8.self)
      target += 1
    }
    // Without the last dot.
    used = target - start &- 1
  }

  /// Makes room for `amount` bytes and returns its address.
  @inlinable @inline(__always)
  mutating func claim(_ amount: Int) -> UnsafeMutableRawPointer? {
    guard amount <= capacity &- used, !isOver, let start else {
      // Nothing is nothing, wherever it does not fit.
      if amount > 0 { isOver = true }
      return nil
    }
    // SAFETY: used + amount is at most the room's size.
    let target = start + used
    used &+= amount
    return target
  }
}

// MARK: - Lines

extension HeadWriter {
  /// `HTTP/1.1`, the status, its standard phrase, and the end of the line.
  public mutating func statusLine(_ status: Int) {
    let status = min(max(status, 100), 999)
    write("HTTP/1.1 ")
    writeDecimal(UInt64(clamping: status))
    write(" ")
    write(StatusLine.reason(status))
    write("\r\n")
  }

  /// A header line with a literal value.
  public mutating func field(_ name: StaticString, _ value: StaticString) {
    begin(name)
    write(value)
    write("\r\n")
  }

  /// A header line with a value that comes from elsewhere. CR, LF and NUL in it become spaces (RFC 9110 5.5).
  public mutating func field(_ name: StaticString, _ value: UnsafeRawBufferPointer) {
    begin(name)
    writeValue(value)
    write("\r\n")
  }

  /// A header line whose value is a number.
  public mutating func field(_ name: StaticString, _ value: UInt64) {
    begin(name)
    writeDecimal(value)
    write("\r\n")
  }

  /// A header line with a value that comes from elsewhere. CR, LF and NUL in it become spaces (RFC 9110 5.5).
  public mutating func field(_ name: StaticString, utf8 value: String) {
    var value = value
    begin(name)
    value.withUTF8 { writeValue(UnsafeRawBufferPointer($0)) }
    write("\r\n")
  }

  /// A header line as it came, name and value untouched. `head.base` must be set.
  @inline(__always)
  public mutating func field(_ field: HeaderField, of head: Head) {
    write(head.bytes(field.name))
    write(": ")
    write(head.bytes(field.value))
    write("\r\n")
  }

  /// The empty line behind the last header line.
  public mutating func endHead() { write("\r\n") }

  private mutating func begin(_ name: StaticString) {
    write(name)
    write(": ")
  }

  private mutating func writeValue(_ value: UnsafeRawBufferPointer) {
    let first = used
    write(value)
    guard let start else { return }
    // A value is never allowed to begin another line, whoever made it.
    for index in first..<used {
      // SAFETY: what lies below `used` was written into the room.
      let byte = start.load(fromByteOffset: index, as: UInt8.self)
      guard byte == ASCII.cr || byte == ASCII.lf || byte == 0 else { continue }
      start.storeBytes(of: 0x20, toByteOffset: index, as: UInt8.self)
    }
  }
}
