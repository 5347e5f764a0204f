// Points in time as text, without Foundation and without a locale.

import Wire

/// Dates in UTC, as RFC 3339 and as HTTP write them.
public enum Timestamp {
  /// `2026-01-31T10:30:00.123Z` for nanoseconds since 1970.
  public static func text(_ nanoseconds: UInt64) -> String {
    withUnsafeTemporaryAllocation(byteCount: 32, alignment: 1) { room in
      var writer = HeadWriter(room)
      write(nanoseconds, to: &writer)
      return String(decoding: writer.written, as: UTF8.self)
    }
  }

  static func write(_ nanoseconds: UInt64, to writer: inout HeadWriter) {
    let milliseconds = nanoseconds / 1_000_000
    let seconds = milliseconds / 1000
    let (year, month, day) = civil(days: seconds / 86_400)
    let ofDay = seconds % 86_400
    writer.writeDecimal(year, width: 4)
    writer.write(byte: UInt8(ascii: "-"))
    writer.writeDecimal(month, width: 2)
    writer.write(byte: UInt8(ascii: "-"))
    writer.writeDecimal(day, width: 2)
    writer.write(byte: UInt8(ascii: "T"))
    writer.writeDecimal(ofDay / 3600, width: 2)
    writer.write(byte: UInt8(ascii: ":"))
    writer.writeDecimal(ofDay / 60 % 60, width: 2)
    writer.write(byte: UInt8(ascii: ":"))
    writer.writeDecimal(ofDay % 60, width: 2)
    writer.write(byte: UInt8(ascii: "."))
    writer.writeDecimal(milliseconds % 1000, width: 3)
    writer.write(byte: UInt8(ascii: "Z"))
  }

  /// The same, whose day and time of day are known from the one before it in most cases.
  static func write(_ nanoseconds: UInt64, to writer: inout HeadWriter, after memo: inout TimestampMemo) {
    let second = nanoseconds / 1_000_000_000
    if second != memo.second {
      memo.second = second
      memo.front.withUnsafeMutableBytes { room in
        var front = HeadWriter(room)
        write(nanoseconds, to: &front)
      }
    }
    memo.front.withUnsafeBytes { writer.write(UnsafeRawBufferPointer(rebasing: $0[..<20])) }
    writer.writeDecimal(nanoseconds / 1_000_000 % 1000, width: 3)
    writer.write(byte: UInt8(ascii: "Z"))
  }

  /// `Sat, 31 Jan 2026 10:30:00 GMT` for seconds since 1970.
  public static func http(_ seconds: UInt64) -> String {
    let days = seconds / 86_400
    let (year, month, day) = civil(days: days)
    let ofDay = seconds % 86_400
    // The first of January 1970 was a Thursday.
    let weekday = weekdays[Int((days + 4) % 7)]
    return "\(weekday), \(padded(day, 2)) \(months[Int((month - 1) % 12)]) \(padded(year, 4)) "
      + "\(padded(ofDay / 3600, 2)):\(padded(ofDay / 60 % 60, 2)):\(padded(ofDay % 60, 2)) GMT"
  }

  private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// The date of a day since 1970-01-01, by counting eras of 400 years from 0000-03-01.
  private static func civil(days: UInt64) -> (UInt64, UInt64, UInt64) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let ofEra = shifted % 146_097
    let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * ofYear + 2) / 153
    let day = ofYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  private static func padded(_ value: UInt64, _ width: Int) -> String {
    let text = String(value)
    return text.utf8.count >= width ? text : String(repeating: "0", count: width - text.utf8.count) + text
  }
}

/// The second that was written last, as text.
struct TimestampMemo {
  fileprivate var second = UInt64.max
  /// `2026-01-31T10:30:00.`, and what was behind it.
  fileprivate var front = [UInt8](repeating: 0, count: 32)
}
