// The access log's own thread: takes runs of lines from the cores and writes them. A reader that stalls (a full pipe, a
// slow disk) stalls this thread only; lines beyond the bound are dropped and counted.

import Dispatch
import Gateway
import Glibc
import Reactor
import Synchronization

/// Writes lines to a descriptor, on a queue of its own.
final class LogWriter: AccessSink {
  private struct State {
    var waiting: [[UInt8]] = []
    var bytes = 0
    var linesLost = 0
    var isBusy = false
  }

  private let descriptor: Mutex<Int32>
  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "sluice.access-log")

  init(descriptor: Int32) { self.descriptor = Mutex(descriptor) }

  /// Writes to `new` from now on, as when the file was moved away to be kept. The old descriptor is closed.
  func reopen(_ new: Int32) {
    let old = descriptor.withLock { current in
      let old = current
      current = new
      return old
    }
    queue.async { close(old) }
  }

  func take(_ lines: [UInt8], count: Int) -> Bool {
    let (taken, mustStart) = state.withLock { state -> (Bool, Bool) in
      guard state.bytes + lines.count <= Self.bytesMax else {
        state.linesLost += count
        return (false, false)
      }
      state.waiting.append(lines)
      state.bytes += lines.count
      let mustStart = !state.isBusy
      state.isBusy = true
      return (true, mustStart)
    }
    if mustStart { queue.async { [self] in writeWhatWaits() } }
    return taken
  }

  /// Waits until everything taken so far is written, at most a second.
  func finish() {
    let done = DispatchSemaphore(value: 0)
    queue.async { done.signal() }
    _ = done.wait(timeout: .now() + 1)
  }

  private func writeWhatWaits() {
    while true {
      let (runs, lost) = state.withLock { state -> ([[UInt8]], Int) in
        let runs = state.waiting
        let lost = state.linesLost
        state.waiting = []
        state.bytes = 0
        state.linesLost = 0
        if runs.isEmpty { state.isBusy = false }
        return (runs, lost)
      }
      if lost > 0 { Terminal.error("access log: \(lost) lines dropped, its reader is too slow") }
      guard !runs.isEmpty else { return }
      for run in runs { write(run) }
    }
  }

  private func write(_ bytes: [UInt8]) {
    let descriptor = descriptor.withLock { $0 }
    bytes.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = UnsafeRawBufferPointer(rebasing: rest)
        // SAFETY: the array's bytes are lent for the length of the closure.
        let count = Glibc.write(descriptor, piece.baseAddress, piece.count)
        if count > 0 {
          rest = rest.dropFirst(count)
        } else if errno == EAGAIN {
          var one = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          _ = poll(&one, 1, 1000)
        } else if errno != EINTR {
          return
        }
      }
    }
  }

  /// As much as may wait: seconds of a busy gateway.
  private static let bytesMax = 8 << 20
}
