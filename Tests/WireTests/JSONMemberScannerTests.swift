// What the scanner finds in bodies, in every delivery, and what it refuses.

import Testing

@testable import Wire

func scan(_ bytes: [UInt8], _ lengths: [Int]) -> JSONMemberScanner {
  var scanner = JSONMemberScanner()
  for piece in pieces(bytes, lengths) { piece.withUnsafeBytes { scanner.scan($0) } }
  scanner.finish()
  return scanner
}

/// What a scan found, as one comparable value.
struct Found: Equatable, CustomStringConvertible {
  var outcome: ScanOutcome
  var model: String?
  var modelBytes: String?
  var stream: Bool?
  var streamNotBoolean = false
  var includeUsage: Bool?
  var maxTokens: Int?
  var options: String?

  init(_ scanner: JSONMemberScanner, in bytes: [UInt8]) {
    outcome = scanner.outcome
    guard outcome == .object else { return }
    model = scanner.modelText
    modelBytes = scanner.modelRange.map { text(bytes[$0]) }
    stream = scanner.stream
    streamNotBoolean = scanner.streamNotBoolean
    includeUsage = scanner.includeUsage
    maxTokens = scanner.maxTokens
    options = scanner.streamOptionsRange.map { text(bytes[$0]) }
    #expect(scanner.closingBrace.map { bytes[$0] } == UInt8(ascii: "}"))
  }

  var description: String {
    "\(outcome) \(model ?? "-") stream=\(stream as Any) usage=\(includeUsage as Any) max=\(maxTokens as Any)"
  }
}

func scanEveryWay(_ json: String, _ location: SourceLocation = #_sourceLocation) -> Found {
  scanEveryWay(Array(json.utf8), location)
}

func scanEveryWay(_ bytes: [UInt8], _ location: SourceLocation = #_sourceLocation) -> Found {
  let whole = Found(scan(bytes, [bytes.count]), in: bytes)
  for lengths in deliveries(of: bytes.count) {
    let split = Found(scan(bytes, lengths), in: bytes)
    #expect(split == whole, "delivered as \(lengths.prefix(2))", sourceLocation: location)
    if split != whole { break }
  }
  return whole
}

@Suite("JSON members")
struct JSONMemberScannerTests {
  @Test("model, stream, usage and token bound are found wherever they stand")
  func members() {
    let found = scanEveryWay(
      #" {"messages":[{"role":"user","content":"\"model\":\"no\" {[","model":"nested"}],"stream" : true ,"#
        + #""stream_options":{"a":{"include_usage":false},"include_usage":true,"b":[1]},"max_tokens":64,"model":"gpt-4o"} "#
        + "\n")
    #expect(found.outcome == .object)
    #expect(found.model == "gpt-4o")
    #expect(found.modelBytes == #""gpt-4o""#)
    #expect(found.stream == true)
    #expect(found.includeUsage == true)
    #expect(found.maxTokens == 64)
    #expect(found.options == #"{"a":{"include_usage":false},"include_usage":true,"b":[1]}"#)
  }

