// The access log's way out of a core: lines are formatted into a buffer of the core's and handed over whole to whoever
// writes them, on a thread of its own. A writer that cannot keep up costs lines, never a stalled loop.

import Reactor

/// Takes finished runs of lines away from the cores. Called on the loops' threads; it must not block.
public protocol AccessSink: Sendable {
  /// Takes `lines`; false when there is no room for them, in which case they are counted as lost.
  func take(_ lines: [UInt8], count: Int) -> Bool
}

/// One core's access log.
public final class AccessLog {
  private let sink: any AccessSink
  private var buffer: [UInt8] = []
  private var lines = 0
  private var timer: Timer?
  private var isArmed = false
  /// Lines that nobody had room for.
  public private(set) var linesLost = 0

  public init(loop: Loop, sink: any AccessSink) {
    self.sink = sink
    timer = Timer(loop: loop) { [unowned self] in
      isArmed = false
      handOver()
    }
  }

  /// Adds the line of a finished exchange.
  func add(_ record: AccessRecord, _ core: Core) {
    if buffer.capacity == 0 { buffer.reserveCapacity(Self.bufferBytes) }
    // Counted back from the clock of today: it may have been set, or have slept, since the core began.
    let began = Machine.wallClockNanoseconds() &- (record.endedAt &- record.startedAt)
    AccessLine.append(record, wallClock: began, to: &buffer)
    lines += 1
    if buffer.count >= Self.bufferBytes - Self.lineBytesUsual {
      handOver()
    } else if !isArmed {
      isArmed = true
      timer?.arm(afterNanoseconds: Self.delay)
    }
  }

  /// Hands over what is there: the core stops.
  func flush(_ core: Core) {
    handOver()
    timer?.close()
    timer = nil
  }

  private func handOver() {
    guard lines > 0 else { return }
    if !sink.take(buffer, count: lines) { linesLost += lines }
    buffer = []
    lines = 0
  }

  private static let bufferBytes = 32 << 10
  private static let lineBytesUsual = 1024
  /// A line is seen after this time at the latest.
  private static let delay: UInt64 = 200_000_000
}
