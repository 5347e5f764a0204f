// A small, slow and obviously recursive JSON reader: the model the scanner is compared with. It knows the grammar of
// RFC 8259 but, like the scanner, does not look into numbers and literals, nor into strings nobody asks for.

@testable import Wire

/// What a top-level object says, read the simple way.
struct NaiveJSON {
  struct Failed: Error {}

  indirect enum Value {
    case string([UInt8]?)
    case literal(String)
    case array
    case object([(key: [UInt8]?, value: Value, range: Range<Int>)])
  }

  private let bytes: [UInt8]
  private var index = 0

  /// The members of the object that is all of `bytes`.
  static func members(_ bytes: [UInt8]) -> [(key: [UInt8]?, value: Value, range: Range<Int>)]? {
    var reader = NaiveJSON(bytes: bytes)
    guard let value = try? reader.whole(), case .object(let members) = value else { return nil }
    return members
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private mutating func whole() throws -> Value {
    blanks()
    guard peek == UInt8(ascii: "{") else { throw Failed() }
    let value = try value(0, isRead: true)
    blanks()
    guard index == bytes.count else { throw Failed() }
    return value
  }

  private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func blanks() {
    while let byte = peek, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { index += 1 }
  }

  private mutating func take(_ character: Character) throws {
    guard let byte = peek, byte == character.asciiValue else { throw Failed() }
    index += 1
  }

  /// - Parameter isRead: keys of this value are compared with names, so they must be sound.
  private mutating func value(_ depth: Int, isRead: Bool = false) throws -> Value {
    guard depth < JSONMemberScanner.depthMax || (peek != UInt8(ascii: "{") && peek != UInt8(ascii: "[")) else {
      throw Failed()
    }
    switch peek {
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "["):
      index += 1
      blanks()
      if peek == UInt8(ascii: "]") {
        index += 1
        return .array
      }
      while true {
        blanks()
        _ = try value(depth + 1)
        blanks()
        if peek == UInt8(ascii: "]") { break }
        try take(",")
      }
      index += 1
      return .array
    case UInt8(ascii: "{"):
      index += 1
      var members: [(key: [UInt8]?, value: Value, range: Range<Int>)] = []
      blanks()
      if peek == UInt8(ascii: "}") {
        index += 1
        return .object([])
      }
      while true {
        blanks()
        let key = try string(mustBeSound: isRead)
        blanks()
        try take(":")
        blanks()
        let start = index
        let isOptions = depth == 0 && key.map { text($0) } == "stream_options"
        let value = try value(depth + 1, isRead: isOptions)
        members.append((key, value, start..<index))
        blanks()
        if peek == UInt8(ascii: "}") { break }
        try take(",")
      }
      index += 1
      return .object(members)
    default:
      var literal = ""
      while let byte = peek, ASCII.isLetter(byte) || ASCII.isDigit(byte) || [0x2b, 0x2d, 0x2e].contains(byte) {
        literal.append(Character(Unicode.Scalar(byte)))
        index += 1
      }
      guard !literal.isEmpty else { throw Failed() }
      return .literal(literal)
    }
  }

  /// The decoded string; nil when it is no text (bad escape, control character, half a surrogate pair, not UTF-8).
  private mutating func string(mustBeSound: Bool = false) throws -> [UInt8]? {
    try take("\"")
    var units: [UInt16] = []
    var raw: [UInt8] = []
    var isText = true
    var isSound = true
    func flush(_ raw: inout [UInt8], _ units: inout [UInt16]) {
      if let text = String(validating: raw, as: UTF8.self) { units += Array(text.utf16) } else { isText = false }
      raw = []
    }
    while let byte = peek, byte != UInt8(ascii: "\"") {
      index += 1
      guard byte == UInt8(ascii: "\\") else {
        if byte < 0x20 { isSound = false }
        raw.append(byte)
        continue
      }
      flush(&raw, &units)
      guard let escape = peek else { throw Failed() }
      index += 1
      let simple: [UInt8: UInt16] = [
        0x22: 0x22, 0x5c: 0x5c, 0x2f: 0x2f, 0x62: 8, 0x66: 12, 0x6e: 10, 0x72: 13, 0x74: 9,
      ]
      if let unit = simple[escape] {
        units.append(unit)
      } else if escape == UInt8(ascii: "u"), index + 4 <= bytes.count,
        let unit = UInt16(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16),
        bytes[index..<index + 4].allSatisfy({ ASCII.hexValue($0) != nil })
      {
        index += 4
        units.append(unit)
      } else {
        isSound = false
      }
    }
    flush(&raw, &units)
    try take("\"")
    if !isSound, mustBeSound { throw Failed() }
    guard isSound, isText, let text = String(validating: units, as: UTF16.self) else { return nil }
    return Array(text.utf8)
  }
}