  @Test("an escaped key counts and an escaped value is decoded")
  func escapes() {
    let found = scanEveryWay(#"{"mod\u0065l":"a\/\u00e9\ud83d\ude00\n"}"#)
    #expect(found.model == "a/é😀\n")
    #expect(found.modelBytes == #""a\/\u00e9\ud83d\ude00\n""#)
  }

  @Test(
    "a body is refused for one reason",
    arguments: [
      ("", ScanFailure.notAnObject), ("   ", .notAnObject), ("[1]", .notAnObject), ("\"a\"", .notAnObject),
      ("null", .notAnObject), ("\u{feff}{}", .malformed(at: 0)), ("{", .truncated), ("{\"model\":\"a", .truncated),
      ("{\"model\":\"a\"", .truncated), ("{\"a\":1", .truncated), ("{}x", .trailingBytes), ("{}{}", .trailingBytes),
      ("{} \0", .trailingBytes), ("{\"model\":\"a\",\"model\":\"b\"}", .duplicateModel),
      ("{\"model\":\"a\",\"\\u006dodel\":\"a\"}", .duplicateModel), ("{\"model\":null}", .modelNotString),
      ("{\"model\":1}", .modelNotString), ("{\"model\":[\"a\"]}", .modelNotString),
      ("{\"model\":{\"model\":\"a\"}}", .modelNotString), ("{\"model\":\"\\ud800\"}", .malformed(at: 16)),
      ("{\"model\":\"\\udc00\"}", .malformed(at: 15)), ("{\"model\":\"\\ud800\\n\"}", .malformed(at: 17)),
      ("{\"model\":\"\\ud800\\ud800\"}", .malformed(at: 21)), ("{\"model\":\"\\x\"}", .malformed(at: 11)),
      ("{\"model\":\"\\u00g0\"}", .malformed(at: 14)), ("{\"model\":\"a\nb\"}", .malformed(at: 11)),
      ("{\"a\" 1}", .malformed(at: 5)), ("{\"a\":}", .malformed(at: 5)), ("{\"a\":1,}", .malformed(at: 7)),
      ("{,}", .malformed(at: 1)), ("{\"a\":[1,]}", .malformed(at: 8)), ("{\"a\":[1}", .malformed(at: 7)),
      ("{\"a\":{]}", .malformed(at: 6)), ("{'a':1}", .malformed(at: 1)), ("{\"a\":'b'}", .malformed(at: 5)),
      ("{/**/}", .malformed(at: 1)), ("{\"a\":1/**/}", .malformed(at: 6)), ("{a:1}", .malformed(at: 1)),
      ("{\0}", .malformed(at: 1)), ("{\"a\":1 2}", .malformed(at: 7)), ("{\"a\":1\"b\":2}", .malformed(at: 6)),
    ])
  func refused(_ json: String, _ failure: ScanFailure) {
    #expect(scanEveryWay(json).outcome == .failed(failure), "\(json)")
  }

  @Test("what only looks like a wanted member is none")
  func lookalikes() {
    let found = scanEveryWay(
      #"{"Model":"a","models":"b","mode":"c","m\u006fdel ":"d","x":["model","e"],"y":{"model":"f","stream":true},"#
        + #""model\u0000":"g","\ud800model":"h","include_usage":true,"z":"\\\"model\":"}"#)
    #expect(found.outcome == .object)
    #expect(found.model == nil)
    #expect(found.stream == nil)
    #expect(found.includeUsage == nil)
  }

  @Test("of members that occur twice the last one counts")
  func doubles() {
    let found = scanEveryWay(
      #"{"stream":true,"stream":"yes","stream":false,"max_tokens":1,"max_tokens":2,"#
        + #""stream_options":{"include_usage":true},"stream_options":{}}"#)
    #expect(found.stream == false)
    #expect(found.streamNotBoolean == false)
    #expect(found.maxTokens == 2)
    #expect(found.includeUsage == nil)
    #expect(found.options == "{}")
    #expect(scanEveryWay(#"{"stream":true,"stream":[true]}"#).streamNotBoolean)
    #expect(scanEveryWay(#"{"stream":true,"stream":null}"#).stream == nil)
  }

  @Test("the bound on tokens is a whole number of the newest member, however large")
  func tokens() {
    let table = [
      (#"{"max_tokens":5}"#, 5), (#"{"max_tokens":5,"max_completion_tokens":7}"#, 7), (#"{"max_output_tokens":9}"#, 9),
      (#"{"max_tokens":-5}"#, nil), (#"{"max_tokens":1e3}"#, 1000), (#"{"max_tokens":100.0}"#, 100),
      (#"{"max_tokens":1.5}"#, nil), (#"{"max_tokens":"5"}"#, nil),
      (#"{"max_tokens":99999999999999999999999999999999}"#, .max),
      (#"{"max_tokens":9223372036854775807}"#, .max), (#"{"max_tokens":9223372036854775808}"#, .max),
      (#"{"max_tokens":1e300}"#, .max), (#"{"max_tokens":null}"#, nil),
    ]
    for (json, expected) in table { #expect(scanEveryWay(json).maxTokens == expected, "\(json)") }
  }

  @Test("nesting is followed to its bound and no further")
  func depth() {
    func nested(_ depth: Int) -> [UInt8] {
      let open = (0..<depth).map { $0 % 2 == 0 ? "[" : "{\"a\":" }.joined()
      let close = (0..<depth).reversed().map { $0 % 2 == 0 ? "]" : "}" }.joined()
      return Array(("{\"a\":" + open + "1" + close + ",\"model\":\"m\"}").utf8)
    }
    let deepest = nested(JSONMemberScanner.depthMax - 1)
    #expect(Found(scan(deepest, [deepest.count]), in: deepest).model == "m")
    #expect(Found(scan(deepest, Array(repeating: 1, count: deepest.count)), in: deepest).model == "m")
    let deeper = nested(JSONMemberScanner.depthMax)
    #expect(scan(deeper, [deeper.count]).outcome == .failed(.tooDeep))
    let bomb = Array("{\"a\":".utf8) + Array(repeating: UInt8(ascii: "["), count: 100_000)
    #expect(scan(bomb, [bomb.count]).outcome == .failed(.tooDeep))
  }

  @Test("a name may have a kilobyte and not a byte more")
  func longNames() {
    let name = String(repeating: "é", count: 512)
    #expect(scan(Array("{\"model\":\"\(name)\"}".utf8), [10, 1026]).modelText == name)
    let long = Array("{\"model\":\"\(name)x\"}".utf8)
    #expect(scan(long, [long.count]).outcome == .failed(.modelTooLong))
    let notText = Array("{\"model\":\"".utf8) + [0xff] + Array("\"}".utf8)
    #expect(scanEveryWay(notText).outcome == .failed(.malformed(at: 11)))
  }

  @Test("where a member may be added is known")
  func closingBrace() {
    let bytes = Array(#" {"a":{"b":1}} "#.utf8)
    let scanner = scan(bytes, [bytes.count])
    #expect(scanner.closingBrace == 13)
    #expect(scanner.hasMembers)
    #expect(!scan(Array("{ }".utf8), [3]).hasMembers)
  }

  @Test("long strings with many escapes cost time in proportion to their length")
  func manyEscapes() {
    for escape in ["\\n", "\\\"", "\\\\"] {
      let text = String(repeating: escape, count: 500_000)
      let bytes = Array("{\"a\":\"\(text)\",\"model\":\"m\"}".utf8)
      let clock = ContinuousClock()
      var scanner = JSONMemberScanner()
      let time = clock.measure { bytes.withUnsafeBytes { scanner.scan($0) } }
      #expect(scanner.modelText == "m")
      // Searching for the end again behind each escape would take minutes.
      #expect(time < .seconds(5))
    }
  }
}
