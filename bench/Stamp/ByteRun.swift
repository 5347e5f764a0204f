// Comparing and searching runs of bytes, by the C library, which is ten times faster than a loop here.

import Glibc

/// Questions about runs of bytes.
public enum ByteRun {
  /// Whether both hold the same bytes.
  public static func same(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    guard left.count == right.count else { return false }
    guard let first = left.baseAddress, let second = right.baseAddress else { return true }
    return memcmp(first, second, left.count) == 0
  }

  /// Whether `bytes` begin with `text`.
  public static func begins(_ bytes: UnsafeRawBufferPointer, with text: StaticString) -> Bool {
    guard bytes.count >= text.utf8CodeUnitCount, let base = bytes.baseAddress else { return false }
    return memcmp(base, text.utf8Start, text.utf8CodeUnitCount) == 0
  }

  /// Whether `bytes` end with `text`.
  public static func ends(_ bytes: UnsafeRawBufferPointer, with text: StaticString) -> Bool {
    guard bytes.count >= text.utf8CodeUnitCount else { return false }
    return begins(UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - text.utf8CodeUnitCount)...]), with: text)
  }

  /// Where `byte` is found first, at or behind `start`.
  @inline(__always)
  public static func index(of byte: UInt8, in bytes: UnsafeRawBufferPointer, from start: Int = 0) -> Int? {
    guard start < bytes.count, let base = bytes.baseAddress else { return nil }
    // SAFETY: the search is bounded by what is left of the run behind `start`.
    guard let found = memchr(base + start, Int32(byte), bytes.count &- start) else { return nil }
    return UnsafeRawPointer(found) - base
  }

  /// Where `text` is found first, at or behind `start`: the index of the byte behind it.
  public static func end(of text: StaticString, in bytes: UnsafeRawBufferPointer, from start: Int = 0) -> Int? {
    let count = text.utf8CodeUnitCount
    guard count > 0 else { return start }
    var from = start
    while let found = index(of: text.utf8Start[0], in: bytes, from: from) {
      guard bytes.count - found >= count else { return nil }
      if begins(UnsafeRawBufferPointer(rebasing: bytes[found...]), with: text) { return found + count }
      from = found + 1
    }
    return nil
  }
}
