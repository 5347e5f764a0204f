// The access log's way out of a core: lines are written into a buffer of the core's and handed over in one piece to
// whoever writes them to the file, on a thread of its own. A writer that cannot keep up costs lines, never a stalled loop.

import Bytes
import Reactor
import Wire

/// Takes finished runs of lines away from the cores. Called on the loops' threads; it must not block.
public protocol AccessSink: Sendable {
  /// Takes `lines`; false when there is no room for them, in which case they are counted as lost.
  func take(_ lines: [UInt8], count: Int) -> Bool
}

/// One core's access log.
public final class AccessLog {
  private let sink: any AccessSink
  private let buffer = Slab(capacity: bufferBytes)
  private var used = 0
  private var lines = 0
  private var timer: Timer?
  private var isArmed = false
  private var stamp = TimestampMemo()
  /// Lines that nobody had room for.
  public private(set) var linesLost = 0

  public init(loop: Loop, sink: any AccessSink) {
    self.sink = sink
    timer = Timer(loop: loop) { [unowned self] in
      isArmed = false
      handOver()
    }
  }

  /// Adds the line of a finished exchange. The record is lent, and not changed: `inout`, because a class's property that
  /// is passed in any other way is copied first, with all it refers to.
  func add(_ record: inout AccessRecord) {
    // Counted back from the clock of today: it may have been set, or have slept, since the core began.
    let began = Machine.wallClockNanoseconds() &- (record.endedAt &- record.startedAt)
    if !write(&record, began) {
      handOver()
      // A line that does not fit into a whole buffer fits nowhere.
      if !write(&record, began) { linesLost += 1 }
    }
    guard !isArmed else { return }
    isArmed = true
    timer?.arm(afterNanoseconds: Self.delay)
  }

  private func write(_ record: inout AccessRecord, _ began: UInt64) -> Bool {
    var writer = HeadWriter(UnsafeMutableRawBufferPointer(rebasing: buffer.room[used...]))
    AccessLine.write(&record, wallClock: began, to: &writer, after: &stamp)
    guard !writer.overflowed else { return false }
    used += writer.count
    lines += 1
    return true
  }

  /// Hands over what is there: the core stops.
  func flush() {
    handOver()
    timer?.close()
    timer = nil
  }

  private func handOver() {
    guard lines > 0 else { return }
    if !sink.take(Array(buffer.room[..<used]), count: lines) { linesLost += lines }
    used = 0
    lines = 0
  }

  /// Seconds of a quiet gateway, some 600 lines of a busy one: handing over wakes the writer's thread.
  private static let bufferBytes = 256 << 10
  /// A line is seen after this time at the latest.
  private static let delay: UInt64 = 200_000_000
}
