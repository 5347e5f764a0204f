import Testing

@testable import Control

@Suite("Times of keys, as the command line takes them")
struct KeyTimeTests {
  @Test(
    "durations have a unit",
    arguments: [
      ("90s", 90), ("24h", 86_400), ("30d", 2_592_000), ("0s", 0), ("", nil), ("s", nil), ("30", nil), ("-1h", nil),
      ("1.5h", nil), ("1w", nil), ("9223372036854775807d", nil), ("99999999999999999999h", nil), ("１h", nil),
    ] as [(String, Int?)])
  func durations(_ text: String, _ seconds: Int?) {
    #expect(KeyTime.duration(text) == seconds)
  }

  @Test(
    "a day is its first moment in UTC, where there is such a day",
    arguments: [
      ("1970-01-01", 0), ("2000-02-29", 951_782_400), ("2027-01-31", 1_801_353_600), ("2100-03-01", 4_107_542_400),
      ("2400-12-31", 13_601_001_600), ("9999-12-31", 253_402_214_400), ("2100-02-29", nil), ("2027-13-01", nil),
      ("2027-00-01", nil), ("2027-04-31", nil), ("1969-12-31", nil), ("27-1-1", nil), ("2027-01-31T00:00", nil),
      ("2027/01/31", nil), ("0x7f-01-01", nil),
    ] as [(String, Int?)])
  func days(_ text: String, _ seconds: Int?) {
    #expect(KeyTime.end(text, now: 0) == seconds)
  }

  @Test("what is taken as a day is shown as that day", arguments: ["1970-01-01", "2028-02-29", "2099-12-31"])
  func roundTrip(_ day: String) throws {
    #expect(KeyTime.text(try #require(KeyTime.end(day, now: 0))) == "\(day) 00:00:00Z")
  }

  @Test("a duration is counted from now, and one beyond all time is none")
  func ends() {
    #expect(KeyTime.end("1h", now: 100) == 3700)
    #expect(KeyTime.end("1h", now: .max) == nil)
  }
}
