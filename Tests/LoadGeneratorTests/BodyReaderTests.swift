import Stamp
import Testing

@testable import LoadGenerator

@Suite("The reader of answers in one piece")
struct BodyReaderTests {
  private static func answer(filler: Int) -> [UInt8] {
    var text = [UInt8](repeating: 0, count: filler)
    text.withUnsafeMutableBytes { Filler.fill($0) }
    return Array("\(Texts.answerFront)".utf8) + text + Array("\(Texts.answerBack)".utf8)
  }

  private func read(_ pieces: [[UInt8]], _ expected: AnswerShape, keeping count: Int = 0) -> (Faults, [UInt8]) {
    let reader = BodyReader(expected: expected)
    reader.begin(keeping: count)
    for piece in pieces where !piece.isEmpty { piece.withUnsafeBytes { reader.payload($0) } }
    return (reader.end(), reader.kept)
  }

  private func mock(filler: Int? = nil) -> AnswerShape {
    let expected = AnswerShape()
    expected.isMock = true
    expected.answerFiller = filler
    return expected
  }

  @Test("a right answer is right at every split, known or learned", arguments: [true, false])
  func splits(isKnown: Bool) {
    let bytes = Self.answer(filler: 500)
    for split in 0...bytes.count {
      let expected = isKnown ? mock(filler: 500) : AnswerShape()
      let (faults, _) = read([Array(bytes[..<split]), Array(bytes[split...])], expected)
      #expect(faults.isEmpty, "split at \(split)")
      #expect(expected.answerFiller == 500)
    }
    #expect(read(bytes.map { [$0] }, mock(filler: 500)).0.isEmpty)
  }

  @Test("an answer of any length is right", arguments: [0, 1, 60, 61, 62, 65_536, 300_000])
  func lengths(filler: Int) {
    let bytes = Self.answer(filler: filler)
    #expect(read([bytes], mock(filler: filler)).0.isEmpty)
    #expect(read([bytes], AnswerShape()).0.isEmpty)
  }

  @Test("an answer that lies is caught")
  func lies() {
    let good = Self.answer(filler: 500)
    var garbled = good
    garbled[400] ^= 1
    for (name, bytes) in [
      ("short", Self.answer(filler: 499)), ("long", Self.answer(filler: 501)), ("garbled", garbled),
      ("another", Array("{\"choices\":[]}".utf8)), ("cut", Array(good[..<300])), ("empty", []),
      ("moved", Array(good[..<200]) + Array(good[261...]) + Array(good[200..<261])),
    ] {
      #expect(read([bytes], mock(filler: 500)).0 == .bytes, "\(name)")
    }
    var block = good
    block.swapAt(200, 210)
    #expect(read([block], mock(filler: 500)).0 == .bytes)
  }

  private static func words(_ content: String) -> [UInt8] {
    Array("{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"\(content)\"}}]}".utf8)
  }

  @Test(
    "an endpoint whose words begin as a mock's do is not taken for one",
    arguments: ["~ hello", "~ABCDE and so on", "~"])
  func lookalike(content: String) {
    // The first answer has decided.
    let expected = AnswerShape()
    for words in ["hello", content, "hello", content] { #expect(read([Self.words(words)], expected).0.isEmpty) }
    #expect(expected.isMock == false)
    // It is known before the first.
    let known = AnswerShape()
    known.isMock = false
    for words in [content, "hello"] { #expect(read([Self.words(words)], known).0.isEmpty) }
    #expect(known.isMock == false)
  }

  @Test(
    "words that go on as no mock's do are no mock's, though they come first",
    arguments: ["~ hello", "~ABCDE and so on"])
  func firstLookalike(content: String) {
    let expected = AnswerShape()
    for words in [content, "hello", "~"] { #expect(read([Self.words(words)], expected).0.isEmpty) }
    #expect(expected.isMock == false)
  }

  @Test("a mock's answer that goes wrong is wrong, though it comes first")
  func firstLie() {
    let expected = AnswerShape()
    var garbled = Self.answer(filler: 500)
    garbled[400] ^= 1
    #expect(read([garbled], expected).0 == .bytes && expected.isMock == nil)
    #expect(read([Self.answer(filler: 500)], expected).0.isEmpty)
    #expect(expected.isMock == true && expected.answerFiller == 500)
    #expect(read([garbled], expected).0 == .bytes && read([Self.words("hello")], expected).0 == .bytes)
  }

  @Test("answers of others are not compared, but kept where somebody wants them")
  func others() {
    let body = Array("{\"choices\":[{\"message\":{\"content\":\"hello\"}}],\"usage\":{\"completion_tokens\":7}}".utf8)
    let (faults, kept) = read([Array(body[..<30]), Array(body[30...])], AnswerShape(), keeping: 1000)
    #expect(faults.isEmpty && kept == body)
    #expect(kept.withUnsafeBytes { Delta.completionTokens($0) } == 7)
    #expect(read([body], AnswerShape(), keeping: 10).1 == Array(body[..<10]))
  }
}
