// When requests of an open loop are due. A timer that is a descriptor, because the loop's own timers know whole
// milliseconds only and a request that leaves half a millisecond late would be measured as half a millisecond slower.
// All that are due by now are started, each with the time at which it was due: a late start counts as latency and not as
// a lighter load.

import CTimer
import Glibc
import Reactor

/// Calls back once for each request that is due.
final class Pacemaker: SocketOwner {
  private let loop: Loop
  /// Nanoseconds between two requests.
  private let interval: UInt64
  private var nextDue: UInt64
  private let fire: (UInt64) -> Void
  // A timer is polled like any other descriptor.
  private var timer: Socket?

  /// `rate` requests a second, evenly spaced, from now on.
  init(loop: Loop, rate: Double, _ fire: @escaping (UInt64) -> Void) throws(ReactorError) {
    self.loop = loop
    interval = UInt64(max(1e9 / max(rate, 1e-6), 1))
    nextDue = loop.now &+ interval
    self.fire = fire
    super.init()
    let descriptor = timerfd_create(CLOCK_MONOTONIC, Int32(truncatingIfNeeded: TFD_NONBLOCK | TFD_CLOEXEC))
    guard descriptor >= 0 else { throw ReactorError(code: errno, operation: "timerfd_create") }
    var times = itimerspec()
    times.it_value = Self.time(nextDue)
    times.it_interval = Self.time(max(interval, Self.shortest))
    timerfd_settime(descriptor, Int32(truncatingIfNeeded: TFD_TIMER_ABSTIME), &times, nil)
    timer = try Socket.accepted(descriptor: descriptor, loop: loop, tls: nil, owner: self)
    timer?.interest = .read
  }

  func close() {
    timer?.close()
    timer = nil
  }

  override func socketReadable(_ socket: Socket) {
    var expirations: UInt64 = 0
    // SAFETY: a timer gives exactly eight bytes. Read here, because a socket's own way to read is for sockets.
    guard read(socket.descriptor, &expirations, 8) == 8 else { return }
    let now = loop.now
    while nextDue <= now, timer != nil {
      fire(nextDue)
      nextDue &+= interval
    }
  }

  private static func time(_ nanoseconds: UInt64) -> timespec {
    timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
  }

  /// Shortest time between two wake-ups in nanoseconds: at higher rates, several requests are due at each.
  private static let shortest: UInt64 = 20_000
}
