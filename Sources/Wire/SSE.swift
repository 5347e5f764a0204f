// Server-sent events (WHATWG HTML 9.2): where one may be put between others, and which bytes one has. Reads only; the
// bytes of a stream are never changed here.

/// Facts about event streams that need no scanner.
public enum SSE {
  /// Whether a stream whose last four payload bytes are `tail`, newest lowest, is between two events, so that a comment
  /// or an error event may be put in. True also when nothing was sent yet.
  public static func endsEvent(tail: UInt32, count: UInt64) -> Bool {
    if count == 0 { return true }
    guard count > 1 else { return false }
    switch tail & 0xffff {
    case 0x0a0a, 0x0d0d: return true
    // An empty line that ends in CR LF, behind a line that ends in LF or in CR LF.
    case 0x0d0a: return count > 2 && tail >> 16 & 0xff == 0x0a
    default: return false
    }
  }
}

/// One event, lent for the length of a call.
public struct SSEEvent {
  /// All bytes of the event, the empty line that ends it included.
  public let bytes: UnsafeRawBufferPointer
  /// Value of the first `data` line; empty when there is none.
  public let data: UnsafeRawBufferPointer
  /// How many `data` lines there are. OpenAI's events have one; of others, only the first is in `data`.
  public let dataLineCount: Int
  /// Value of the last `event` line; empty when there is none.
  public let name: UnsafeRawBufferPointer

  /// Whether this is what ends a stream of completions.
  public var isDone: Bool { dataLineCount == 1 && ASCII.same(data, "[DONE]") }

  /// Finds the lines of an event.
  init(_ bytes: UnsafeRawBufferPointer) {
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    var data = nothing
    var name = nothing
    var dataLineCount = 0
    var start = 0
    for index in bytes.indices where bytes[index] == ASCII.lf || bytes[index] == ASCII.cr {
      let line = UnsafeRawBufferPointer(rebasing: bytes[start..<index])
      start = index &+ 1
      if let value = SSEEvent.value(of: "data", in: line) {
        if dataLineCount == 0 { data = value }
        dataLineCount &+= 1
      } else if let value = SSEEvent.value(of: "event", in: line) {
        name = value
      }
    }
    self.bytes = bytes
    self.data = data
    self.dataLineCount = dataLineCount
    self.name = name
  }

  /// What stands behind the colon and one space, if `line` is a field of this name. Names are case-sensitive.
  private static func value(of name: StaticString, in line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    let length = name.utf8CodeUnitCount
    guard line.count >= length, ASCII.same(UnsafeRawBufferPointer(rebasing: line[..<length]), name) else { return nil }
    if line.count == length { return UnsafeRawBufferPointer(start: nil, count: 0) }
    guard line[length] == UInt8(ascii: ":") else { return nil }
    var value = line[(length &+ 1)...]
    if value.first == 0x20 { value = value.dropFirst() }
    return UnsafeRawBufferPointer(rebasing: value)
  }
}
