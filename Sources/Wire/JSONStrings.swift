// The strings of JSONMemberScanner: skipping those nobody asked for as fast as memory allows, and decoding the others.

import Glibc

extension JSONMemberScanner {
  /// Adds a byte to the short text; a text that outgrows its room matches nothing.
  @inline(__always)
  mutating func addText(_ byte: UInt8) {
    if textCount < 24 { text[Int(textCount)] = byte }
    if textCount < 255 { textCount &+= 1 }
  }

  /// Whether the short text is `name`. Changes nothing: as a call that does not mutate it would copy the scanner.
  mutating func isText(_ name: StaticString) -> Bool {
    guard Int(textCount) == name.utf8CodeUnitCount, textCount <= 24 else { return false }
    for index in 0..<Int(textCount) where text[index] != name.utf8Start[index] { return false }
    return true
  }

  /// Reads on inside a string. Returns the index of the first byte that was not taken.
  mutating func string(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
    capture == .nothing ? skip(bytes, start) : decode(bytes, start)
  }

  /// A string nobody asked for: only its end matters, and that a quote behind a backslash is not it.
  private mutating func skip(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
    guard let base = bytes.baseAddress else { return start }
    var index = start
    var quote = -1
    while true {
      index = JSONMemberScanner.special(base, index, bytes.count, &quote)
      guard index < bytes.count else { return bytes.count }
      if bytes[index] == UInt8(ascii: "\"") {
        endString(index)
        return index &+ 1
      }
      guard index &+ 1 < bytes.count else {
        state = .escape
        return bytes.count
      }
      index &+= 2
    }
  }

  /// The index of the next quote or backslash, or `end`. `quote` remembers where the next quote is, so that a long text
  /// with many escapes is not searched for its end again after each of them.
  private static func special(_ base: UnsafeRawPointer, _ start: Int, _ end: Int, _ quote: inout Int) -> Int {
    // SAFETY: all loads stay between `start` and `end`, which lie in the caller's buffer.
    var index = start
    let quotes = SIMD16<UInt8>(repeating: UInt8(ascii: "\""))
    let slashes = SIMD16<UInt8>(repeating: UInt8(ascii: "\\"))
    // Most strings are short: memchr pays only behind the first blocks.
    var blocks = 4
    while blocks > 0, index &+ 16 <= end {
      let block = base.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self)
      if any((block .== quotes) .| (block .== slashes)) {
        while true {
          let byte = base.load(fromByteOffset: index, as: UInt8.self)
          if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return index }
          index &+= 1
        }
      }
      index &+= 16
      blocks &-= 1
    }
    guard index < end else { return end }
    if quote < index {
      let found = memchr(base + index, CInt(UInt8(ascii: "\"")), end &- index)
      quote = found.map { UnsafeRawPointer($0) - base } ?? end
    }
    guard quote > index, let found = memchr(base + index, CInt(UInt8(ascii: "\\")), quote &- index) else {
      return quote
    }
    return UnsafeRawPointer(found) - base
  }

  /// A key or the model's name.
  private mutating func decode(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
    if let end = takePlain(bytes, start) { return end }
    var index = start
    while index < bytes.count {
      let byte = bytes[index]
      if byte == UInt8(ascii: "\\") {
        state = .escape
        return index &+ 1
      }
      if highSurrogate != 0 { lonelySurrogate(index) }
      if byte == UInt8(ascii: "\"") {
        endDecoded(index)
        return index &+ 1
      }
      if byte < 0x20 { malformed(index) } else { add(byte) }
      if case .failed = outcome { return index }
      index &+= 1
    }
    return index
  }

  /// Takes a whole string that lies in this run, has neither escapes nor control bytes, and is short: nearly all of those
  /// that are wanted. Nil, and without effect, where it is not so.
  private mutating func takePlain(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int? {
    guard highSurrogate == 0, capture == .model ? modelName.isEmpty : textCount == 0 else { return nil }
    let last = min(bytes.count, start &+ 128)
    var end = start
    while end < last, bytes[end] != UInt8(ascii: "\"") {
      let byte = bytes[end]
      // A byte above ASCII is checked with the whole name, in the long way.
      guard byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\\") else { return nil }
      end &+= 1
    }
    guard end < last else { return nil }
    let run = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    if capture == .model {
      modelName.append(contentsOf: run)
    } else {
      textCount = UInt8(truncatingIfNeeded: run.count)
      for index in 0..<min(run.count, 24) { text[index] = run[index] }
    }
    endString(end)
    return end &+ 1
  }

  private mutating func endDecoded(_ index: Int) {
    if capture == .model {
      // What is not UTF-8 is read differently by different backends.
      guard String(validating: modelName, as: UTF8.self) != nil else { return malformed(index) }
    }
    endString(index)
  }

  private mutating func add(_ byte: UInt8) {
    guard capture == .model else { return addText(byte) }
    guard modelName.count < ScannedModel.bytesMax else { return fail(.modelTooLong) }
    modelName.append(byte)
  }

  /// Half a surrogate pair: no text at all in a name, and none of the wanted keys.
  private mutating func lonelySurrogate(_ index: Int) {
    highSurrogate = 0
    if capture == .model { malformed(index) } else { textCount = 255 }
  }

  // MARK: - Escapes

  /// The bytes behind a backslash. Returns the index of the first byte that was not taken.
  mutating func escape(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
    let byte = bytes[start]
    if state == .unicode {
      hexDigit(byte, start)
      return start &+ 1
    }
    state = .string
    if capture == .nothing { return start &+ 1 }
    if highSurrogate != 0, byte != UInt8(ascii: "u") {
      lonelySurrogate(start)
      if case .failed = outcome { return start }
    }
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): add(byte)
    case UInt8(ascii: "b"): add(0x08)
    case UInt8(ascii: "f"): add(0x0c)
    case UInt8(ascii: "n"): add(0x0a)
    case UInt8(ascii: "r"): add(0x0d)
    case UInt8(ascii: "t"): add(0x09)
    case UInt8(ascii: "u"):
      state = .unicode
      hexCount = 0
      hexValue = 0
    default: malformed(start)
    }
    return start &+ 1
  }

  private mutating func hexDigit(_ byte: UInt8, _ index: Int) {
    guard let digit = ASCII.hexValue(byte) else { return malformed(index) }
    hexValue = hexValue << 4 | UInt16(digit)
    hexCount &+= 1
    guard hexCount == 4 else { return }
    state = .string
    let unit = hexValue
    if highSurrogate != 0 {
      guard unit & 0xfc00 == 0xdc00 else {
        lonelySurrogate(index)
        if unit & 0xfc00 == 0xd800 { highSurrogate = unit }
        return
      }
      let high = UInt32(highSurrogate & 0x3ff)
      highSurrogate = 0
      addScalar(0x10000 &+ (high << 10 | UInt32(unit & 0x3ff)))
    } else if unit & 0xfc00 == 0xd800 {
      highSurrogate = unit
    } else if unit & 0xfc00 == 0xdc00 {
      lonelySurrogate(index)
    } else {
      addScalar(UInt32(unit))
    }
  }

  private mutating func addScalar(_ value: UInt32) {
    guard let scalar = Unicode.Scalar(value) else { return }
    for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
      add(byte)
      if case .failed = outcome { return }
    }
  }
}
