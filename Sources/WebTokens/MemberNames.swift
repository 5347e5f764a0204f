// The names of a JSON object's members, as they stand. A decoder gives one value for each name, whichever of two it takes;
// who signs and who verifies must not read different ones, so a name that stands twice is refused (RFC 7515, 4; 7519, 4).

import FoundationEssentials

enum MemberNames {
  /// Deepest nesting that is read: far below what would exhaust a stack behind us.
  static let depthMax = 32

  /// Names of the top-level members of `text`, decoded. Nil for what is no object, nests deeper, or ends too early; what
  /// else is wrong with it, the decoder finds.
  static func of(_ text: [UInt8]) -> [String]? {
    var names: [String] = []
    var depth = 0
    var expectsName = false
    var rest = text[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = takeString(&rest) else { return nil }
        if depth == 1, expectsName {
          guard let name = decoded(string) else { return nil }
          names.append(name)
          expectsName = false
        }
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        guard depth <= depthMax, depth > 1 || byte == UInt8(ascii: "{") else { return nil }
        if depth == 1 { expectsName = true }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        guard depth >= 0 else { return nil }
      case UInt8(ascii: ","):
        if depth == 1 { expectsName = true }
      default: break
      }
    }
    return depth == 0 && !text.isEmpty ? names : nil
  }

  /// Whether `text` is an object, not nested too deeply, that names no member twice.
  static func areUnique(in text: [UInt8]) -> Bool {
    guard let names = of(text) else { return false }
    return Set(names).count == names.count
  }

  /// What stands between the quote that was taken and the next one, which is taken too.
  private static func takeString(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    let whole = rest
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\"") { return whole[whole.startIndex..<(rest.startIndex - 1)] }
      if byte == UInt8(ascii: "\\") { _ = rest.popFirst() }
    }
    return nil
  }

  private static func decoded(_ string: ArraySlice<UInt8>) -> String? {
    guard string.contains(UInt8(ascii: "\\")) else { return String(validating: string, as: UTF8.self) }
    let quoted = Array("[\"".utf8) + string + Array("\"]".utf8)
    return try? JSONDecoder().decode([String].self, from: Data(quoted)).first
  }
}
