// Digests of secrets, and comparing secrets. Keys are kept and looked up as digests only, so that neither a dump of
// memory nor the time a comparison takes tells a key.

import COpenSSL

/// Comparing without telling where the difference is.
public enum ConstantTime {
  /// Whether both hold the same bytes. Takes as long wherever they differ; only lengths are not hidden.
  public static func equal(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    guard left.count == right.count else { return false }
    guard let leftBase = left.baseAddress, let rightBase = right.baseAddress else { return true }
    return CRYPTO_memcmp(leftBase, rightBase, left.count) == 0
  }
}

/// A SHA-256 digest, a plain value of 32 bytes.
public struct SHA256Digest: Sendable, Hashable {
  private typealias Words = (UInt64, UInt64, UInt64, UInt64)
  private var words: Words

  /// Digests `bytes`.
  public init(hashing bytes: UnsafeRawBufferPointer) {
    var words: Words = (0, 0, 0, 0)
    let worked = withUnsafeMutableBytes(of: &words) { room in
      var size: UInt32 = 0
      // SAFETY: SHA-256 writes 32 bytes, the size of the room.
      return EVP_Digest(bytes.baseAddress, bytes.count, room.baseAddress, &size, Self.algorithm, nil) == 1 && size == 32
    }
    if !worked {
      // Without memory for a digest, one that equals no other: a lookup fails, and nobody is let in by mistake.
      var random = SystemRandomNumberGenerator()
      words = (random.next(), random.next(), random.next(), random.next())
    }
    self.words = words
  }

  /// Digests the UTF-8 bytes of `text`.
  public init(hashing text: String) {
    var text = text
    self = text.withUTF8 { SHA256Digest(hashing: UnsafeRawBufferPointer($0)) }
  }

  /// Reads 64 hexadecimal digits, of either case. Nil for anything else.
  public init?(hex: String) {
    var text = hex
    let parsed: Words? = text.withUTF8 { digits in
      guard digits.count == 64 else { return nil }
      var words: Words = (0, 0, 0, 0)
      let valid = withUnsafeMutableBytes(of: &words) { room in
        for index in 0..<32 {
          guard let high = Self.value(of: digits[2 * index]), let low = Self.value(of: digits[2 * index + 1]) else {
            return false
          }
          room[index] = high << 4 | low
        }
        return true
      }
      return valid ? words : nil
    }
    guard let parsed else { return nil }
    words = parsed
  }

  /// 64 lower-case hexadecimal digits.
  public var hex: String {
    String(unsafeUninitializedCapacity: 64) { room in
      withBytes { bytes in
        for (index, byte) in bytes.enumerated() {
          room[2 * index] = Self.digit(byte >> 4)
          room[2 * index + 1] = Self.digit(byte & 15)
        }
      }
      return 64
    }
  }

  /// Lends the 32 bytes.
  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    withUnsafeBytes(of: words, body)
  }

  /// Takes as long wherever the digests differ.
  public static func == (left: SHA256Digest, right: SHA256Digest) -> Bool {
    let difference =
      (left.words.0 ^ right.words.0) | (left.words.1 ^ right.words.1)
      | (left.words.2 ^ right.words.2) | (left.words.3 ^ right.words.3)
    return difference == 0
  }

  public func hash(into hasher: inout Hasher) {
    // A digest is as good as random already, and the hasher is seeded per process.
    hasher.combine(words.0)
  }

  private static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }

  // SAFETY: fetched once, never freed; OpenSSL's algorithms are immutable and shared by threads. Fetching costs more
  // than digesting a key.
  nonisolated(unsafe) private static let algorithm: OpaquePointer? = EVP_MD_fetch(nil, "SHA256", nil)
}

extension SHA256Digest: CustomStringConvertible {
  /// The first eight digits: enough to tell keys apart in a log, too few to be a key.
  public var description: String { String(hex.prefix(8)) }
}
