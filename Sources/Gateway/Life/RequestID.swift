// What a request is called in every log along its way: the client's own name for it, or a number made here. A made one is
// two words until somebody asks for its text; heads and log lines are written from the words.

import Wire

/// The id of one request.
public struct RequestID: Hashable, Sendable {
  private let high: UInt64
  private let low: UInt64
  private let given: String?

  /// An id made of two random words.
  init(_ high: UInt64, _ low: UInt64) {
    self.high = high
    self.low = low
    given = nil
  }

  /// A client's own id; nil where it is none that a log, a shell or a page could bear.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count > 0, bytes.count <= Self.bytesMax, bytes.allSatisfy(Self.allows) else { return nil }
    self.init(given: String(decoding: bytes, as: UTF8.self))
  }

  init(given: String) {
    high = 0
    low = 0
    self.given = given
  }

  /// Whether a client's own id may hold `byte`: nothing that means something to a log, a shell or a page.
  static func allows(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
      UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "+"), UInt8(ascii: "="), UInt8(ascii: "@"):
      true
    default: false
    }
  }

  private static let bytesMax = 128
}

extension RequestID: CustomStringConvertible {
  /// The client's own, or `req_` and 32 hexadecimal digits, the form that OpenAI's have.
  public var description: String {
    if let given { return given }
    return withUnsafeTemporaryAllocation(byteCount: 36, alignment: 1) { room in
      var writer = HeadWriter(room)
      writer.write(self)
      return String(decoding: writer.written, as: UTF8.self)
    }
  }
}

extension HeadWriter {
  /// Writes an id as its `description` has it.
  mutating func write(_ id: RequestID) { id.write(to: &self) }
}

extension RequestID {
  fileprivate func write(to writer: inout HeadWriter) {
    if let given { return writer.write(utf8: given) }
    writer.write("req_")
    writer.writeHex(high, digits: 16)
    writer.writeHex(low, digits: 16)
  }
}
