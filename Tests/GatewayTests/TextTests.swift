import Testing
import Wire

@testable import Gateway

@Suite("Text")
struct TextTests {
  // MARK: Request ids

  @Test("a request id is req_ and both numbers in 32 hexadecimal digits")
  func made() {
    #expect("\(RequestID(0, 0))" == "req_00000000000000000000000000000000")
    #expect("\(RequestID(.max, .max))" == "req_ffffffffffffffffffffffffffffffff")
    #expect("\(RequestID(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210))" == "req_0123456789abcdeffedcba9876543210")
    #expect("\(RequestID(1, 2))".utf8.allSatisfy(RequestID.allows))
  }

  @Test("an id of a client's own may hold what means nothing to a log, a shell or a page")
  func allowed() {
    let good = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+=@".utf8)
    for byte in UInt8.min...UInt8.max { #expect(RequestID.allows(byte) == good.contains(byte), "\(byte)") }
  }

  @Test("a client's id is taken as it is, from one byte to 128, or not at all")
  func given() {
    for text in ["a", "req_1", String(repeating: "x", count: 128), "A-Z_9.:/+=@"] {
      #expect(lending(text) { RequestID($0) }?.description == text)
    }
    for text in ["", " ", "a b", "a\"", "a\\", "a\n", "é", String(repeating: "x", count: 129)] {
      #expect(lending(text) { RequestID($0) } == nil)
    }
  }

  // MARK: Durations

  @Test(
    "durations read as OpenAI writes them, rounded up and never to nothing",
    arguments: [
      (0, "0ms"), (1, "1ms"), (1_000_000, "1ms"), (1_000_001, "2ms"), (12_000_000, "12ms"), (998_000_001, "999ms"),
      (999_000_000, "999ms"), (999_000_001, "1s"), (1_000_000_000, "1s"), (1_000_000_001, "2s"),
      (20_000_000_000, "20s"),
      (59_000_000_000, "59s"), (59_000_000_001, "1m0s"), (60_000_000_000, "1m0s"), (360_000_000_000, "6m0s"),
      (3_599_000_000_000, "59m59s"), (3_600_000_000_000, "1h0m0s"), (86_399_000_000_001, "24h0m0s"),
      (.max, "5124095h34m34s"),
    ] as [(UInt64, String)])
  func duration(_ nanoseconds: UInt64, _ text: String) {
    #expect(Gateway.ResetTime.text(nanoseconds) == text)
  }

  // MARK: Dates

  @Test(
    "dates are RFC 3339 in UTC, through leap years and centuries",
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (1, "1970-01-01T00:00:00.001Z"), (86_399_999, "1970-01-01T23:59:59.999Z"),
      (86_400_000, "1970-01-02T00:00:00.000Z"), (68_169_600_000, "1972-02-29T00:00:00.000Z"),
      (68_256_000_000, "1972-03-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
      (951_868_800_000, "2000-03-01T00:00:00.000Z"), (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
      (1_735_689_599_999, "2024-12-31T23:59:59.999Z"), (1_735_689_600_000, "2025-01-01T00:00:00.000Z"),
      (1_740_787_200_000, "2025-03-01T00:00:00.000Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
      (4_107_456_000_000, "2100-02-28T00:00:00.000Z"), (2_147_483_648_123, "2038-01-19T03:14:08.123Z"),
    ] as [(UInt64, String)])
  func date(_ milliseconds: UInt64, _ text: String) {
    #expect(Gateway.Timestamp.text(milliseconds * 1_000_000) == text)
    #expect(
      Gateway.Timestamp.text(milliseconds * 1_000_000 + 999_999) == text, "what is below a millisecond is cut off")
  }

  @Test("the last time that fits is a date as well")
  func lastDate() {
    #expect(Gateway.Timestamp.text(.max) == "2554-07-21T23:34:33.709Z")
  }

  @Test("a time is the same whichever was written before it")
  func stampMemo() {
    var memo = TimestampMemo()
    let times: [UInt64] = [
      0, 999_000_000, 1_000_000_000, 1_000_000_000, 999_999_999, 86_399_999_000_000, 86_400_000_000_000, .max, 0, 5,
    ]
    for time in times {
      let written = withUnsafeTemporaryAllocation(byteCount: 32, alignment: 1) { room in
        var writer = HeadWriter(room)
        Gateway.Timestamp.write(time, to: &writer, after: &memo)
        return string(writer.written)
      }
      #expect(written == Gateway.Timestamp.text(time))
    }
  }

  @Test("each of 400 years' days follows the one before it, with the lengths that months have")
  func calendar() {
    var (year, month, day) = (1970, 1, 1)
    for number in 0..<UInt64(146_097) {
      let text = Gateway.Timestamp.text(number * 86_400_000_000_000)
      let expected = "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)T00:00:00.000Z"
      guard text == expected else {
        Issue.record("day \(number): \(text), expected \(expected)")
        return
      }
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      let length = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
      day += 1
      if day > length { (month, day) = (month + 1, 1) }
      if month > 12 { (year, month) = (year + 1, 1) }
    }
  }

  // MARK: JSON

  @Test("a text quoted as JSON is read back as the same text")
  func quoted() throws {
    let everyControl = String(String.UnicodeScalarView((0...0x1f).compactMap(Unicode.Scalar.init)))
    for text in [
      "", "a", "\"", "\\", "\\\"", "/", "\u{7f}", "é", "日本語", "😀", "\u{2028}\u{2029}", "a\u{0}b",
      everyControl,
      "\r\n\t", "</script>", "\\u0041", "\u{10FFFF}",
    ] {
      let quoted = JSONText.quoted(text)
      #expect(try jsonText(quoted) == text, "\(text.unicodeScalars.map(\.value))")
      #expect(!quoted.contains { $0 < 0x20 || $0 == 0x7f }, "one line of printable bytes")
    }
  }

  @Test("what need not be escaped stays as it is, a byte order mark too")
  func unescaped() {
    for text in ["\u{FEFF}", "é/日本語", "😀"] { #expect(JSONText.quoted(text) == Array("\"\(text)\"".utf8)) }
  }

  @Test("bytes that are no UTF-8 become replacement characters inside a valid string")
  func bytes() throws {
    for (bytes, text) in [
      ([], ""), ([0x61], "a"), ([0xff], "\u{FFFD}"), ([0x61, 0xc3], "a\u{FFFD}"), ([0xc3, 0xa9], "é"),
      ([0x22, 0xff, 0x5c], "\"\u{FFFD}\\"), ([0x0a, 0x00], "\n\u{0}"),
    ] as [([UInt8], String)] {
      #expect(try jsonText(Self.json(bytes)) == text)
    }
    #expect(
      try jsonText(Self.json(Array(UInt8.min...UInt8.max))).unicodeScalars.prefix(128).elementsEqual(
        (0..<128).compactMap(Unicode.Scalar.init)))
  }

  static func json(_ bytes: [UInt8]) -> [UInt8] {
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
      var writer = HeadWriter(room)
      bytes.withUnsafeBytes { writer.writeJSON($0) }
      return Array(writer.written)
    }
  }

  // MARK: Comparing

  @Test("case is ignored for ASCII letters and for nothing else")
  func ignoringCase() {
    for (one, other, same) in [
      ("Content-Type", "content-type", true), ("", "", true), ("a", "", false), ("abc", "abd", false),
      ("@[", "`{", false), ("[", "{", false), ("@", "`", false), ("K", "\u{212A}", false), ("É", "é", false),
    ] {
      #expect(lending(one) { equalsIgnoringCase($0, Array(other.utf8)) } == same, "\(one) and \(other)")
    }
    #expect(lending("Text/Event-Stream; charset=utf-8") { hasPrefixIgnoringCase($0, "text/event-stream") })
    #expect(!lending("text/event") { hasPrefixIgnoringCase($0, "text/event-stream") })
    #expect(lending("IDENTITY") { equalsIgnoringCase($0, "identity") })
    #expect(!lending("identity, gzip") { equalsIgnoringCase($0, "identity") })
  }

  // MARK: Fields of plugins

  @Test("a field whose value holds a control byte is left out, so that no value ends its line")
  func fields() {
    withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { room in
      var fields = HeadFields(.init(room))
      fields.add("A", "plain, with\ttab and é")
      fields.add("B", "x\r\nSet-Cookie: y")
      fields.add("B", "x\ny")
      fields.add("B", "x\u{0}y")
      fields.add("B", "x\u{7f}y")
      fields.add("C", 42)
      fields.addDuration("D", 360_000_000_000)
      fields.add("E", fixed: "no-store")
      #expect(string(fields.writer.written) == "A: plain, with\ttab and é\r\nC: 42\r\nD: 6m0s\r\nE: no-store\r\n")
    }
  }
}
