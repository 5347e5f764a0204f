// Who has to write when: a wheel of one-millisecond slots. There is one timer for all paced streams, and it runs only
// while there is one; a stream costs an append and a look per write. Owned by the server.

import Reactor

/// Calls connections back when their next write is due.
final class Pacer {
  private let loop: Loop
  private var timer: Timer?
  private var slots: [[MockConnection]] = Array(repeating: [], count: slotCount)
  private var firing: [MockConnection] = []
  /// The slot that was visited last, counted from the beginning of time.
  private var visited: UInt64 = 0
  private var waiting = 0
  private var isArmed = false

  init(loop: Loop) { self.loop = loop }

  /// Calls `connection.due(now:)` in the first millisecond that begins at or behind `due`, in nanoseconds on the loop's
  /// clock. A connection waits for one thing at a time.
  func wake(_ connection: MockConnection, at due: UInt64, now: UInt64) {
    if waiting == 0 { visited = now / Self.slotNanoseconds }
    connection.dueSlot = max((due &+ Self.slotNanoseconds &- 1) / Self.slotNanoseconds, visited &+ 1)
    slots[Int(connection.dueSlot % UInt64(Self.slotCount))].append(connection)
    waiting &+= 1
    arm()
  }

  func close() {
    timer?.close()
    timer = nil
    slots = []
  }

  private func arm() {
    guard !isArmed else { return }
    isArmed = true
    let timer =
      self.timer
      ?? Timer(loop: loop) { [unowned(unsafe) self] in
        // SAFETY: the timer is closed, and its closure dropped, before the pacer goes away.
        self.tick()
      }
    self.timer = timer
    // Fires when the next millisecond begins.
    timer.arm(afterNanoseconds: 0)
  }

  private func tick() {
    isArmed = false
    let now = loop.now
    let current = now / Self.slotNanoseconds
    // After a long turn of the loop each slot is visited once.
    let first = max(visited &+ 1, current &- min(current, UInt64(Self.slotCount &- 1)))
    visited = current
    if first <= current {
      for slot in first...current { visit(slot, current, now) }
    }
    if waiting > 0 { arm() }
  }

  private func visit(_ slot: UInt64, _ current: UInt64, _ now: UInt64) {
    let index = Int(slot % UInt64(Self.slotCount))
    guard !slots[index].isEmpty else { return }
    swap(&slots[index], &firing)
    waiting &-= firing.count
    for connection in firing {
      if connection.isClosed { continue }
      if connection.dueSlot <= current {
        connection.due(now: now)
      } else {
        // Due in a later turn of the wheel.
        slots[index].append(connection)
        waiting &+= 1
      }
    }
    firing.removeAll(keepingCapacity: true)
  }

  private static let slotNanoseconds: UInt64 = 1_000_000
  /// Four seconds; what is due later is looked at once in each turn of the wheel.
  private static let slotCount = 4096
}
