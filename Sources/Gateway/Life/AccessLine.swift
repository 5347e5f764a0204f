// One line of the access log: JSON, one exchange. All field names of the log stand in this file.

import Wire

enum AccessLine {
  static func append(_ record: AccessRecord, wallClock: UInt64, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "{"))
    text("time", Date.text(wallClock), first: true, &out)
    text("id", record.requestID, &out)
    if let client = record.client { text("client", client.description, &out) }
    text("method", record.method.name, &out)
    name("path", &out)
    JSONText.append(bytes: record.path, to: &out)
    number("status", UInt64(max(0, record.status)), &out)
    if let principal = record.principal { text("key", principal, &out) }
    if let model = record.model { text("model", model, &out) }
    if let cluster = record.cluster { text("cluster", cluster.name, &out) }
    if let endpoint = record.endpoint { text("endpoint", endpoint.name, &out) }
    boolean("stream", record.isStream, &out)
    number("bytes_in", record.bytesIn, &out)
    number("bytes_out", record.bytesOut, &out)
    number("bytes_copied", record.bytesCopied, &out)
    milliseconds("duration_ms", record.endedAt &- record.startedAt, &out)
    if record.firstByteAt > record.startedAt {
      milliseconds("first_byte_ms", record.firstByteAt &- record.startedAt, &out)
    }
    number("attempts", UInt64(record.attempts), &out)
    boolean("reused", record.isReused, &out)
    text("outcome", record.outcome, &out)
    if let failure = record.failure, !failure.detail.isEmpty { text("detail", failure.detail, &out) }
    out.append(UInt8(ascii: "}"))
    out.append(UInt8(ascii: "\n"))
  }

  private static func name(_ name: StaticString, first: Bool = false, _ out: inout [UInt8]) {
    if !first { out.append(UInt8(ascii: ",")) }
    out.append(UInt8(ascii: "\""))
    name.withUTF8Buffer { out.append(contentsOf: $0) }
    out.append(UInt8(ascii: "\""))
    out.append(UInt8(ascii: ":"))
  }

  private static func text(_ key: StaticString, _ value: String, first: Bool = false, _ out: inout [UInt8]) {
    name(key, first: first, &out)
    JSONText.append(value, to: &out)
  }

  private static func boolean(_ key: StaticString, _ value: Bool, _ out: inout [UInt8]) {
    name(key, &out)
    out.append(contentsOf: value ? "true".utf8 : "false".utf8)
  }

  private static func number(_ key: StaticString, _ value: UInt64, _ out: inout [UInt8]) {
    name(key, &out)
    decimal(value, &out)
  }

  /// Milliseconds with three digits behind the point.
  private static func milliseconds(_ key: StaticString, _ nanoseconds: UInt64, _ out: inout [UInt8]) {
    name(key, &out)
    let microseconds = nanoseconds / 1000
    decimal(microseconds / 1000, &out)
    out.append(UInt8(ascii: "."))
    let rest = microseconds % 1000
    for divisor in [100, 10, 1] as [UInt64] { out.append(UInt8(ascii: "0") + UInt8(rest / divisor % 10)) }
  }

  private static func decimal(_ value: UInt64, _ out: inout [UInt8]) {
    var divisor: UInt64 = 1
    while value / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      out.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
      divisor /= 10
    }
  }
}

/// Dates as RFC 3339 writes them, in UTC.
public enum Date {
  /// `2026-01-31T10:30:00.123Z` for nanoseconds since 1970.
  public static func text(_ nanoseconds: UInt64) -> String {
    let milliseconds = nanoseconds / 1_000_000
    let seconds = milliseconds / 1000
    let (year, month, day) = civil(days: seconds / 86_400)
    let ofDay = seconds % 86_400
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(padded(ofDay / 3600, 2)):"
      + "\(padded(ofDay / 60 % 60, 2)):\(padded(ofDay % 60, 2)).\(padded(milliseconds % 1000, 3))Z"
  }

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
