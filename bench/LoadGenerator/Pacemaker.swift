// When requests of an open loop are due. One timer; each time it fires, all that are due by now are started, each with
// the time at which it was due, so that a late start counts as latency and not as a lighter load.

import Reactor

/// Calls back once for each request that is due.
final class Pacemaker {
  private let loop: Loop
  private let interval: Double
  private let beganAt: UInt64
  private var count: UInt64 = 0
  private var timer: Timer?
  private let fire: (UInt64) -> Void

  /// `rate` requests a second, evenly spaced, from now on.
  init(loop: Loop, rate: Double, _ fire: @escaping (UInt64) -> Void) {
    self.loop = loop
    interval = 1e9 / max(rate, 1e-6)
    beganAt = loop.now
    self.fire = fire
    timer = Timer(loop: loop) { [unowned(unsafe) self] in
      // SAFETY: the timer is closed, and its closure dropped, before the pacemaker goes away.
      self.tick()
    }
    timer?.arm(afterNanoseconds: 0)
  }

  func close() {
    timer?.close()
    timer = nil
  }

  private func tick() {
    let now = loop.now
    while nextDue <= now {
      fire(nextDue)
      count += 1
    }
    timer?.arm(afterNanoseconds: 0)
  }

  private var nextDue: UInt64 { beganAt &+ UInt64(Double(count) * interval) }
}
