// A client connection's deadlines: one entry in the core's wheel for all of them, its exchange's included. Putting a
// deadline off costs nothing: the entry is found to be early when it fires.

extension ClientConnection {
  /// Bounds the present state of reading by `time` nanoseconds from now; 0 is no bound.
  func wait(_ time: UInt64) {
    deadline = time == 0 ? 0 : core.loop.now &+ time
    reschedule()
  }

  func stall() {
    let time = policy.times.writeStall
    stallDeadline = time == 0 ? 0 : core.loop.now &+ time
    reschedule()
  }

  /// Sees to it that the timer fires no later than the nearest deadline. A later one is found when it fires.
  func reschedule() {
    let next = nearest(nearest(deadline, stallDeadline), exchange?.deadline ?? 0)
    guard next != 0, !isClosed else { return }
    if let entry {
      guard next < entryTime else { return }
      entryTime = next
      core.move(entry, to: next)
    } else {
      entryTime = next
      entry = core.schedule(self, at: next)
    }
  }

  /// The timer fired: something is due, or was put off since.
  func deadlineReached(_ now: UInt64) {
    entry = nil
    guard !isClosed else { return }
    if stallDeadline != 0, now >= stallDeadline {
      left()
    } else if deadline != 0, now >= deadline {
      deadline = 0
      timeRanOut()
    } else if let exchange, exchange.deadline != 0, now >= exchange.deadline {
      exchange.deadlineReached(now)
    }
    reschedule()
  }

  func timeRanOut() {
    switch state {
    case .idle, .discarding, .lingering, .closed, .answering: close()
    case .head:
      guard let parser, parser.started else { return close() }
      refuse(parser, Failure(.downstream, .headTimeout))
    case .body: exchange?.fail(Failure(.downstream, .bodyTimeout))
    }
  }
}

/// The nearer of two deadlines, where 0 is none.
@inline(__always)
func nearest(_ one: UInt64, _ other: UInt64) -> UInt64 {
  if one == 0 { return other }
  return other == 0 ? one : min(one, other)
}
