// Heads on their way out, written into memory somebody lends (a loop's scratch, a slab's free end). Heads are always
// written anew, never echoed. The writer owns nothing, allocates nothing and never writes past its room.

/// Writes bytes one behind the other into lent memory.
///
/// What does not fit is dropped and `overflowed` says so; a dropped piece is dropped whole, and so is all that follows.
/// Values are checked against nothing here except that they can not end a line: see `field(_:_:)`.
public struct HeadWriter {
  private let room: UnsafeMutableRawBufferPointer
  /// Bytes written so far.
  public private(set) var count = 0
  /// True once something did not fit.
  public private(set) var overflowed = false

  /// A writer for `room`, which must stay valid for as long as the writer is used.
  public init(_ room: UnsafeMutableRawBufferPointer) { self.room = room }

  /// What was written.
  public var written: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: room[..<count]) }

  /// Bytes that still fit.
  public var free: Int { room.count &- count }

  /// Copies bytes.
  @inline(__always)
  public mutating func write(_ bytes: UnsafeRawBufferPointer) {
    guard let target = claim(bytes.count), let source = bytes.baseAddress else { return }
    // SAFETY: `claim` has checked the room; source and room do not overlap, as the room is lent for writing only.
    target.copyMemory(from: source, byteCount: bytes.count)
  }

  /// Copies a literal.
  @inline(__always)
  public mutating func write(_ text: StaticString) {
    text.withUTF8Buffer { write(UnsafeRawBufferPointer($0)) }
  }

  /// Copies a string's UTF-8.
  public mutating func write(utf8 text: String) {
    var text = text
    text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
  }

  /// Writes one byte.
  @inline(__always)
  public mutating func write(byte: UInt8) {
    guard let target = claim(1) else { return }
    target.storeBytes(of: byte, as: UInt8.self)
  }

  /// Writes a number in decimal.
  public mutating func writeDecimal(_ number: UInt64) {
    var digits = 1
    var rest = number / 10
    while rest > 0 {
      digits &+= 1
      rest /= 10
    }
    guard let target = claim(digits) else { return }
    rest = number
    for index in stride(from: digits &- 1, through: 0, by: -1) {
      target.storeBytes(of: 0x30 &+ UInt8(truncatingIfNeeded: rest % 10), toByteOffset: index, as: UInt8.self)
      rest /= 10
    }
  }

  /// Writes the low `digits` hexadecimal digits of a number, in lower case; as many as it has when `digits` is 0.
  public mutating func writeHex(_ number: UInt64, digits: Int = 0) {
    let needed = max((67 &- number.leadingZeroBitCount) >> 2, 1)
    let digits = digits > 0 ? min(digits, 16) : needed
    guard let target = claim(digits) else { return }
    for index in 0..<digits {
      let nibble = UInt8(truncatingIfNeeded: number >> UInt64(4 &* (digits &- 1 &- index))) & 15
      target.storeBytes(of: nibble < 10 ? 0x30 &+ nibble : 0x57 &+ nibble, toByteOffset: index, as: UInt8.self)
    }
  }

  /// Makes room for `amount` bytes and returns its address.
  @inline(__always)
  private mutating func claim(_ amount: Int) -> UnsafeMutableRawPointer? {
    guard !overflowed, amount <= free, let base = room.baseAddress else {
      // Nothing is nothing, wherever it does not fit.
      if amount > 0 { overflowed = true }
      return nil
    }
    // SAFETY: count + amount is at most the room's size.
    let target = base + count
    count &+= amount
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
    let start = count
    write(value)
    // A value is never allowed to begin another line, whoever made it.
    for index in start..<count where room[index] == ASCII.cr || room[index] == ASCII.lf || room[index] == 0 {
      room[index] = 0x20
    }
  }
}
