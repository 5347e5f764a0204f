// A streamed answer as a function from numbers to events. Nothing is made before it is sent, so a stream of any length
// costs a few hundred bytes.

/// The events of a stream, by number.
protocol EventScript {
  /// How many there are.
  var eventCount: Int { get }
  /// The event at `index`, which is below `eventCount`.
  func event(_ index: Int) -> ScriptedEvent
  /// How this kind of stream says that it failed.
  func failure(_ error: APIError, at index: Int) -> ScriptedEvent
}

/// One event of a stream.
struct ScriptedEvent: Equatable {
  /// Name in an `event:` line; empty for none.
  var name = ""
  /// What the `data:` line carries.
  var data: [UInt8]
  /// Whether a model would have needed time for it: the pause between words comes before it.
  var isWord = false

  init(name: String = "", _ json: JSON, isWord: Bool = false) {
    self.name = name
    data = json.bytes
    self.isWord = isWord
  }

  private init(literal: String) { data = Array(literal.utf8) }

  /// The end of a stream of chunks.
  static let done = ScriptedEvent(literal: "[DONE]")

  /// The event as it is sent. JSON has no line ends of its own, so one `data:` line does.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(data.count + name.utf8.count + 20)
    if !name.isEmpty { bytes.append(contentsOf: "event: \(name)\n".utf8) }
    bytes.append(contentsOf: "data: ".utf8)
    bytes.append(contentsOf: data)
    bytes.append(contentsOf: "\n\n".utf8)
    return bytes
  }
}
