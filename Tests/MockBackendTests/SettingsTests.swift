import Stamp
import Testing

@testable import MockBackend

@Suite("What a mock is told")
struct SettingsTests {
  private func settings(_ text: String) throws -> MockSettings {
    var settings = MockSettings()
    try settings.apply(text)
    return settings
  }

  @Test("a text changes what it names and nothing else")
  func names() throws {
    let all = try settings(
      "events=7, gap-us=8,batch=9 ,event-bytes=10,answer-bytes=11,delay-us=12,lie=drop:3")
    #expect(
      all.events == 7 && all.gapMicroseconds == 8 && all.batch == 9 && all.eventBytes == 10 && all.answerBytes == 11)
    #expect(all.delayMicroseconds == 12 && all.lie == .drop(3))
    var some = MockSettings()
    some.batch = 4
    #expect(try settings("batch=4") == some)
    #expect(try settings("") == MockSettings())
  }

  @Test(
    "what cannot be is told by its name",
    arguments: [
      ("events=-1", "events"), ("events=100000000", "events"), ("batch=0", "batch"), ("gap-us=x", "gap-us"),
      ("answer-bytes=0", "answer-bytes"), ("delay-us=", "delay-us"), ("lie=often", "lie"), ("speed=1", "speed"),
      ("events", "events"), ("event-bytes=99999999", "event-bytes"),
    ])
  func mistakes(text: String, name: String) {
    let error = #expect(throws: MockSettings.Mistake.self) { try settings(text) }
    #expect(error?.description.contains(name) == true)
  }

  @Test(
    "lies are read",
    arguments: [
      ("drop:1", Lie.drop(1)), ("swap:9", .swap(9)), ("double:2", .double(2)), ("cut:0", .cut(0)),
      ("stall:5", .stall(5)),
      ("garble", .garble), ("no-done", .noDone), ("short", .short), ("framing", .framing), ("status:429", .status(429)),
    ])
  func lies(text: String, lie: Lie) {
    #expect(Lie(text) == lie)
  }

  @Test(
    "lies that are none are refused",
    arguments: ["", "drop", "drop:", "drop:0", "drop:-1", "cut:x", "status:200", "status:700", "garble:1", "no"])
  func noLies(text: String) {
    #expect(Lie(text) == nil)
  }

  @Test(
    "a lie's events are numbered as it says",
    arguments: [
      (Lie.none, [1, 2, 3, 4]), (.drop(2), [1, 3, 4]), (.drop(4), [1, 2, 3]), (.drop(9), [1, 2, 3, 4]),
      (.swap(2), [1, 3, 2, 4]), (.double(3), [1, 2, 3, 3, 4]), (.double(9), [1, 2, 3, 4]), (.cut(2), [1, 2]),
      (.cut(0), []), (.stall(3), [1, 2, 3]), (.short, [1, 2, 3]), (.garble, [1, 2, 3, 4]),
    ])
  func numbers(lie: Lie, expected: [Int]) {
    let count = lie.count(of: 4)
    #expect((0..<count).map { lie.number(at: $0 + 1) } == expected)
  }

  @Test("events and answers are as long as they shall be", arguments: [300, 251, 1, 4096])
  func lengths(bytes: Int) {
    var settings = MockSettings()
    settings.eventBytes = bytes
    settings.answerBytes = bytes
    settings.batch = 3
    let profile = Profile(settings)
    let (events, answer) = withExtendedLifetime(profile) {
      (
        String(decoding: profile.render(position: 0, count: 3, sentAt: 123), as: UTF8.self),
        String(decoding: profile.answerFront.bytes, as: UTF8.self)
      )
    }
    let event = max(bytes, Texts.eventBytesMin)
    #expect(events.utf8.count == 3 * (String(event, radix: 16).utf8.count + 2 + event + 2))
    #expect(events.split(separator: "\r\n").count == 6)
    let body = answer.split(separator: "\r\n\r\n", maxSplits: 1).last
    #expect(body?.utf8.count == max(bytes, Texts.answerBytesMin))
    #expect(answer.contains("Content-Length: \(max(bytes, Texts.answerBytesMin))\r\n"))
  }

  @Test("every event of a batch carries its own number and the batch's time")
  func batch() throws {
    var settings = MockSettings()
    settings.batch = 4
    settings.events = 50
    let profile = Profile(settings)
    for (position, count, time) in [(0, 4, UInt64(5)), (8, 3, 1_234_567_890_123_456_789), (46, 4, 77)] {
      let bytes = withExtendedLifetime(profile) {
        Array(profile.render(position: position, count: count, sentAt: time))
      }
      try bytes.withUnsafeBytes { bytes in
        var from = 0
        for index in 0..<count {
          let mark = try #require(ByteRun.index(of: UInt8(ascii: "#"), in: bytes, from: from))
          let stamp = Stamp(UnsafeRawBufferPointer(rebasing: bytes[mark...]))
          #expect(stamp == Stamp(number: UInt32(position + index + 1), count: 50, sentAt: time))
          from = mark + 1
        }
        #expect(ByteRun.index(of: UInt8(ascii: "#"), in: bytes, from: from) == nil)
      }
    }
  }
}
