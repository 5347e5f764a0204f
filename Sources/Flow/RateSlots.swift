// The memory of a RateTable and the protocol by which a slot changes hands between threads. It knows keys and arrival
// times as words, and when one is over; what a take does to it is Rate's.
//
// A slot is two atomic words, and `arrival` is also the slot's version:
//
//   charge   load arrival (acquire) · check key · compare-exchange arrival a → a'           a' > a
//   claim    compare-exchange arrival a → changing · store key · store arrival (release)    a over, so the new one > a
//   free     compare-exchange arrival a → changing · store key 0 · store a + 1 (release)    a over
//
// As `arrival` only grows, a charge that was overtaken by a claim fails its compare-exchange and starts again, and a
// charge that read a claim's arrival also sees the claim's key. Two exceptions, taking back a charge and evicting a key
// that is not over, let it shrink; for them to mislead a charge, two clocks must agree to the nanosecond within its few
// instructions, and then one take is counted for another key.

import Glibc
import Synchronization

/// A fixed array of slots and, for each key, a short window of them in which it may live.
final class RateSlots: @unchecked Sendable {
  struct Slot: ~Copyable {
    let key = Atomic<UInt64>(0)
    let arrival = Atomic<UInt64>(0)
  }

  /// The arrival of a slot that is between two owners.
  static let changing = UInt64.max
  /// A key lives in one of so many slots in a row, or nowhere: eight cache lines.
  static let windowMax = 32

  let capacity: Int
  /// Slots that hold a key, over or not.
  let occupied = Atomic<Int>(0)
  private let slots: UnsafeMutablePointer<Slot>
  /// What calloc gave, in front of the first cache line.
  private let memory: UnsafeMutableRawPointer
  private let window: Int
  private let seed: UInt64

  /// `seed` decides where keys live, so that nobody who cannot read it can aim many keys at one window.
  init(capacity: Int, seed: UInt64) {
    self.capacity = capacity
    self.seed = seed
    window = min(Self.windowMax, capacity)
    // Zeroed pages cost no memory until somebody lives there: a table for 65,536 addresses is 1 MiB.
    guard let memory = calloc(capacity &* MemoryLayout<Slot>.stride &+ Self.lineBytes, 1) else {
      fatalError("no memory for a table of \(capacity) rates")
    }
    self.memory = memory
    // SAFETY: a slot is two atomic words, trivial to end and 0 at first, which is what the memory holds; rounding up to a
    // cache line stays within the bytes that were added for it.
    let aligned = memory.alignedUp(toMultipleOf: Self.lineBytes)
    slots = aligned.bindMemory(to: Slot.self, capacity: capacity)
  }

  deinit { Glibc.free(memory) }

  private static let lineBytes = 64

  /// The first slot of the window of `key`.
  func home(of key: UInt64) -> Int {
    Int(truncatingIfNeeded: Mix.finish(key ^ seed)) & (capacity - 1)
  }

  // SAFETY (all of `slots`): the array lives as long as self, and every index is masked by `capacity - 1`, a power of
  // two less one. All access is atomic, which is also why the class is Sendable.

  /// Where `key` lives, if it does. It may have left by the time the caller looks.
  func find(_ key: UInt64) -> Int? {
    let home = home(of: key)
    for step in 0..<window {
      let index = (home + step) & (capacity - 1)
      if slots[index].key.load(ordering: .acquiring) == key { return index }
    }
    return nil
  }

  /// Replaces the arrival of `key` in the slot `index` by what `step` makes of it; nil when the key has left.
  func charge(
    _ index: Int, _ key: UInt64, _ step: (_ arrival: UInt64) -> (verdict: RateVerdict, arrival: UInt64)
  ) -> RateVerdict? {
    let index = index & (capacity - 1)
    while true {
      let arrival = slots[index].arrival.load(ordering: .acquiring)
      guard arrival != Self.changing, slots[index].key.load(ordering: .relaxed) == key else { return nil }
      let next = step(arrival)
      // A refusal changes nothing, so under attack the cache line stays shared by all cores.
      guard next.arrival != arrival else { return next.verdict }
      let exchange = slots[index].arrival.weakCompareExchange(
        expected: arrival, desired: next.arrival, ordering: .acquiringAndReleasing)
      if exchange.exchanged { return next.verdict }
    }
  }

  /// What became of `claim`.
  enum Claim {
    /// The key lives already: charge it.
    case present
    case claimed
    /// Claimed from a key that was not over, as the window was full.
    case evicted
  }

  /// Gives `key` a slot with `arrival`: the first that is empty or over at `now`, else the one that would be over first.
  /// Two threads must not claim the same key at once; different keys may.
  func claim(_ key: UInt64, arrival: UInt64, now: UInt64) -> Claim {
    let home = home(of: key)
    while true {
      var best: (index: Int, arrival: UInt64)?
      for step in 0..<window {
        let index = (home + step) & (capacity - 1)
        let found = slots[index].arrival.load(ordering: .acquiring)
        // Between owners: if it is this key that lives here, it is the one that leaves.
        guard found != Self.changing else { continue }
        if slots[index].key.load(ordering: .relaxed) == key { return .present }
        let leads = best.map { $0.arrival > now && found < $0.arrival } ?? true
        if leads { best = (index, found) }
      }
      guard let best, seize(best.index, from: best.arrival) else { continue }
      let former = slots[best.index].key.load(ordering: .relaxed)
      slots[best.index].key.store(key, ordering: .releasing)
      slots[best.index].arrival.store(arrival, ordering: .releasing)
      if former == 0 { occupied.add(1, ordering: .relaxed) }
      return former != 0 && best.arrival > now ? .evicted : .claimed
    }
  }

  /// Empties the slot `index` if its key is over at `now`.
  func free(_ index: Int, now: UInt64) -> Bool {
    let index = index & (capacity - 1)
    let arrival = slots[index].arrival.load(ordering: .acquiring)
    guard arrival <= now, arrival != Self.changing, slots[index].key.load(ordering: .relaxed) != 0,
      seize(index, from: arrival)
    else { return false }
    slots[index].key.store(0, ordering: .releasing)
    slots[index].arrival.store(arrival + 1, ordering: .releasing)
    occupied.subtract(1, ordering: .relaxed)
    return true
  }

  private func seize(_ index: Int, from arrival: UInt64) -> Bool {
    slots[index].arrival.compareExchange(
      expected: arrival, desired: Self.changing, ordering: .acquiringAndReleasing
    ).exchanged
  }
}
