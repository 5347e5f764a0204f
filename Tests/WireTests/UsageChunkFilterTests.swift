// What a client that did not ask for usage is given of a stream that has it.

import Testing

@testable import Wire

@Suite("The usage chunk is left out of a stream")
struct UsageChunkFilterTests {
  static let usage = #"data: {"id":"1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#

  static func filtered(_ bytes: [UInt8], _ lengths: [Int]) -> [UInt8] {
    var filter = UsageChunkFilter()
    var out: [UInt8] = []
    for piece in pieces(bytes, lengths) { piece.withUnsafeBytes { filter.filter($0) { out += $0 } } }
    filter.finish { out += $0 }
    #expect(!filter.isHolding)
    return out
  }

  /// What is left of `stream`, the same in every delivery.
  static func left(of stream: String) -> String {
    let bytes = Array(stream.utf8)
    let results = Set(deliveries(of: bytes.count).map { filtered(bytes, $0) })
    #expect(results.count == 1, "pieces make no difference")
    return results.first.map { text($0) } ?? ""
  }

  @Test(
    "it is dropped with the line that ends it, and its neighbours keep every byte", arguments: ["\n", "\r\n", "\r"])
  func dropped(_ end: String) {
    let before = [
      ": hello", "", "id: 7", "event: chunk", #"data: {"choices":[{"index":0}],"usage":null}"#, "", "", "",
    ]
    let after = ["data: [DONE]", "", ""]
    let stream = (before + [Self.usage, ""] + after).joined(separator: end)
    #expect(Self.left(of: stream) == (before + after).joined(separator: end))
  }

  @Test(
    "it is known however it is printed",
    arguments: [
      #"data:{"usage":{},"choices":[]}"#, #"data: { "choices" : [ ] , "usage" : { } } "#,
      "data: {\"choices\":\t[\ndata: ], \"usage\":\ndata:{\"a\":[{}]}\ndata:}",
      ": comment\nid: 1\nretry: 5\ndata\ndata: {\"choices\":[],\"usage\":{\"x\":\"}\\\"]\"}}",
      #"data: {"a":"\\","b":[{"choices":[1]}],"usage":{"usage":null,"choices":0},"c":-1.5e3,"choices":[]}"#,
      #"data: {"choices":[],"usage":{},"choices":[],"usage":{}}"#,
      "event: x\ndata: {\"n\":1\ndata: ,\"choices\":[],\"usage\":{}}",
    ])
  func known(_ event: String) {
    #expect(Self.left(of: "data: a\n\n" + event + "\n\ndata: b\n\n") == "data: a\n\ndata: b\n\n")
  }

  @Test(
    "every other event passes",
    arguments: [
      #"data: {"choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#, #"data: {"choices":[],"usage":null}"#,
      #"data: {"choices":[{"index":0}],"usage":{"prompt_tokens":3}}"#, #"data: {"choices":[0],"usage":{}}"#,
      #"data: {"choices":null,"usage":{}}"#, #"data: {"choices":{},"usage":{}}"#, #"data: {"usage":{}}"#, "data: {}",
      #"data: {"choices":[],"usage":[]}"#, #"data: {"choices":[],"usage":"{}"}"#,
      #"data: {"x":{"choices":[],"usage":{}}}"#,
      #"data: [{"choices":[],"usage":{}}]"#, #"data: {"x":"{\"choices\":[],\"usage\":{}}"}"#,
      #"data: {"choices":[],"usage":{}"#, #"data: {"choices":[],"usage":{}}}"#, #"data: {"choices":[],"usage":{}} x"#,
      #"data: {"choices":[],"usage":{},}"#, #"data: {"choices":[] "usage":{}}"#,
      #"data: {"choices":[],"usage":{},"a":}"#,
      #"data: {"Choices":[],"usage":{}}"#, #"data: {"choices":[],"usages":{}}"#, #"data: {"choice":[],"usage":{}}"#,
      #"data: {"choicesx":[],"usage":{}}"#, #"data: {"\u0063hoices":[],"usage":{}}"#, #": {"choices":[],"usage":{}}"#,
      #"event: {"choices":[],"usage":{}}"#, #"data2: {"choices":[],"usage":{}}"#, #"Data: {"choices":[],"usage":{}}"#,
      #"{"choices":[],"usage":{}}"#, "data: {\"choices\":[],\"us\ndata: age\":{}}",
      "data: {\"choices\":[],\"usage\":{\"a\ndata: \":1}}",
      "data: {\"a\":\"\ndata: \",\"choices\":[],\"usage\":{}}", #"data: {"choices":[],"usage":{}}"# + "\ndata: {}",
      #"data: {"choices":[],"choices":[{}],"usage":{}}"#, #"data: {"choices":[],"usage":{},"usage":null}"#,
      "data: [DONE]",
      "data:", "data", "", ":", #"data: "choices""#, #"data: {"error":{"message":"choices"}}"#,
      "\u{feff}data: {\"choices\":[],\"usage\":{}}",
    ])
  func passes(_ event: String) {
    let stream = event + "\n\ndata: x\n\n"
    #expect(Self.left(of: stream) == stream)
  }

