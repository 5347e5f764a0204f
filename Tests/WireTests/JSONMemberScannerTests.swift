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
}
