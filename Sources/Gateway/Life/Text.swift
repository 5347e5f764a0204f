// Small matters of text: comparing names, quoting JSON, durations. No Foundation, no locale.

import Glibc
import Reactor
import Wire

extension WriteBatch {
  /// Adds a text known when the program was built.
  func add(_ text: StaticString) {
    // SAFETY: the bytes of a static string are never released.
    add(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }
}

extension Method {
  /// The method's name, for logs and messages.
  public var name: String { "\(token)" }

  /// The same as bytes.
  var token: StaticString {
    switch self {
    case .get: "GET"
    case .head: "HEAD"
    case .post: "POST"
    case .put: "PUT"
    case .delete: "DELETE"
    case .options: "OPTIONS"
    case .patch: "PATCH"
    case .connect: "CONNECT"
    case .trace: "TRACE"
    case .other: "OTHER"
    }
  }
}

/// Whether two runs of bytes are the same.
func equals(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
  guard one.count == other.count else { return false }
  guard let first = one.baseAddress, let second = other.baseAddress else { return true }
  // SAFETY: both runs have `count` bytes, and are lent for the length of the call.
  return memcmp(first, second, one.count) == 0
}

/// Whether two runs of bytes are the same but for the case of ASCII letters.
func equalsIgnoringCase(_ one: UnsafeRawBufferPointer, _ other: [UInt8]) -> Bool {
  guard one.count == other.count else { return false }
  for index in 0..<one.count where lowercased(one[index]) != lowercased(other[index]) { return false }
  return true
}

/// Whether `bytes` is `text` but for the case of ASCII letters.
func equalsIgnoringCase(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
  bytes.count == text.utf8CodeUnitCount && hasPrefixIgnoringCase(bytes, text)
}

/// Whether `bytes` begins with `text` but for the case of ASCII letters.
func hasPrefixIgnoringCase(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
  let count = text.utf8CodeUnitCount
  guard bytes.count >= count else { return false }
  let start = text.utf8Start
  var index = 0
  // Nearly all clients and servers write what they mean alike: eight bytes at a time, and again one by one where they differ.
  while index &+ 8 <= count, let base = bytes.baseAddress {
    // SAFETY: eight bytes from `index` on are inside of both; those of a static string are never released.
    let one = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
    let other = UnsafeRawPointer(start).loadUnaligned(fromByteOffset: index, as: UInt64.self)
    guard one == other else { break }
    index &+= 8
  }
  while index < count {
    guard lowercased(bytes[index]) == lowercased(start[index]) else { return false }
    index &+= 1
  }
  return true
}

@inline(__always)
private func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

/// JSON as bytes (RFC 8259, 7).
public enum JSONText {
  /// `text` as a JSON string, quotes included.
  public static func quoted(_ text: String) -> [UInt8] {
    var out: [UInt8] = []
    append(text, to: &out)
    return out
  }

  /// Adds `text` as a JSON string, quotes included.
  public static func append(_ text: String, to out: inout [UInt8]) { append(text.utf8, to: &out) }

  private static func append(_ utf8: some Sequence<UInt8>, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        out.append(UInt8(ascii: "\\"))
        out.append(byte)
      case 0x0a: out.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
      case 0x00..<0x20, 0x7f:
        out.append(contentsOf: Array("\\u00".utf8))
        out.append(hexDigit(byte >> 4))
        out.append(hexDigit(byte & 15))
      default: out.append(byte)
      }
    }
    out.append(UInt8(ascii: "\""))
  }

  /// Whether all bytes are ASCII and stand for themselves in a JSON string. Eight at a time: in each word, the high bit of
  /// a byte is set where the byte is not plain.
  static func isPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs = ones << 7
    var index = 0
    while index + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      let quote = word ^ (ones &* 0x22)
      let slash = word ^ (ones &* 0x5c)
      let delete = word ^ (ones &* 0x7f)
      let odd =
        word | ((word &- ones &* 0x20) & ~word) | ((quote &- ones) & ~quote) | ((slash &- ones) & ~slash)
        | ((delete &- ones) & ~delete)
      // A borrow may set the bit of a plain byte behind one that is not: never the other way round.
      if odd & highs != 0 { return false }
      index += 8
    }
    while index < bytes.count {
      guard isPlain(bytes[index]) else { return false }
      index += 1
    }
    return true
  }

  /// Whether an ASCII byte stands for itself in a JSON string.
  @inline(__always)
  private static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte < 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
  }

  private static func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ (value &- 10)
  }
}

/// Durations as OpenAI's rate limit fields write them: `12ms`, `1s`, `6m0s`.
public enum ResetTime {
  /// `nanoseconds`, rounded up to whole milliseconds below a second and to whole seconds above.
  public static func text(_ nanoseconds: UInt64) -> String {
    withUnsafeTemporaryAllocation(byteCount: 32, alignment: 1) { room in
      var writer = HeadWriter(room)
      write(nanoseconds, to: &writer)
      return String(decoding: writer.written, as: UTF8.self)
    }
  }

  static func write(_ nanoseconds: UInt64, to writer: inout HeadWriter) {
    guard nanoseconds > 999_000_000 else {
      writer.writeDecimal((nanoseconds + 999_999) / 1_000_000)
      return writer.write("ms")
    }
    let seconds = nanoseconds / 1_000_000_000 + (nanoseconds % 1_000_000_000 == 0 ? 0 : 1)
    if seconds >= 3600 {
      writer.writeDecimal(seconds / 3600)
      writer.write("h")
    }
    if seconds >= 60 {
      writer.writeDecimal(seconds / 60 % 60)
      writer.write("m")
    }
    writer.writeDecimal(seconds % 60)
    writer.write("s")
  }
}
