import Stamp
import Testing

@testable import LoadGenerator

@Suite("The reader of event streams")
struct EventReaderTests {
  /// One event of a mock backend.
  static func event(_ number: Int, of count: Int, filler: Int = 20, at time: UInt64 = 0, end: String = "\n\n") -> String
  {
    var stamp = [UInt8](repeating: 0, count: Stamp.byteCount)
    stamp.withUnsafeMutableBytes {
      Stamp(number: UInt32(number), count: UInt32(count), sentAt: time).write(to: $0)
    }
    var text = [UInt8](repeating: 0, count: filler)
    text.withUnsafeMutableBytes { Filler.fill($0) }
    return "data: {\"choices\":[{\"delta\":{\"content\":\"" + String(decoding: stamp + text, as: UTF8.self) + "\"}}]}"
      + end
  }

  static let done = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"

  static func stream(_ numbers: [Int], of count: Int) -> String {
    numbers.map { event($0, of: count) }.joined() + done
  }

  /// Reads `pieces`, one a read.
  private func read(_ pieces: [[UInt8]], _ expected: AnswerShape = AnswerShape()) -> (
    faults: Faults, tally: Tally, reader: EventReader
  ) {
    let tally = Tally()
    let reader = EventReader(tally: tally, expected: expected)
    reader.begin(at: 1_000)
    for (index, piece) in pieces.enumerated() {
      reader.beginRead(at: 1_000_000 * UInt64(index + 1))
      piece.withUnsafeBytes { reader.payload($0) }
      reader.endRead()
    }
    return (reader.end(), tally, reader)
  }

  private func faults(_ text: String, _ expected: AnswerShape = AnswerShape()) -> Faults {
    read([Array(text.utf8)], expected).faults
  }

  @Test("a right stream is right at every split")
  func splits() {
    let bytes = Array(Self.stream([1, 2, 3], of: 3).utf8)
    for split in 0...bytes.count {
      let (faults, tally, _) = read([Array(bytes[..<split]), Array(bytes[split...])])
      #expect(faults.isEmpty, "split at \(split)")
      #expect(tally.events == 3)
      #expect(tally.firstToken.durations.count == 1 && tally.gap.durations.count == 2)
      #expect(tally.eventDelay.durations.count == 3)
    }
    let (faults, tally, _) = read(bytes.map { [$0] })
    #expect(faults.isEmpty && tally.events == 3)
  }

  @Test("lines may end with CR LF, and comments are no events")
  func lineEnds() {
    let text =
      ": hello\r\n\r\n"
      + Self.stream([1, 2], of: 2).split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
    let (faults, tally, _) = read([Array(text.utf8)])
    #expect(faults.isEmpty && tally.events == 2)
  }

  static let lies: [(String, Faults)] = [
    (stream([1, 3], of: 3), [.order, .count]), (stream([2, 1, 3], of: 3), .order),
    (stream([1, 1, 2, 3], of: 3), [.order, .count]), (stream([1, 2], of: 3), .count), (stream([], of: 3), []),
    (event(1, of: 1), .done), (event(1, of: 2) + event(2, of: 3) + done, .count),
    (event(1, of: 2) + event(2, of: 2, filler: 19) + done, .bytes),
    (event(1, of: 2) + event(2, of: 2, filler: 21) + done, .bytes),
    (event(1, of: 2) + event(2, of: 2).replacing("FGH", with: "FxH") + done, .bytes),
    (stream([1, 2], of: 2) + event(3, of: 2), [.done, .count]),
    (event(1, of: 2, end: "\n") + event(2, of: 2) + done, .framing),
    (event(1, of: 1) + "data: [DONE]\n", .framing), (event(1, of: 1) + "data: [DONE]\n\nda", .framing),
    (event(1, of: 1) + "data: {\"error\":{\"message\":\"no\"}}\n\ndata: [DONE]\n\n", .failed),
  ]

  @Test("a stream that lies is caught", arguments: lies.indices)
  func lie(index: Int) {
    let (text, wrong) = Self.lies[index]
    #expect(faults(text) == wrong, "\(text)")
  }

  @Test("what the settings know is not learned from the first stream")
  func known() {
    let expected = AnswerShape()
    expected.isMock = true
    expected.events = 3
    expected.eventFiller = 20
    #expect(faults(Self.stream([1, 2, 3], of: 3), expected).isEmpty)
    #expect(faults(Self.stream([1, 2], of: 2), expected).contains(.count))
    #expect(faults(Self.done, expected) == .count)
    #expect(faults(Self.event(1, of: 3, filler: 10), expected).contains(.bytes))
  }

  @Test("all streams of a lane must be like the first")
  func learned() {
    let expected = AnswerShape()
    #expect(faults(Self.stream([1, 2], of: 2), expected).isEmpty)
    #expect(faults(Self.stream([1, 2, 3], of: 3), expected).contains(.count))
    #expect(
      faults("data: {\"choices\":[{\"delta\":{\"content\":\"hello\"}}]}\n\n" + Self.done, expected).contains(.count))
  }

  @Test("delays, gaps and the first token are told apart")
  func times() {
    let first = Self.event(1, of: 3, at: 900_000) + Self.event(2, of: 3, at: 950_000)
    let (faults, tally, _) = read([Array(first.utf8), Array((Self.event(3, of: 3, at: 1_900_000) + Self.done).utf8)])
    #expect(faults.isEmpty)
    // The request was at 1 us, the reads at 1 ms and 2 ms.
    #expect(abs(tally.firstToken.durations.max - 999) < 2)
    #expect(tally.gap.durations.count == 2 && abs(tally.gap.durations.max - 1_000) < 2 && tally.gap.durations.min < 1)
    let delays = tally.eventDelay.durations
    #expect(delays.count == 3 && abs(delays.max - 100) < 1 && abs(delays.min - 50) < 1)
  }

  @Test("streams of others are counted by their deltas")
  func others() {
    let text =
      "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n"
      + "data: {\"choices\":[{\"delta\":{\"content\":\"#1 Hello\"}}]}\n\n"
      + "data: {\"choices\":[{\"delta\":{\"reasoning_content\" : \"x\", \"content\": null}}]}\n\n"
      + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\": 9, \"completion_tokens\": 12}}\n\ndata: [DONE]\n\n"
    let expected = AnswerShape()
    let (faults, tally, reader) = read([Array(text.utf8)], expected)
    #expect(faults.isEmpty && tally.events == 2 && reader.tokens == 12)
    #expect(expected.isMock == false && tally.eventDelay.durations.count == 0)
  }
}