  @Test("what is held at the end of a stream goes on", arguments: ["", "\n", "\r\n"])
  func cut(_ end: String) {
    let stream = "data: x\n\n" + Self.usage + end
    #expect(Self.left(of: stream) == stream)
    for length in 0..<stream.utf8.count {
      let cut = Array(stream.utf8.prefix(length))
      #expect(Self.filtered(cut, [length]) == cut)
    }
  }

  @Test("nothing waits once an event is known to be another")
  func waitsNoLonger() {
    var filter = UsageChunkFilter()
    var out = ""
    func feed(_ piece: String) -> String {
      out = ""
      Array(piece.utf8).withUnsafeBytes { filter.filter($0) { out += text($0) } }
      return out
    }
    #expect(feed("data: {\"id\":1,\"choi") == "")
    #expect(filter.isHolding)
    #expect(feed("ces\":[") == "")
    #expect(feed("{") == "data: {\"id\":1,\"choices\":[{")
    #expect(feed("\"delta\":") == "\"delta\":")
    #expect(feed("{}}]}\n") == "{}}]}\n")
    #expect(feed("\nda") == "\n")
    #expect(feed("ta: [") == "data: [")
    #expect(feed("DONE]\n\n: comm") == "DONE]\n\n")
    #expect(feed("ent\n\n") == ": comment\n\n")
    #expect(feed("data: {\"choices\":[],\"usage\":nu") == "data: {\"choices\":[],\"usage\":nu")
    #expect(feed("ll}\n\n" + Self.usage + "\n\ndata: [DONE]\n\n") == "ll}\n\ndata: [DONE]\n\n")
    #expect(!filter.isHolding)
  }

