// Event streams: where they may be interrupted, and what their events are, in every delivery.

import Testing

@testable import Wire

private func events(_ bytes: [UInt8], _ lengths: [Int], bytesMax: Int = 1 << 20) -> [String] {
  var scanner = SSEScanner(eventBytesMax: bytesMax)
  var found: [String] = []
  let note = { (event: SSEEvent) in
    found.append(
      "\(text(event.name))|\(text(event.data))|\(event.dataLineCount)\(event.isDone ? "|done" : "")|\(event.bytes.count)"
    )
  }
  for piece in pieces(bytes, lengths) { piece.withUnsafeBytes { scanner.scan($0, note) } }
  scanner.finish(note)
  #expect(scanner.isBetweenEvents)
  return found
}

private func eventsEveryWay(_ stream: String, _ location: SourceLocation = #_sourceLocation) -> [String] {
  let bytes = Array(stream.utf8)
  let whole = events(bytes, [bytes.count])
  for lengths in deliveries(of: bytes.count) {
    let split = events(bytes, lengths)
    #expect(split == whole, "delivered as \(lengths.prefix(2))", sourceLocation: location)
    if split != whole { break }
  }
  return whole
}

@Suite("Event streams")
struct SSETests {
  @Test("something may be put in behind an empty line and nowhere else")
  func boundaries() {
    let table = [
      ("", true), ("\n", false), ("\n\n", true), ("data: x\n", false), ("data: x\n\n", true), ("data: x\r\n\r\n", true),
      ("data: x\r\n", false), ("data: x\r\n\r", false), ("data: x\r\r", true), ("data: x\n\r\n", true),
      ("x\n\n ", false),
      ("data: x\r", false), (": ping\n\n", true), ("\r\n", false), ("data", false), ("\n\r\n", true),
    ]
    for (stream, expected) in table {
      let bytes = Array(stream.utf8)
      let tail = bytes.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      #expect(SSE.endsEvent(tail: tail, count: UInt64(bytes.count)) == expected, "\(stream.debugDescription)")
    }
  }

  @Test("events are found whatever their line ends")
  func lineEnds() {
    let expected = ["|{\"a\":1}|1", "error|x|2", "|[DONE]|1|done"]
    for end in ["\n", "\r\n", "\r"] {
      let lines = ["data: {\"a\":1}", "", "event: error", "data:x", "data: y", "", "data: [DONE]", "", ""]
      let found = eventsEveryWay(lines.joined(separator: end))
      #expect(
        found.map { $0.split(separator: "|", omittingEmptySubsequences: false).dropLast().joined(separator: "|") }
          == expected)
    }
  }

  @Test("an event's bytes are all of it, with the empty line")
  func bytes() {
    #expect(eventsEveryWay("data: a\r\n\r\ndata: bc\n\n") == ["|a|1|11", "|bc|1|10"])
    #expect(eventsEveryWay("data: a\r\rdata: b\r\r\n") == ["|a|1|9", "|b|1|10"])
  }

  @Test("comments are events without data, and empty lines are no events")
  func comments() {
    #expect(eventsEveryWay("\n\n: ping\n\n\n\r\n\rdata\n\ndata:\n\n:\n\n") == ["||0|8", "||1|6", "||1|7", "||0|3"])
  }

  @Test("names of fields are exact")
  func names() {
    #expect(eventsEveryWay("Data: a\ndatax: b\n data: c\nda: d\ndata : e\n\n") == ["||0|42"])
    #expect(eventsEveryWay("data:  two\n\n") == ["| two|1|12"])
  }

  @Test("an event that was cut is none")
  func cut() {
    #expect(eventsEveryWay("data: a\n\ndata: b\n") == ["|a|1|9"])
    #expect(eventsEveryWay("data: a") == [])
  }

  @Test("an event that is split and too long is passed over, and the next one is found")
  func oversize() {
    let stream = "data: \(String(repeating: "x", count: 50))\n\ndata: b\n\n"
    let bytes = Array(stream.utf8)
    #expect(events(bytes, Array(repeating: 1, count: bytes.count), bytesMax: 20) == ["|b|1|9"])
    // In one run it needs no room at all.
    #expect(events(bytes, [bytes.count], bytesMax: 20).count == 2)
    var scanner = SSEScanner(eventBytesMax: 20)
    for piece in pieces(bytes, [30, bytes.count - 30]) { piece.withUnsafeBytes { scanner.scan($0) { _ in } } }
    #expect(scanner.oversizeCount == 1)
  }

  @Test("random streams are divided in one way")
  func noise() {
    for seed in UInt64(0)..<500 {
      var random = Seeded(seed: seed)
      let bytes = (0..<random.below(60)).map { _ in random.pick(Array("\r\n\r\ndata: x\n\r".utf8)) }
      let whole = events(bytes, [bytes.count])
      #expect(events(bytes, random.cuts(bytes.count)) == whole, "seed \(seed)")
    }
  }
}
