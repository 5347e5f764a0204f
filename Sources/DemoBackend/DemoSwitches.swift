// What a single request may ask of the demo backend: to be slow, to fail, to break off. Pure values; Delivery.swift obeys
// them.
//
//   x-demo: gap=200, cut=5            a header (`extra_headers` of the SDKs)
//   "demo": {"gap": 200, "cut": 5}    a member of the body (`extra_body`), or the header's text as a string
//   "metadata": {"demo": "gap=200"}   the same where only metadata gets through
//   [demo gap=200 cut=5]              in the last user message, for people in a chat window
//
// Where several ask, the header wins over the body, and the body over the message. What is not understood is ignored.

/// The switches of one request. Nil: as the settings have it.
struct DemoSwitches: Equatable {
  /// `status=503`: answer with this error, 400 to 599.
  var status: Int?
  /// `retry=2`: seconds in `retry-after` of an error; 1 for 429 and 503 when it is not given.
  var retry: Int?
  /// `delay=2000`: milliseconds before the first byte.
  var delay: Int?
  /// `gap=200`: milliseconds between the words of a stream.
  var gap: Int?
  /// `words=50`: length of the answer.
  var words: Int?
  /// `cut=5`: close the connection after 5 events (not streamed: bytes of the body); 0 before any byte of the answer.
  var cut: Int?
  /// `reset=5`: the same with RST.
  var reset: Int?
  /// `stall=3`: send nothing more after 3 events (or bytes), and keep the connection open.
  var stall: Int?
  /// `error=3`: after 3 events send an error event and end the stream, as backends do that fail in the middle.
  var error: Int?
  /// `close=1`: `connection: close`.
  var close: Int?

  /// Longest pause in milliseconds, an hour.
  static let pauseMax = 3_600_000
  /// Longest answer in words.
  static let wordsMax = 200_000

  private static let names: [(String, WritableKeyPath<DemoSwitches, Int?> & Sendable, ClosedRange<Int>)] = [
    ("status", \.status, 400...599), ("retry", \.retry, 0...86_400), ("delay", \.delay, 0...pauseMax),
    ("gap", \.gap, 0...pauseMax), ("words", \.words, 1...wordsMax), ("cut", \.cut, 0...Int.max),
    ("reset", \.reset, 0...Int.max), ("stall", \.stall, 0...Int.max), ("error", \.error, 0...Int.max),
    ("close", \.close, 0...1),
  ]

  init() {}

  /// Reads `name=number` pairs with commas, semicolons or spaces between them.
  init(text: String) {
    for pair in text.split(whereSeparator: { $0 == "," || $0 == ";" || $0 == " " || $0 == "\t" }) {
      let sides = pair.split(separator: "=", maxSplits: 1)
      guard sides.count == 2, let value = Int(sides[1]) else { continue }
      set(sides[0].lowercased(), value)
    }
  }

  /// Reads what a request's body says in `demo` or `metadata.demo`.
  init(body: JSON) {
    let wish = body["demo"] ?? body["metadata"]?["demo"]
    if let text = wish?.text { self.init(text: text) } else { self.init() }
    for member in wish?.members ?? [] {
      if let value = member.value.integer ?? member.value.text.flatMap({ Int($0) }) { set(member.name, value) }
    }
  }

  /// Reads `[demo …]` in a message.
  init(message: String) {
    self.init()
    let opening = "[demo "
    var rest = message[...]
    while let bracket = rest.firstIndex(of: "[") {
      rest = rest[bracket...]
      if rest.hasPrefix(opening) {
        self.init(text: String(rest.dropFirst(opening.count).prefix(200).prefix { $0 != "]" }))
        return
      }
      rest = rest.dropFirst()
    }
  }

  /// These switches, and those of `other` where these say nothing.
  func over(_ other: DemoSwitches) -> DemoSwitches {
    var both = self
    for (_, path, _) in Self.names where both[keyPath: path] == nil { both[keyPath: path] = other[keyPath: path] }
    return both
  }

  private mutating func set(_ name: String, _ value: Int) {
    guard let (_, path, range) = Self.names.first(where: { $0.0 == name }) else { return }
    self[keyPath: path] = min(max(value, range.lowerBound), range.upperBound)
  }
}