  @Test("an event of 64 KiB is dropped, and of a longer one no more than that waits", arguments: [0, 1])
  func long(_ more: Int) {
    let frame = #"data: {"choices":[],"usage":{},"pad":""}"# + "\n\n"
    let pad = String(repeating: "x", count: UsageChunkFilter.eventBytesMax - frame.utf8.count + more)
    let event = Array(frame.replacing(#""""#, with: "\"\(pad)\"").utf8)
    #expect(event.count == UsageChunkFilter.eventBytesMax + more)
    for piece in [event.count, 1, 4096, UsageChunkFilter.eventBytesMax] {
      let lengths = Array(repeating: piece, count: event.count / piece) + [event.count % piece]
      #expect(Self.filtered(event, lengths).count == (more == 0 ? 0 : event.count), "in pieces of \(piece)")
    }
    var filter = UsageChunkFilter()
    var count = 0
    let endless = Array(("data: {\"pad\":\"" + String(repeating: "x", count: 100_000)).utf8)
    endless.withUnsafeBytes { filter.filter($0) { count += $0.count } }
    #expect(count == endless.count)
  }
}

@Suite("The usage chunk, against a naive reader")
struct UsageChunkFuzzTests {
  /// Whether an event whose data is `data` is the chunk.
  static func isUsage(_ data: [UInt8]) -> Bool {
    guard let members = NaiveJSON.members(data) else { return false }
    var counts = (0, 0)
    for member in members {
      switch member.key.map(text) {
      case "choices":
        guard data[member.range].filter({ ![0x20, 0x09, 0x0a, 0x0d].contains($0) }) == Array("[]".utf8) else {
          return false
        }
        counts.0 += 1
      case "usage":
        guard case .object = member.value else { return false }
        counts.1 += 1
      default: break
      }
    }
    return counts.0 > 0 && counts.1 > 0
  }

  /// One event, and whether it is the chunk.
  static func event(_ random: inout Seeded, _ end: String) -> (text: String, isUsage: Bool) {
    var members: [String] = []
    for _ in 0...random.below(5) {
      let blank = random.chance(30) ? " " : ""
      members.append(
        random.pick([
          #""choices":[\#(blank)]"#, #""choices"\#(blank):[]"#, #""usage":\#(blank){"prompt_tokens":3}"#,
          #""usage": {}"#,
          #""usage":null"#, #""choices":[{"index":0,"delta":{}}]"#, #""id":"chatcmpl-1""#,
          #""x":{"choices":[],"usage":{}}"#,
          #""y":"\"usage\":{} \\""#, #""n":-1.5e3"#, #""b":true"#, #""l":[[],{},"]"]"#, #""usage":[]"#,
          #""choices":null"#,
        ]))
    }
    var json = "{" + members.joined(separator: random.chance(30) ? " , " : ",") + "}"
    if random.chance(10) {
      json = random.pick(["[DONE]", "", "[]", "{}", json + "}", String(json.dropLast()), "null"])
    }
    var lines: [String] = []
    var data: [UInt8] = []
    // Cut into lines where white space may stand.
    let parts = random.chance(20) ? json.components(by: " , ") : [json]
    for (place, part) in parts.enumerated() {
      let line = place == 0 ? part : ", " + part
      lines.append("data:" + (random.chance(70) ? " " : "") + line)
      data += Array((line + "\n").utf8)
    }
    if random.chance(20) { lines.insert(random.pick([": comment", "id: 1", "event: x", "data", "nothing"]), at: 0) }
    return (lines.joined(separator: end) + end + end, isUsage(data))
  }

  @Test("streams keep every event but the chunk, in random deliveries", arguments: 0..<20)
  func seeded(_ group: Int) {
    for seed in UInt64(group * 50)..<UInt64(group * 50 + 50) {
      var random = Seeded(seed: seed)
      let end = random.pick(["\n", "\r\n", "\r"])
      let events = (0..<random.below(12)).map { _ in Self.event(&random, end) }
      let stream = Array(events.map(\.text).joined().utf8)
      let expected = Array(events.filter { !$0.isUsage }.map(\.text).joined().utf8)
      let found = UsageChunkFilterTests.filtered(stream, random.cuts(stream.count))
      #expect(found == expected, "seed \(seed): \(text(stream)) became \(text(found))")
      if found != expected { return }
    }
  }

  @Test("damaged streams are the same in every delivery, and lose nothing but whole events")
  func damaged() {
    for seed in UInt64(0)..<1000 {
      var random = Seeded(seed: seed)
      let end = random.pick(["\n", "\r\n", "\r"])
      let stream = Array((0..<3).map { _ in Self.event(&random, end).text }.joined().utf8)
      let damaged = random.mutate(stream, Array("{}[]\",:\\d \r\n".utf8))
      let whole = UsageChunkFilterTests.filtered(damaged, [damaged.count])
      let split = UsageChunkFilterTests.filtered(damaged, random.cuts(damaged.count))
      #expect(whole == split, "seed \(seed)")
      #expect(UsageChunkFilterTests.filtered(whole, [whole.count]) == whole, "seed \(seed): twice is once")
      if !text(damaged).contains("usage") { #expect(whole == damaged, "seed \(seed)") }
    }
  }
}

extension String {
  /// The parts between occurrences of `mark`.
  fileprivate func components(by mark: String) -> [String] {
    split(separator: mark, omittingEmptySubsequences: false).map(String.init)
  }
}
