// Changes top-level members of the JSON objects that the events of a stream carry (`data: {…}`), as they pass.

/// Edits the events of a `text/event-stream` in pieces of any size. Everything but the members' values passes as it came:
/// comments, names, ids, white space, line ends.
public struct EventEditor: Sendable {
  private enum Line: UInt8 {
    /// At its beginning, or so many bytes into `data:`.
    case field
    case data, other
  }

  private var object: MemberEditor
  private var line = Line.field
  private var matched = 0

  public init(_ edits: [MemberEdit]) { object = MemberEditor(edits) }

  /// Takes the next run of the stream and appends what becomes of it to `out`.
  public mutating func edit(_ bytes: UnsafeRawBufferPointer, into out: inout [UInt8]) {
    var index = 0
    while index < bytes.count {
      switch line {
      case .field:
        let byte = bytes[index]
        if Self.isEnd(byte) {
          endLine(&out, byte)
        } else {
          out.append(byte)
          line = byte == Self.data[matched] ? .field : .other
          matched += 1
          if line == .field, matched == Self.data.count { line = .data }
        }
        index += 1
      case .data, .other:
        var end = index
        while end < bytes.count, !Self.isEnd(bytes[end]) { end += 1 }
        let run = UnsafeRawBufferPointer(rebasing: bytes[index..<end])
        if line == .data { object.edit(run, into: &out) } else { out.append(contentsOf: run) }
        index = end
        if end < bytes.count {
          endLine(&out, bytes[end])
          index += 1
        }
      }
    }
  }

  private mutating func endLine(_ out: inout [UInt8], _ byte: UInt8) {
    out.append(byte)
    // An empty line ends the event, and so does what is between CR and LF: an object that is printed over several lines
    // of an event is edited in its first only.
    if line == .field, matched == 0 { object.reset() }
    if line == .data, object.isComplete { object.reset() }
    line = .field
    matched = 0
  }

  private static let data = Array("data:".utf8)

  @inline(__always)
  private static func isEnd(_ byte: UInt8) -> Bool { byte == 0x0a || byte == 0x0d }
}
