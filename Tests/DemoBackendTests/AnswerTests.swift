// What is said, and how requests bend it: no sockets.

import Testing

@testable import DemoBackend

@Suite("Answers")
struct AnswerTests {
  @Test(
    "the pieces of a text are the text",
    arguments: ["", " ", "a", " a  b\n\nc ", "日本語のとても長い文章は空白なしで書かれていますから切らなければなりません", "👩‍👩‍👧 é\u{301}"])
  func pieces(text: String) {
    #expect(Answer.pieces(of: text).joined() == text)
  }

  @Test("the question comes back with its unicode, and a long one is cut")
  func question() {
    #expect(Answer(question: " Grüße 👩‍👩‍👧?\n").text.contains("“Grüße 👩‍👩‍👧?”"))
    #expect(Answer(question: "").text.contains("did not ask"))
    #expect(Answer(question: String(repeating: "x ", count: 100_000)).text.count < 1000)
    // One character of a million scalars.
    #expect(Answer(question: "e" + String(repeating: "\u{301}", count: 1_000_000)).text.utf8.count < 5000)
  }

  @Test("words are exact, and a bound on tokens ends with length")
  func bounds() {
    for words in [1, 2, 63, 64, 65, 1000] {
      let answer = Answer(question: "q", words: words)
      #expect(answer.count == words)
      #expect(answer.text == (0..<words).map { answer.piece($0) }.joined())
      #expect(Answer.wordCount(answer.text) == words)
      #expect(answer.finish == .stop)
    }
    let cut = Answer(question: "q", words: 10, tokensMax: 4)
    #expect(cut.count == 4)
    #expect(cut.finish == .length)
    #expect(Answer(question: "q", words: 4, tokensMax: 4).finish == .stop)
  }

  @Test("a stop sequence ends the answer before it, across pieces")
  func stops() {
    #expect(Answer(question: "q", stop: ["demo back", "zzz"]).text == "Hello! This is Sluice's ")
    #expect(Answer(question: "q", stop: ["Hello"]).text.isEmpty)
    #expect(Answer(question: "q", stop: [""]).text == Answer(question: "q").text)
    #expect(Answer(question: "q", tokensMax: 2, stop: ["demo"]).finish == .length)
  }

  @Test("switches are read from text, body and message, and the header wins")
  func switches() {
    let text = DemoSwitches(text: "status=503, delay=2000;gap=5 words=7\tCUT=3 x=1 stall= reset=a =")
    #expect(text.status == 503)
    #expect(text.delay == 2000)
    #expect(text.gap == 5)
    #expect(text.words == 7)
    #expect(text.cut == 3)
    #expect(text.stall == nil)
    #expect(text.reset == nil)
    let body = DemoSwitches(body: ["demo": ["gap": 9, "error": "4", "close": true]])
    #expect(body.gap == 9)
    #expect(body.error == 4)
    #expect(body.close == nil)
    #expect(DemoSwitches(body: ["metadata": ["demo": "gap=1"]]).gap == 1)
    #expect(DemoSwitches(message: "a [b] [demo cut=2 gap=3] c").cut == 2)
    #expect(DemoSwitches(message: "[demo cut=2").cut == 2)
    #expect(DemoSwitches(message: "[demo").cut == nil)
    let both = text.over(body)
    #expect(both.gap == 5)
    #expect(both.error == 4)
  }

  @Test("numbers that make no sense are brought into range")
  func ranges() {
    let switches = DemoSwitches(text: "status=200 delay=-5 words=99999999999 cut=-1 gap=9223372036854775807")
    #expect(switches.status == 400)
    #expect(switches.delay == 0)
    #expect(switches.words == DemoSwitches.wordsMax)
    #expect(switches.cut == 0)
    #expect(switches.gap == DemoSwitches.pauseMax)
  }

  @Test("embeddings are deterministic, of length 1, and near for texts that share words")
  func embeddings() {
    func dot(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    let cat = Embeddings.vector(of: "the cat sat", dimensions: 256)
    #expect(cat == Embeddings.vector(of: "the cat sat", dimensions: 256))
    #expect(abs(dot(cat, cat) - 1) < 0.001)
    let near = dot(cat, Embeddings.vector(of: "a cat sat", dimensions: 256))
    let far = dot(cat, Embeddings.vector(of: "stock market", dimensions: 256))
    #expect(near > far + 0.2)
  }

  @Test(
    "base64 is RFC 4648's",
    arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")])
  func base64(text: String, encoded: String) {
    #expect(Base64.encode(Array(text.utf8)) == encoded)
  }

  @Test("base64 of numbers is little-endian floats")
  func floats() {
    #expect(Base64.encode([1, -2] as [Float]) == "AACAPwAAAMA=")
  }
}
