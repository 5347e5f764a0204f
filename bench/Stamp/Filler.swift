// The text that makes events, answers and request bodies as long as they shall be. Its period is a prime, so that bytes
// that were lost, doubled or moved in blocks of any usual size do not fit any more.

import Glibc

/// Letters and digits with a period of 61.
public enum Filler {
  /// Bytes after which the text begins again.
  public static let period = 61
  /// Longest run that `run` lends.
  public static let runBytesMax = 65_536

  // SAFETY: written once before it is first read, never freed.
  nonisolated(unsafe) private static let table: UnsafeRawPointer = {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz012345678".utf8)
    let room = UnsafeMutableRawPointer.allocate(byteCount: runBytesMax + period, alignment: 64)
    for index in 0..<(runBytesMax + period) {
      room.storeBytes(of: letters[index % period], toByteOffset: index, as: UInt8.self)
    }
    return UnsafeRawPointer(room)
  }()

  /// At most `count` bytes of the text that begin `offset` bytes behind its start.
  public static func run(at offset: Int, count: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: table + max(offset, 0) % period, count: min(max(count, 0), runBytesMax))
  }

  /// Whether `bytes` are the beginning of the text. For runs that are known to be short: longer ones are not.
  @inline(__always)
  public static func begins(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress, bytes.count <= runBytesMax else { return bytes.isEmpty }
    return memcmp(base, table, bytes.count) == 0
  }

  /// Whether `bytes` are the text that begins `offset` bytes behind its start.
  public static func matches(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
    var done = 0
    while done < bytes.count {
      let expected = run(at: offset &+ done, count: bytes.count &- done)
      guard let left = bytes.baseAddress, let right = expected.baseAddress else { return false }
      guard memcmp(left + done, right, expected.count) == 0 else { return false }
      done &+= expected.count
    }
    return true
  }

  /// How many bytes at the beginning of `bytes` are the text that begins `offset` bytes behind its start.
  public static func matching(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int {
    var count = 0
    while count < bytes.count, bytes[count] == run(at: offset &+ count, count: 1)[0] { count &+= 1 }
    return count
  }

  /// Fills `room` with the text from its start.
  public static func fill(_ room: UnsafeMutableRawBufferPointer) {
    guard let base = room.baseAddress else { return }
    var done = 0
    while done < room.count {
      let run = run(at: done, count: room.count &- done)
      // SAFETY: the run is no longer than what is left of the room, and lies in memory of its own.
      if let source = run.baseAddress { memcpy(base + done, source, run.count) }
      done &+= run.count
    }
  }
}
