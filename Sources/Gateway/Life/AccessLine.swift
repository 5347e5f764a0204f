// One line of the access log: JSON, one exchange, written straight into the log's buffer. All field names of the log stand
// in this file.

import Wire

enum AccessLine {
  /// Writes the line of `record`, which began at `wallClock` nanoseconds since 1970. See `AccessLog.add` for the `inout`.
  static func write(
    _ record: inout AccessRecord, wallClock: UInt64, to out: inout HeadWriter, after stamp: inout TimestampMemo
  ) {
    out.write(#"{"time":""#)
    Timestamp.write(wallClock, to: &out, after: &stamp)
    out.write(#"","id":""#)
    // Of what an id may hold, nothing needs to be escaped.
    out.write(record.requestID)
    if let client = record.client {
      out.write(#"","client":""#)
      out.write(client)
    }
    out.write(#"","method":""#)
    out.write(record.method.token)
    out.write(#"","path":"#)
    record.path.withUnsafeBytes { out.writeJSON($0) }
    out.write(#","status":"#)
    out.writeDecimal(UInt64(max(0, record.status)))
    text(#","key":"#, record.principal?.name, &out)
    text(#","model":"#, record.model, &out)
    text(#","cluster":"#, record.cluster?.name, &out)
    text(#","endpoint":"#, record.endpoint?.name, &out)
    boolean(#","stream":"#, record.isStream, &out)
    number(#","bytes_in":"#, record.bytesIn, &out)
    number(#","bytes_out":"#, record.bytesOut, &out)
    number(#","bytes_copied":"#, record.bytesCopied, &out)
    milliseconds(#","duration_ms":"#, record.endedAt &- record.startedAt, &out)
    if record.firstByteAt > record.startedAt {
      milliseconds(#","first_byte_ms":"#, record.firstByteAt &- record.startedAt, &out)
    }
    if let tokens = record.tokensIn { number(#","tokens_in":"#, UInt64(clamping: tokens), &out) }
    if let tokens = record.tokensOut { number(#","tokens_out":"#, UInt64(clamping: tokens), &out) }
    number(#","attempts":"#, UInt64(record.attempts), &out)
    boolean(#","reused":"#, record.isReused, &out)
    text(#","outcome":"#, record.outcome, &out)
    if let failure = record.failure, !failure.detail.isEmpty { text(#","detail":"#, failure.detail, &out) }
    out.write("}\n")
  }

  private static func text(_ key: StaticString, _ value: String?, _ out: inout HeadWriter) {
    guard var value else { return }
    out.write(key)
    value.withUTF8 { out.writeJSON(UnsafeRawBufferPointer($0)) }
  }

  private static func boolean(_ key: StaticString, _ value: Bool, _ out: inout HeadWriter) {
    out.write(key)
    out.write(value ? "true" : "false")
  }

  private static func number(_ key: StaticString, _ value: UInt64, _ out: inout HeadWriter) {
    out.write(key)
    out.writeDecimal(value)
  }

  /// Milliseconds with three digits behind the point.
  private static func milliseconds(_ key: StaticString, _ nanoseconds: UInt64, _ out: inout HeadWriter) {
    out.write(key)
    let microseconds = nanoseconds / 1000
    out.writeDecimal(microseconds / 1000)
    out.write(byte: UInt8(ascii: "."))
    out.writeDecimal(microseconds % 1000, width: 3)
  }
}

extension HeadWriter {
  /// Writes bytes that are taken for UTF-8 as a JSON string, quotes included (RFC 8259, 7). What is no UTF-8 is replaced.
  mutating func writeJSON(_ bytes: UnsafeRawBufferPointer) {
    guard JSONText.isPlain(bytes) else {
      let quoted = JSONText.quoted(String(decoding: bytes, as: UTF8.self))
      return quoted.withUnsafeBytes { write($0) }
    }
    write(byte: UInt8(ascii: "\""))
    write(bytes)
    write(byte: UInt8(ascii: "\""))
  }
}
