// Comparisons of bytes with literal names. Never builds a String, never allocates.

/// Case-insensitive comparison and classes of ASCII bytes.
enum ASCII {
  static let cr = UInt8(ascii: "\r")
  static let lf = UInt8(ascii: "\n")

  /// Space or tab: what HTTP calls optional white space (RFC 9110 5.6.3).
  @inline(__always)
  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  @inline(__always)
  static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  @inline(__always)
  static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

  /// `byte` in lower case when it is a letter, else as it is.
  @inline(__always)
  static func lower(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

  /// The value of a hexadecimal digit.
  @inline(__always)
  static func hexValue(_ byte: UInt8) -> UInt8? {
    if isDigit(byte) { return byte &- 0x30 }
    let letter = (byte | 0x20) &- 0x61
    return letter < 6 ? letter &+ 10 : nil
  }

  /// Whether `bytes` is `text`, case and all.
  static func same(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
    text.withUTF8Buffer { bytes.elementsEqual($0) }
  }

  /// Whether `bytes` is `name` whatever the case of its letters. `name` must consist of lower-case letters, digits and
  /// hyphens.
  @inline(__always)
  static func equal(_ bytes: UnsafeRawBufferPointer, lowercase name: StaticString) -> Bool {
    guard let base = bytes.baseAddress, bytes.count == name.utf8CodeUnitCount else { return false }
    return equalToken(base, lowercase: name)
  }

  /// The same for a token whose length is known to fit. Setting bit 5 of every byte is exact here: of the characters of
  /// `name` (letters, digits, `-`), only letters have a second pre-image that is legal in a token.
  @inline(__always)
  static func equalToken(_ base: UnsafeRawPointer, lowercase name: StaticString) -> Bool {
    // SAFETY: callers have checked that `base` is valid for as many bytes as `name` has; the literal lives for ever.
    let other = UnsafeRawPointer(name.utf8Start)
    let count = name.utf8CodeUnitCount
    var index = 0
    while index &+ 8 <= count {
      let a = base.loadUnaligned(fromByteOffset: index, as: UInt64.self) | 0x2020_2020_2020_2020
      if a != other.loadUnaligned(fromByteOffset: index, as: UInt64.self) { return false }
      index &+= 8
    }
    while index < count {
      if base.load(fromByteOffset: index, as: UInt8.self) | 0x20 != other.load(fromByteOffset: index, as: UInt8.self) {
        return false
      }
      index &+= 1
    }
    return true
  }

  /// `bytes` without blanks at either end.
  static func trim(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var start = 0
    var end = bytes.count
    while start < end, isBlank(bytes[start]) { start &+= 1 }
    while end > start, isBlank(bytes[end &- 1]) { end &-= 1 }
    return UnsafeRawBufferPointer(rebasing: bytes[start..<end])
  }

  /// Calls `body` with each trimmed, non-empty element of a comma-separated list until it returns false.
  static func forEachElement(_ list: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Bool) {
    var start = 0
    var index = 0
    while index <= list.count {
      if index == list.count || list[index] == UInt8(ascii: ",") {
        let element = trim(UnsafeRawBufferPointer(rebasing: list[start..<index]))
        if !element.isEmpty, !body(element) { return }
        start = index &+ 1
      }
      index &+= 1
    }
  }
}
