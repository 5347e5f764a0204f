// Leaves one event out of a stream of completions: the chunk that reports usage (`"choices":[]` beside a `usage` object), for
// clients that did not ask for it and may look at `choices[0]` unguarded. Everything else passes as it came. Bytes wait only
// while it is open whether their event is that chunk: nearly always it comes whole in one run, and nothing waits.

import Glibc

/// Drops the usage chunk of a `text/event-stream` that is fed in runs of any size.
///
/// An event is dropped whole, with the empty line that ends it, when the JSON object of its data has `choices`, an empty array,
/// and `usage`, an object. Azure's chunk of filter results has no usage and passes, and so does a chunk of text that tells the
/// usage so far.
public struct UsageChunkFilter: Sendable {
  /// Longest event in bytes that is dropped; of a longer one no more than this is held back.
  public static let eventBytesMax = 64 << 10

  private enum Line: UInt8 {
    /// At its beginning, or so many bytes into `data:`.
    case field
    case data, other
  }

  private var chunk = UsageChunkScanner()
  private var line = Line.field
  private var matched: UInt8 = 0
  /// The last byte was CR: an LF that follows belongs to the same line end.
  private var afterCR = false
  /// Nothing has come of the event under way.
  private var isFresh = true
  /// The event before was dropped.
  private var hasDropped = false
  /// Bytes of the event under way that came in runs before and may have to be dropped.
  private var held: [UInt8] = []

  public init() {}

  /// Whether bytes are held back.
  public var isHolding: Bool { !held.isEmpty }

  /// Takes the next run of the stream and lends what goes on to the client, in order.
  public mutating func filter(_ bytes: UnsafeRawBufferPointer, _ pass: (UnsafeRawBufferPointer) -> Void) {
    // Where what has been neither lent nor dropped begins, and where the event under way does.
    var from = 0
    var start = 0
    var index = 0
    func lend(_ end: Int) {
      if from < end { pass(UnsafeRawBufferPointer(rebasing: bytes[from..<end])) }
      from = end
    }
    while index < bytes.count {
      let byte = bytes[index]
      if byte == ASCII.lf || byte == ASCII.cr {
        index &+= 1
        if byte == ASCII.lf, afterCR {
          // The second half of a line end that was counted with its first. It goes where the event goes that it ends.
          afterCR = false
          guard isFresh else { continue }
          if hasDropped { from = index }
          start = index
          continue
        }
        afterCR = byte == ASCII.cr
        guard line == .field, matched == 0 else {
          if line == .data { chunk.endLine() }
          line = .field
          matched = 0
          continue
        }
        hasDropped = chunk.isUsage && held.count &+ (index &- start) <= Self.eventBytesMax
        if hasDropped {
          lend(start)
          from = index
          held.removeAll(keepingCapacity: held.capacity <= Self.heldBytesKept)
        } else {
          release(pass)
        }
        start = index
        isFresh = true
        chunk = UsageChunkScanner()
        continue
      }
      afterCR = false
      isFresh = false
      if line == .field {
        line = byte == Self.data.utf8Start[Int(matched)] ? .field : .other
        matched &+= 1
        if Int(matched) == Self.data.utf8CodeUnitCount, line == .field { line = .data }
        index &+= 1
      } else {
        let end = Self.lineEnd(bytes, index)
        if line == .data { chunk.scan(UnsafeRawBufferPointer(rebasing: bytes[index..<end])) }
        index = end
      }
    }
    if chunk.isOther || held.count &+ (bytes.count &- start) > Self.eventBytesMax {
      chunk.giveUp()
      release(pass)
      lend(bytes.count)
    } else {
      lend(start)
      if start < bytes.count { held.append(contentsOf: bytes[start...]) }
    }
  }

  /// The stream is over: what is held is no whole event, and goes on.
  public mutating func finish(_ pass: (UnsafeRawBufferPointer) -> Void) {
    release(pass)
    self = UsageChunkFilter()
  }

  private mutating func release(_ pass: (UnsafeRawBufferPointer) -> Void) {
    guard !held.isEmpty else { return }
    held.withUnsafeBytes { pass($0) }
    held.removeAll(keepingCapacity: held.capacity <= Self.heldBytesKept)
  }

  /// The index of the next CR or LF, or the end.
  private static func lineEnd(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
    guard let base = bytes.baseAddress, start < bytes.count else { return bytes.count }
    // SAFETY: both searches stay within the run.
    let lf = memchr(base + start, Int32(ASCII.lf), bytes.count &- start).map { UnsafeRawPointer($0) - base }
    let end = lf ?? bytes.count
    let cr = memchr(base + start, Int32(ASCII.cr), end &- start).map { UnsafeRawPointer($0) - base }
    return cr ?? end
  }

  private static let data: StaticString = "data:"
  /// Memory for a split event that stays for the next one.
  private static let heldBytesKept = 1 << 10
}
