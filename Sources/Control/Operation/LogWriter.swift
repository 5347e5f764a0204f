// The access log's own thread: takes runs of lines from the cores and writes them. A reader that stalls (a full pipe, a
// slow disk) stalls this thread only; lines beyond the bound are dropped and counted.

import Gateway
import Glibc
import Reactor
import Synchronization

/// Writes lines to a descriptor, on a thread and loop of its own.
final class LogWriter: AccessSink {
  private struct State {
    var descriptor: Int32
    var bytesWaiting = 0
    var linesLost = 0
    var isFinished = false
  }

  private let state: Mutex<State>
  private let inbox: Inbox
  private let thread: CoreThread

  /// Writes to `descriptor` until `finish`.
  init(descriptor: Int32) throws(ReactorError) {
    state = Mutex(State(descriptor: descriptor))
    // SAFETY: the loop is handed to its thread here; only its inbox, which any thread may use, is kept.
    nonisolated(unsafe) let loop = try Loop(roomCapacity: 1024)
    inbox = loop.inbox
    thread = try CoreThread.start(name: "access log") {
      loop.run()
      loop.close()
    }
  }

  /// Writes to `new` from now on, as when the file was moved away to be kept. The old descriptor is closed.
  func reopen(_ new: Int32) {
    let old = state.withLock { state in
      let old = state.descriptor
      state.descriptor = new
      return old
    }
    inbox.post { _ = close(old) }
  }

  func take(_ lines: [UInt8], count: Int) -> Bool {
    let hasRoom = state.withLock { state in
      guard state.bytesWaiting + lines.count <= Self.bytesMax else {
        state.linesLost += count
        return false
      }
      state.bytesWaiting += lines.count
      return true
    }
    return hasRoom && inbox.post { [self] in write(lines) }
  }

  /// Waits until everything that was taken is written, a second at most: a reader that has stalled for good must not keep
  /// the process from ending.
  func finish() {
    let inbox = inbox
    inbox.post { [self] in
      state.withLock { $0.isFinished = true }
      inbox.stop()
    }
    for _ in 0..<1000 where !state.withLock({ $0.isFinished }) { usleep(1000) }
    if state.withLock({ $0.isFinished }) { thread.join() } else { thread.detach() }
  }

  private func write(_ bytes: [UInt8]) {
    let (descriptor, lost) = state.withLock { state in
      let lost = state.linesLost
      state.linesLost = 0
      return (state.descriptor, lost)
    }
    if lost > 0 { Terminal.warning("access log: \(lost) lines dropped, its reader is too slow") }
    write(bytes, descriptor)
    state.withLock { $0.bytesWaiting -= bytes.count }
  }

  private func write(_ bytes: [UInt8], _ descriptor: Int32) {
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
