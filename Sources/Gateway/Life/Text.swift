// Small matters of text: comparing names, quoting JSON, making request ids. No Foundation, no locale.

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
  public var name: String {
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
  return text.withUTF8Buffer { text in
    for index in 0..<count where lowercased(bytes[index]) != lowercased(text[index]) { return false }
    return true
  }
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

  /// Adds bytes that are taken for UTF-8 as a JSON string; what is none is replaced.
  public static func append(bytes: [UInt8], to out: inout [UInt8]) {
    if bytes.allSatisfy({ $0 < 0x80 }) {
      append(bytes, to: &out)
    } else {
      append(String(decoding: bytes, as: UTF8.self), to: &out)
    }
  }

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

  static func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ (value &- 10)
  }
}

/// Request ids in the form OpenAI's have.
enum RequestID {
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

  /// `req_` and 32 hexadecimal digits.
  static func make(_ high: UInt64, _ low: UInt64) -> String {
    String(unsafeUninitializedCapacity: 36) { room in
      // SAFETY: 36 bytes are written to 36 that the string has just allocated.
      let prefix: StaticString = "req_"
      for index in 0..<4 { room[index] = prefix.utf8Start[index] }
      for index in 0..<16 {
        let shift = UInt64(60 - index * 4)
        room[4 + index] = JSONText.hexDigit(UInt8(truncatingIfNeeded: high >> shift & 15))
        room[20 + index] = JSONText.hexDigit(UInt8(truncatingIfNeeded: low >> shift & 15))
      }
      return 36
    }
  }
}

/// Durations as OpenAI's rate limit fields write them: `12ms`, `1s`, `6m0s`.
public enum ResetTime {
  /// `nanoseconds`, rounded up to whole milliseconds below a second and to whole seconds above.
  public static func text(_ nanoseconds: UInt64) -> String {
    if nanoseconds <= 999_000_000 { return "\((nanoseconds + 999_999) / 1_000_000)ms" }
    let seconds = nanoseconds / 1_000_000_000 + (nanoseconds % 1_000_000_000 == 0 ? 0 : 1)
    if seconds < 60 { return "\(seconds)s" }
    if seconds < 3600 { return "\(seconds / 60)m\(seconds % 60)s" }
    return "\(seconds / 3600)h\(seconds / 60 % 60)m\(seconds % 60)s"
  }
}
