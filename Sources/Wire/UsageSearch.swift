// Finds `"usage"` among many bytes that are anything else.

import Glibc

extension UsageScanner {
  /// Whether a new scanner would find anything in `bytes`, or the beginning of it at their end.
  public static func mayBegin(in bytes: UnsafeRawBufferPointer) -> Bool {
    find(bytes, from: 0) != nil || partial(bytes, from: 0) > 0
  }

  /// Whether `bytes` ends within `"usage"`.
  public static func isCut(at bytes: UnsafeRawBufferPointer) -> Bool { partial(bytes, from: 0) > 0 }

  /// Where the last `"usage"` of `bytes` begins.
  public static func last(in bytes: UnsafeRawBufferPointer) -> Int? {
    guard let base = bytes.baseAddress else { return nil }
    var end = bytes.count &- mark.utf8CodeUnitCount &+ 1
    let quotes = SIMD16<UInt8>(repeating: UInt8(ascii: "\""))
    // Sixteen places at a time: those with a quote six bytes behind a quote are few.
    while end >= 16 {
      // SAFETY: sixteen bytes from `end - 16` on, and six further on, are inside of `bytes`.
      let first = base.loadUnaligned(fromByteOffset: end &- 16, as: SIMD16<UInt8>.self)
      let sixth = base.loadUnaligned(fromByteOffset: end &- 10, as: SIMD16<UInt8>.self)
      let found = (first .== quotes) .& (sixth .== quotes)
      if any(found), let place = last(base, (end &- 16)..<end) { return place }
      end &-= 16
    }
    return last(base, 0..<max(end, 0))
  }

  /// The last of some places, from each of which on seven bytes lie.
  private static func last(_ base: UnsafeRawPointer, _ places: Range<Int>) -> Int? {
    var place = places.upperBound &- 1
    while place >= places.lowerBound {
      // SAFETY: by the callers' promise the mark's seven bytes from `place` on are inside of the run.
      if base.loadUnaligned(fromByteOffset: place, as: UInt32.self) == front,
        base.loadUnaligned(fromByteOffset: place &+ 3, as: UInt32.self) == back
      {
        return place
      }
      place &-= 1
    }
    return nil
  }

  /// Index behind the first `"usage"`.
  @inline(__always)
  static func find(_ bytes: UnsafeRawBufferPointer, from: Int) -> Int? {
    guard let base = bytes.baseAddress else { return nil }
    var index = from
    // The rarest of its letters; four bytes stand in front of it, and two behind.
    while index < bytes.count, let at = memchr(base + index, Int32(UInt8(ascii: "g")), bytes.count &- index) {
      let place = UnsafeRawPointer(at) - base
      index = place &+ 1
      guard place &- from >= 4, place &+ 2 < bytes.count else { continue }
      // SAFETY: the four bytes from `place - 4` on, and from `place - 1` on, are inside of `bytes`.
      let front = base.loadUnaligned(fromByteOffset: place &- 4, as: UInt32.self)
      let back = base.loadUnaligned(fromByteOffset: place &- 1, as: UInt32.self)
      if front == Self.front, back == Self.back { return place &+ 3 }
    }
    return nil
  }

  /// How many bytes at the end of `bytes` are the beginning of `"usage"`.
  @inline(__always)
  static func partial(_ bytes: UnsafeRawBufferPointer, from: Int) -> UInt8 {
    var count = min(mark.utf8CodeUnitCount &- 1, bytes.count &- from)
    while count > 0 {
      let start = bytes.count &- count
      if bytes[start] == UInt8(ascii: "\"") {
        var same = 1
        while same < count, bytes[start &+ same] == mark.utf8Start[same] { same &+= 1 }
        if same == count { return UInt8(truncatingIfNeeded: count) }
      }
      count &-= 1
    }
    return 0
  }

  static let mark: StaticString = "\"usage\""
  /// `"usa` and `age"` as words of memory.
  private static let front = UInt32(littleEndian: 0x6173_7522)
  private static let back = UInt32(littleEndian: 0x2265_6761)
}
