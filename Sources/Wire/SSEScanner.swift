// Divides a stream of runs into events. An event that lies in one run is lent from there; only one that is split between
// runs is collected. Owned by whoever listens to a stream; without a listener there is none.

/// A resumable splitter of event streams, for runs of any size.
public struct SSEScanner {
  /// Most bytes of a split event that are collected. A longer one is passed over.
  public let eventBytesMax: Int
  /// Events that were passed over because they were split and too long.
  public private(set) var oversizeCount: UInt64 = 0

  private var collected: [UInt8] = []
  private var isOversize = false
  /// The line under way has no bytes yet.
  private var lineIsEmpty = true
  /// The last byte was CR: an LF that follows belongs to the same line end.
  private var afterCR = false
  /// The event under way has a line. Empty lines between events are no events.
  private var hasLines = false
  /// The event ended with CR at the end of a run; it is delivered when it is clear whether an LF belongs to it.
  private var endsWithCR = false

  public init(eventBytesMax: Int = 1 << 20) { self.init(eventBytesMax: eventBytesMax, oversizeCount: 0) }

  private init(eventBytesMax: Int, oversizeCount: UInt64) {
    self.eventBytesMax = max(eventBytesMax, 0)
    self.oversizeCount = oversizeCount
  }

  /// Whether the stream is between two events.
  public var isBetweenEvents: Bool { collected.isEmpty && !isOversize && !hasLines && lineIsEmpty }

  /// Takes the next run and calls `event` for each event that ends in it.
  public mutating func scan(_ bytes: UnsafeRawBufferPointer, _ event: (SSEEvent) -> Void) {
    var start = 0
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      if endsWithCR {
        // The LF of a CR LF that was cut in two still belongs to the event.
        endsWithCR = false
        let end = byte == ASCII.lf ? index &+ 1 : index
        deliver(bytes, start..<end, event)
        start = end
        if byte == ASCII.lf {
          afterCR = false
          index &+= 1
        }
        continue
      }
      if byte == ASCII.lf, afterCR {
        // The second half of a line end that was counted with its first.
        afterCR = false
        index &+= 1
        if !hasLines, lineIsEmpty { start = index }
        continue
      }
      afterCR = byte == ASCII.cr
      guard byte == ASCII.lf || byte == ASCII.cr else {
        lineIsEmpty = false
        hasLines = true
        index = SSEScanner.lineEnd(bytes, index &+ 1)
        continue
      }
      let wasEmpty = lineIsEmpty
      lineIsEmpty = true
      index &+= 1
      guard wasEmpty else { continue }
      guard hasLines else {
        start = index
        continue
      }
      if byte == ASCII.cr {
        endsWithCR = true
        continue
      }
      deliver(bytes, start..<index, event)
      start = index
    }
    keep(bytes, start..<bytes.count)
  }

  /// The stream is over. Delivers an event whose last line end might have gone on; a cut event is dropped, as the
  /// standard wants it.
  public mutating func finish(_ event: (SSEEvent) -> Void) {
    if endsWithCR {
      endsWithCR = false
      let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
      deliver(nothing, 0..<0, event)
    }
    self = SSEScanner(eventBytesMax: eventBytesMax, oversizeCount: oversizeCount)
  }

  /// The index of the next CR or LF, or the end.
  private static func lineEnd(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
    var index = start
    while index < bytes.count, bytes[index] != ASCII.lf, bytes[index] != ASCII.cr { index &+= 1 }
    return index
  }

  private mutating func keep(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
    guard !range.isEmpty, hasLines || endsWithCR || !lineIsEmpty, !isOversize else { return }
    if range.count > eventBytesMax - collected.count {
      isOversize = true
      collected = []
    } else {
      collected.append(contentsOf: bytes[range])
    }
  }

  private mutating func deliver(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ event: (SSEEvent) -> Void) {
    hasLines = false
    lineIsEmpty = true
    guard !isOversize else {
      isOversize = false
      oversizeCount &+= 1
      return
    }
    guard !collected.isEmpty else {
      event(SSEEvent(UnsafeRawBufferPointer(rebasing: bytes[range])))
      return
    }
    guard range.count <= eventBytesMax - collected.count else {
      oversizeCount &+= 1
      collected.removeAll(keepingCapacity: true)
      return
    }
    collected.append(contentsOf: bytes[range])
    collected.withUnsafeBytes { event(SSEEvent($0)) }
    // The memory stays for the next split event: streams whose events straddle reads do it again and again.
    collected.removeAll(keepingCapacity: true)
  }
}
