// Reads JSON (RFC 8259) strictly and within bounds: depth, number of values, length of numbers. Hostile bytes become an
// error, never a trap: depth is bounded because the parser, and the release of what it made, recurse.

/// Why bytes are not JSON, and where.
struct JSONError: Error, Equatable {
  enum Kind: Equatable {
    case unexpectedByte, unexpectedEnd, badEscape, badNumber, badUnicode, trailingBytes, tooDeep, tooManyValues
  }

  let kind: Kind
  /// Offset of the byte the parser stopped at.
  let offset: Int
}

/// A parser for one document that lies in memory as a whole.
struct JSONParser {
  /// Arrays and objects inside each other.
  static let depthMax = 128
  /// Values of all kinds in one document: about 16 MiB of tree.
  static let valueCountMax = 500_000
  /// Digits and all; longer numbers mean nothing to anybody.
  static let numberBytesMax = 256

  private let bytes: [UInt8]
  private var index = 0
  private var valueCount = 0

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The one value in `bytes`, with nothing but white space around it.
  static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSON {
    var parser = JSONParser(bytes)
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.index == bytes.count else { throw parser.error(.trailingBytes) }
    return value
  }

  private func error(_ kind: JSONError.Kind) -> JSONError { JSONError(kind: kind, offset: index) }

  private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { index += 1 }
  }

  /// Takes `byte` if it is next.
  private mutating func take(_ byte: UInt8) -> Bool {
    guard current == byte else { return false }
    index += 1
    return true
  }

  private func unexpected() -> JSONError { error(current == nil ? .unexpectedEnd : .unexpectedByte) }

  private mutating func value(depth: Int) throws(JSONError) -> JSON {
    skipSpace()
    valueCount += 1
    guard valueCount <= Self.valueCountMax else { throw error(.tooManyValues) }
    guard let byte = current else { throw error(.unexpectedEnd) }
    switch byte {
    case UInt8(ascii: "{"): return try object(depth: depth + 1)
    case UInt8(ascii: "["): return try array(depth: depth + 1)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw error(.unexpectedByte)
    }
  }

  private mutating func literal(_ word: String, _ value: JSON) throws(JSONError) -> JSON {
    for byte in word.utf8 {
      guard take(byte) else { throw unexpected() }
    }
    return value
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSON {
    guard depth <= Self.depthMax else { throw error(.tooDeep) }
    index += 1
    var elements: [JSON] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array(elements) }
    while true {
      elements.append(try value(depth: depth))
      skipSpace()
      if take(UInt8(ascii: "]")) { return .array(elements) }
      guard take(UInt8(ascii: ",")) else { throw unexpected() }
    }
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSON {
    guard depth <= Self.depthMax else { throw error(.tooDeep) }
    index += 1
    var members: [JSON.Member] = []
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object(members) }
    while true {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw unexpected() }
      let name = try string()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw unexpected() }
      members.append(JSON.Member(name: name, value: try value(depth: depth)))
      skipSpace()
      if take(UInt8(ascii: "}")) { return .object(members) }
      guard take(UInt8(ascii: ",")) else { throw unexpected() }
    }
  }
}

// MARK: - Numbers

extension JSONParser {
  private mutating func number() throws(JSONError) -> JSON {
    let start = index
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) { try digits() }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    guard index - start <= Self.numberBytesMax,
      let number = Double(String(decoding: bytes[start..<index], as: UTF8.self)), number.isFinite
    else { throw error(.badNumber) }
    return .number(number)
  }

  private mutating func digits() throws(JSONError) {
    let start = index
    while let byte = current, byte &- UInt8(ascii: "0") < 10 { index += 1 }
    guard index > start else { throw error(.badNumber) }
  }
}

// MARK: - Strings

extension JSONParser {
  private mutating func string() throws(JSONError) -> String {
    index += 1
    var text = ""
    while true {
      let start = index
      while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { index += 1 }
      if index > start {
        guard let run = String(validating: bytes[start..<index], as: UTF8.self) else { throw error(.badUnicode) }
        text += run
      }
      if take(UInt8(ascii: "\"")) { return text }
      guard take(UInt8(ascii: "\\")) else { throw unexpected() }
      text.unicodeScalars.append(try escape())
    }
  }

  private mutating func escape() throws(JSONError) -> Unicode.Scalar {
    guard let byte = current else { throw error(.unexpectedEnd) }
    index += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw error(.badEscape)
    }
  }

  /// Half a surrogate pair stands for no character; it becomes U+FFFD, as other readers that do not fail have it.
  private mutating func unicodeEscape() throws(JSONError) -> Unicode.Scalar {
    let unit = try hexUnit()
    if let scalar = Unicode.Scalar(unit) { return scalar }
    let afterFirst = index
    guard unit & 0xfc00 == 0xd800, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
      index = afterFirst
      return "\u{fffd}"
    }
    let low = try hexUnit()
    guard low & 0xfc00 == 0xdc00 else {
      // What follows is a character of its own: it is read again.
      index = afterFirst
      return "\u{fffd}"
    }
    return Unicode.Scalar(0x10000 + ((unit & 0x3ff) << 10 | low & 0x3ff)) ?? "\u{fffd}"
  }

  private mutating func hexUnit() throws(JSONError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = current else { throw error(.unexpectedEnd) }
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt32(byte - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): unit = unit << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): unit = unit << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
      default: throw error(.badEscape)
      }
      index += 1
    }
    return unit
  }
}
