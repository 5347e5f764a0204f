// One line of the access log: JSON, one exchange. All field names of the log stand in this file.

import Wire

enum AccessLine {
  static func append(_ record: AccessRecord, wallClock: UInt64, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "{"))
    text("time", Timestamp.text(wallClock), first: true, &out)
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
