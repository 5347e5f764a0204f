// The few facts a generator wants of an answer's JSON. Found by looking for names, not by parsing: what an answer means
// is nobody's business here.

import Stamp

/// Looks into events and answers that are no mock's.
enum Delta {
  /// Whether an event carries text of any kind: content, reasoning, or a tool's arguments.
  static func hasText(_ data: UnsafeRawBufferPointer) -> Bool {
    for name: StaticString in ["content\"", "reasoning\"", "arguments\"", "text\""] {
      var from = 0
      while let end = ByteRun.end(of: name, in: data, from: from) {
        if let value = value(data, behind: end), value + 1 < data.count, data[value] == UInt8(ascii: "\""),
          data[value + 1] != UInt8(ascii: "\"")
        {
          return true
        }
        from = end
      }
    }
    return false
  }

  /// The tokens an answer claims to have made.
  static func completionTokens(_ data: UnsafeRawBufferPointer) -> Int? {
    for name: StaticString in ["\"completion_tokens\"", "\"output_tokens\""] {
      guard let end = ByteRun.end(of: name, in: data), var index = value(data, behind: end) else { continue }
      var number = 0
      var digits = 0
      while index < data.count, digits < 12, data[index] &- 0x30 < 10 {
        number = number * 10 + Int(data[index] &- 0x30)
        digits += 1
        index += 1
      }
      if digits > 0 { return number }
    }
    return nil
  }

  /// Where a member's value begins, if what lies behind its name's closing quote is a colon.
  private static func value(_ data: UnsafeRawBufferPointer, behind end: Int) -> Int? {
    let colon = skipBlanks(data, end)
    guard colon < data.count, data[colon] == UInt8(ascii: ":") else { return nil }
    return skipBlanks(data, colon + 1)
  }

  private static func skipBlanks(_ data: UnsafeRawBufferPointer, _ start: Int) -> Int {
    var index = start
    while index < data.count, data[index] == 0x20 { index += 1 }
    return index
  }
}
