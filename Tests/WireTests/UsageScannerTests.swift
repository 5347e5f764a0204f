import Testing

@testable import Wire

@Suite("Usage is read while it passes")
struct UsageScannerTests {
  /// What is found in `text`, the same in every delivery.
  static func found(_ text: String) -> TokenUsage? {
    let bytes = Array(text.utf8)
    var results: [TokenUsage?] = []
    for way in deliveries(of: bytes.count) {
      var scanner = UsageScanner()
      var all: TokenUsage?
      for piece in pieces(bytes, way) {
        piece.withUnsafeBytes { scanner.scan($0) }
        guard let usage = scanner.take() else { continue }
        var sum = all ?? TokenUsage()
        sum.update(usage)
        all = sum
      }
      results.append(all)
    }
    let first = results.first ?? nil
    #expect(results.allSatisfy { $0 == first }, "pieces make no difference")
    return first
  }

  @Test(
    "the counts of chats, completions, responses and messages, however they are printed",
    arguments: [
      #"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#,
      #"{"usage": { "total_tokens" : 5 , "completion_tokens" : 2, "prompt_tokens" : 3 } , "x": 1}"#,
      "data: {\"usage\":{\"prompt_tokens\":3,\"prompt_tokens_details\":{\"total_tokens\":9,\"a\":[{}]},\"completion_tokens\":2,"
        + "\"total_tokens\":5}}\n\ndata: [DONE]\n\n",
      #"{"response":{"usage":{"input_tokens":3,"output_tokens":2,"total_tokens":5}}}"#,
      "{\"usage\"\n:\r\n{\"prompt_tokens\":3,\"completion_tokens\":2,\"x\":null,\"y\":\"}\\\"\",\"total_tokens\":5}}",
    ])
  func forms(_ text: String) {
    #expect(Self.found(text) == TokenUsage(input: 3, output: 2, total: 5))
  }

  @Test("the last of several counts, as servers send that report it with every chunk")
  func several() {
    let text =
      "data: {\"usage\":null}\n\ndata: {\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\n"
      + "data: {\"usage\":{\"completion_tokens\":2}}\n\n"
    #expect(Self.found(text) == TokenUsage(input: 3, output: 2))
  }

  @Test(
    "what only looks like usage is none",
    arguments: [
      "", "usage", #"{"usage":null}"#, #"{"usage":[{"prompt_tokens":3}]}"#,
      #"{"content":"\"usage\":{\"prompt_tokens\":3}"}"#,
      #"{"usages":{"prompt_tokens":3}}"#, #"{"x":"usage"}"#, #"{"x":"usage","prompt_tokens":3}"#, #""usage"#,
    ])
  func none(_ text: String) {
    #expect(Self.found(text) == nil)
  }

  @Test(
    "a count is a whole number that is not absurd",
    arguments: [
      #"{"usage":{"prompt_tokens":1.5}}"#, #"{"usage":{"prompt_tokens":1e3}}"#, #"{"usage":{"prompt_tokens":-3}}"#,
      #"{"usage":{"prompt_tokens":"3"}}"#, #"{"usage":{"prompt_tokens":99999999999999999999999}}"#, #"{"usage":{}}"#,
      #"{"usage":{"prompt_token\u0073":3}}"#,
    ])
  func counts(_ text: String) {
    #expect(Self.found(text) == TokenUsage())
  }

  @Test("the last mark of a run is found wherever it stands")
  func last() {
    for length in 0..<80 {
      for place in 0...length {
        let text =
          String(repeating: "\"usag\"", count: 20).prefix(place) + "\"usage\""
          + String(repeating: "\"", count: length - place)
        #expect(Array(text.utf8).withUnsafeBytes { UsageScanner.last(in: $0) } == place)
        let none = Array(text.utf8.dropLast(length - place + 1))
        #expect(none.withUnsafeBytes { UsageScanner.last(in: $0) } == nil)
      }
    }
  }

  @Test("between pieces nothing is under way, unless one was cut within what is looked for")
  func idle() {
    var scanner = UsageScanner()
    func scan(_ text: String) { Array(text.utf8).withUnsafeBytes { scanner.scan($0) } }
    scan("data: {\"a\":\"g\"}\n\n")
    #expect(scanner.isIdle)
    scan("{\"us")
    #expect(!scanner.isIdle)
    scan("er\":1}")
    #expect(scanner.isIdle)
  }

  @Test("arbitrary bytes do not trap")
  func anyBytes() {
    var random = Seeded(seed: 11)
    let alphabet = Array(#"{}[]",:\"usage"prompt_tokens123"#.utf8)
    for _ in 0..<20_000 {
      var scanner = UsageScanner()
      for _ in 0..<3 {
        let head = Bool.random(using: &random) ? Array(#""usage":{"prompt_tokens":"#.utf8) : []
        let bytes =
          head
          + (0..<Int.random(in: 0...24, using: &random)).map { _ in
            alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
          }
        bytes.withUnsafeBytes { scanner.scan($0) }
        _ = scanner.take()
      }
    }
  }
}
