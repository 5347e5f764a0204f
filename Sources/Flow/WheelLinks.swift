// The slots of a timer wheel: which node hangs where, as doubly linked lists in one array. Not generic, so that the hot
// path (moving a deadline) is the same plain code for every payload. Owned by a TimerWheel; it never sees a payload.

/// Nodes, free list, slot lists, and one list more for what is due. All links are indices; `nowhere` ends a list.
struct WheelLinks {
  static let nowhere = UInt32.max

  struct Node {
    /// The tick in which the node is due, counted from the wheel's origin. Never rounded down.
    var tick: UInt64
    /// The tick in which its slot is visited: at or before `tick`.
    var visit: UInt64
    /// Bumped whenever the node is freed, so that old entries do not match.
    var generation: UInt32
    var next: UInt32
    var previous: UInt32
    /// Index of the list that holds the node, or `nowhere` when it is free.
    var list: UInt32
  }

  private(set) var nodes: [Node] = []
  private(set) var count = 0
  /// The last tick that was visited.
  private(set) var cursor: UInt64 = 0
  private var free = nowhere
  private var heads: [UInt32]
  private var tails: [UInt32]
  /// One bit for each slot that holds a node.
  private var occupied: [UInt64]
  private let slotCount: Int

  init(slotCount: Int) {
    self.slotCount = slotCount
    heads = Array(repeating: Self.nowhere, count: slotCount + 1)
    tails = heads
    occupied = Array(repeating: 0, count: (slotCount + 63) / 64)
  }

  private var due: Int { slotCount }
  var firstDue: UInt32 { heads[due] }

  /// Whether `index` with `generation` is a node that still waits.
  func isAlive(_ index: UInt32, _ generation: UInt32) -> Bool {
    guard let place = Int(exactly: index), place < nodes.count else { return false }
    return nodes[place].generation == generation && nodes[place].list != Self.nowhere
  }

  /// A new node that is due in `tick`; takes a freed one when there is one.
  mutating func insert(at tick: UInt64) -> UInt32 {
    let index: UInt32
    if free != Self.nowhere {
      index = free
      free = nodes[Int(index)].next
    } else {
      index = UInt32(truncatingIfNeeded: nodes.count)
      nodes.append(
        Node(tick: 0, visit: 0, generation: 0, next: Self.nowhere, previous: Self.nowhere, list: Self.nowhere))
    }
    count += 1
    nodes[Int(index)].tick = tick
    hang(index)
    return index
  }

  /// Moves a living node. Later is one store: the node is carried on when its slot is visited.
  mutating func move(_ index: UInt32, to tick: UInt64) {
    nodes[Int(index)].tick = tick
    if nodes[Int(index)].list != UInt32(due), tick >= nodes[Int(index)].visit { return }
    unlink(index)
    hang(index)
  }

  /// Frees a living node.
  mutating func remove(_ index: UInt32) {
    unlink(index)
    nodes[Int(index)].generation &+= 1
    nodes[Int(index)].list = Self.nowhere
    nodes[Int(index)].next = free
    free = index
    count -= 1
  }

  /// Visits every tick up to `target` and moves what is due there to the due list.
  mutating func advance(to target: UInt64) {
    guard target > cursor else { return }
    // After a long sleep one visit of each slot sees every node.
    cursor = target - min(target - cursor, UInt64(slotCount))
    while cursor < target {
      cursor += 1
      visit(slot: Int(cursor % UInt64(slotCount)))
    }
  }

  /// The next tick whose slot holds a node.
  func nextOccupiedTick() -> UInt64? {
    let start = Int(cursor % UInt64(slotCount)) + 1
    guard let slot = firstOccupied(in: start..<slotCount) ?? firstOccupied(in: 0..<min(start, slotCount)) else {
      return nil
    }
    let ahead = slot >= start ? slot - start + 1 : slot + slotCount - start + 1
    return cursor + UInt64(ahead)
  }

  private func firstOccupied(in slots: Range<Int>) -> Int? {
    var slot = slots.lowerBound
    while slot < slots.upperBound {
      let word = occupied[slot / 64] >> UInt64(slot % 64)
      if word != 0 {
        let found = slot + word.trailingZeroBitCount
        return found < slots.upperBound ? found : nil
      }
      slot += 64 - slot % 64
    }
    return nil
  }

  private mutating func visit(slot: Int) {
    var index = heads[slot]
    guard index != Self.nowhere else { return }
    heads[slot] = Self.nowhere
    tails[slot] = Self.nowhere
    occupied[slot / 64] &= ~(1 << UInt64(slot % 64))
    while index != Self.nowhere {
      let next = nodes[Int(index)].next
      if nodes[Int(index)].tick <= cursor {
        link(index, into: due)
      } else {
        hang(index)
      }
      index = next
    }
  }

  /// Hangs a node where the wheel comes by in time: in its tick, or one turn ahead when that is farther away.
  private mutating func hang(_ index: UInt32) {
    let earliest = cursor + 1
    let visit = min(max(nodes[Int(index)].tick, earliest), cursor + UInt64(slotCount))
    nodes[Int(index)].visit = visit
    link(index, into: Int(visit % UInt64(slotCount)))
  }

  private mutating func link(_ index: UInt32, into list: Int) {
    let tail = tails[list]
    nodes[Int(index)].list = UInt32(list)
    nodes[Int(index)].previous = tail
    nodes[Int(index)].next = Self.nowhere
    if tail == Self.nowhere {
      heads[list] = index
    } else {
      nodes[Int(tail)].next = index
    }
    tails[list] = index
    if list < slotCount { occupied[list / 64] |= 1 << UInt64(list % 64) }
  }

  private mutating func unlink(_ index: UInt32) {
    let node = nodes[Int(index)]
    let list = Int(node.list)
    if node.previous == Self.nowhere {
      heads[list] = node.next
    } else {
      nodes[Int(node.previous)].next = node.next
    }
    if node.next == Self.nowhere {
      tails[list] = node.previous
    } else {
      nodes[Int(node.next)].previous = node.previous
    }
    if list < slotCount, heads[list] == Self.nowhere { occupied[list / 64] &= ~(1 << UInt64(list % 64)) }
  }
}
