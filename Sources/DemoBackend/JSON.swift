// A JSON value, for requests that are read whole and answers that are written whole. The gateway never builds such
// trees; a demo backend may. Literals make answers in this room look like the JSON they become.

/// A JSON value.
enum JSON: Equatable, Sendable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSON])
  case object([Member])

  /// A member of an object. Objects keep the order of their members, and repeated names.
  struct Member: Equatable, Sendable {
    var name: String
    var value: JSON
  }

  /// The member with this name, the last one when there are several, as most readers take it. Nil when it is absent or
  /// this is no object.
  subscript(name: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.name == name }?.value
  }

  var text: String? { if case .string(let text) = self { text } else { nil } }
  var flag: Bool? { if case .bool(let flag) = self { flag } else { nil } }
  var elements: [JSON]? { if case .array(let elements) = self { elements } else { nil } }
  var members: [Member]? { if case .object(let members) = self { members } else { nil } }
  var isNull: Bool { self == .null }

  /// The number, when it is whole and fits.
  var integer: Int? { if case .number(let number) = self { Int(exactly: number) } else { nil } }

  /// What `number` is called in messages about mistakes.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number(let number): Int(exactly: number) == nil ? "a decimal" : "an integer"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  init(nilLiteral: ()) { self = .null }
  init(booleanLiteral value: Bool) { self = .bool(value) }
  init(integerLiteral value: Int) { self = .number(Double(value)) }
  init(stringLiteral value: String) { self = .string(value) }
  init(arrayLiteral elements: JSON...) { self = .array(elements) }
  init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(elements.map { Member(name: $0.0, value: $0.1) })
  }

  /// A whole number. Exact up to 2^53.
  static func integer(_ value: Int) -> JSON { .number(Double(value)) }

  /// The text, or null.
  static func optional(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
}

// MARK: - Writing

extension JSON {
  /// The value as UTF-8 without white space.
  var bytes: [UInt8] {
    var output: [UInt8] = []
    write(into: &output)
    return output
  }

  /// Appends the value. Unicode stays as it is; only what JSON forbids in strings is escaped.
  func write(into output: inout [UInt8]) {
    switch self {
    case .null: output.append(contentsOf: "null".utf8)
    case .bool(let flag): output.append(contentsOf: (flag ? "true" : "false").utf8)
    case .number(let number): Self.write(number, into: &output)
    case .string(let text): Self.write(text, into: &output)
    case .array(let elements):
      output.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        element.write(into: &output)
      }
      output.append(UInt8(ascii: "]"))
    case .object(let members):
      output.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        Self.write(member.name, into: &output)
        output.append(UInt8(ascii: ":"))
        member.value.write(into: &output)
      }
      output.append(UInt8(ascii: "}"))
    }
  }

  private static func write(_ number: Double, into output: inout [UInt8]) {
    if let whole = Int64(exactly: number) {
      output.append(contentsOf: String(whole).utf8)
    } else {
      // Swift's shortest form ("1e-05", "0.25") is JSON too; infinities are not, and stand for nothing here.
      output.append(contentsOf: (number.isFinite ? number.description : "null").utf8)
    }
  }

  private static func write(_ text: String, into output: inout [UInt8]) {
    output.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): output.append(contentsOf: #"\""#.utf8)
      case UInt8(ascii: "\\"): output.append(contentsOf: #"\\"#.utf8)
      case 0x0a: output.append(contentsOf: #"\n"#.utf8)
      case 0x0d: output.append(contentsOf: #"\r"#.utf8)
      case 0x09: output.append(contentsOf: #"\t"#.utf8)
      case 0..<0x20, 0x7f:
        let digits = String(byte, radix: 16)
        output.append(contentsOf: #"\u00"#.utf8)
        if digits.utf8.count < 2 { output.append(UInt8(ascii: "0")) }
        output.append(contentsOf: digits.utf8)
      default: output.append(byte)
      }
    }
    output.append(UInt8(ascii: "\""))
  }
}
