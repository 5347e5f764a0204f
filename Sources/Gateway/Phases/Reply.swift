// An answer of the gateway's own, and the fields that plugins add to heads.

import Wire

/// A whole answer that the gateway gives without an upstream.
public struct Reply: Sendable {
  /// HTTP status, 200...599.
  public var status: Int
  /// Value of Content-Type.
  public var contentType: StaticString
  /// The body, whole.
  public var body: [UInt8]
  /// Fields beside the framing ones, in order.
  public var fields: [(name: StaticString, value: String)]
  /// True when the connection must close after this answer, as where the framing is in doubt.
  public var closes: Bool

  public init(
    status: Int, contentType: StaticString = "application/json", body: [UInt8],
    fields: [(name: StaticString, value: String)] = [], closes: Bool = false
  ) {
    self.status = status
    self.contentType = contentType
    self.body = body
    self.fields = fields
    self.closes = closes
  }
}

/// Where a plugin writes header fields: straight into the head that is about to leave. Values with control bytes are
/// refused, so that no value can end its line.
public struct HeadFields {
  var writer: HeadWriter

  init(_ writer: HeadWriter) { self.writer = writer }

  /// Adds `name: value`. A value that holds a control byte is left out.
  public mutating func add(_ name: StaticString, _ value: String) {
    var clean = true
    for byte in value.utf8 where (byte < 0x20 && byte != 0x09) || byte == 0x7f { clean = false }
    guard clean else { return }
    writer.write(name)
    writer.write(": ")
    writer.write(utf8: value)
    writer.write("\r\n")
  }

  /// Adds `name: number`.
  public mutating func add(_ name: StaticString, _ number: UInt64) {
    writer.write(name)
    writer.write(": ")
    writer.writeDecimal(number)
    writer.write("\r\n")
  }

  /// Adds `name: duration` in the form of OpenAI's rate limit fields: `12ms`, `1s`, `6m0s`.
  public mutating func addDuration(_ name: StaticString, _ nanoseconds: UInt64) {
    writer.write(name)
    writer.write(": ")
    ResetTime.write(nanoseconds, to: &writer)
    writer.write("\r\n")
  }

  /// Adds `name: value` of a text known when the program was built.
  public mutating func add(_ name: StaticString, fixed value: StaticString) {
    writer.write(name)
    writer.write(": ")
    writer.write(value)
    writer.write("\r\n")
  }
}
