// Times as the command line takes and shows them: how long from now, or which day.

import Gateway

enum KeyTime {
  /// `90s`, `24h`, `30d` as seconds; nil for anything else.
  static func duration(_ text: String) -> Int? {
    let units: [Character: Int] = ["s": 1, "h": 3600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let count = number(text.dropLast()) else { return nil }
    let (seconds, overflows) = count.multipliedReportingOverflow(by: unit)
    return overflows ? nil : seconds
  }

  /// When `text` is over, in seconds since 1970: a duration from `now` on, or the first moment of a day in UTC.
  static func end(_ text: String, now: Int) -> Int? {
    if let duration = duration(text) {
      let (end, overflows) = now.addingReportingOverflow(duration)
      return overflows ? nil : end
    }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].count == 4, parts[1].count == 2, parts[2].count == 2, let year = number(parts[0]),
      let month = number(parts[1]), let day = number(parts[2]), year >= 1970, (1...12).contains(month),
      (1...days(of: month, year)).contains(day)
    else { return nil }
    return days(to: year, month, day) * 86_400
  }

  /// `2027-01-31 10:30:00Z`.
  static func text(_ seconds: Int) -> String {
    let (nanoseconds, overflows) = UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflows else { return "\(seconds)" }
    let whole = Timestamp.text(nanoseconds)
    return "\(whole.prefix(10)) \(whole.dropFirst(11).prefix(8))Z"
  }

  private static func number(_ text: some StringProtocol) -> Int? {
    text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) ? Int(text) : nil
  }

  private static func days(of month: Int, _ year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days from 1970-01-01, the leap days of whole years counted; for years from 1970 on.
  private static func days(to year: Int, _ month: Int, _ day: Int) -> Int {
    func leaps(_ year: Int) -> Int { year / 4 - year / 100 + year / 400 }
    let years = (year - 1970) * 365 + leaps(year - 1) - leaps(1969)
    return (1..<month).reduce(years) { $0 + days(of: $1, year) } + day - 1
  }
}
