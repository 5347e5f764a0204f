// The limiter's state for all cores of one process: one arrival time per key, in a table of fixed size. A limit is exact
// whichever cores a client's connections land on. It never allocates after init, and knows nothing of what keys mean.

import Synchronization

/// GCRA over a fixed table of atomics.
///
/// A take of a known key is one compare-exchange, a refusal only reads. A new key takes one of 64 locks for as long as it
/// takes to look at 32 slots. A key whose arrival time is over says nothing that an absent key does not, so its slot is
/// free for any other; `sweep` empties such slots in passing.
///
/// When all 32 slots where a key may live are in use, the one that would be free first is evicted: its key gets back what
/// it owed, and `evictions` counts it. In a table that is half full that happens to about one key in a hundred thousand,
/// in one that is seven tenths full to one in a thousand.
///
/// A key stands for one subject under one rate: mix both into it (`RateTable.key`). Clocks of different cores may differ
/// by as much as they are behind in taking the time, nothing more.
public final class RateTable: Sendable {
  /// Slots; a power of two.
  public let capacity: Int
  private let slots: RateSlots
  private let locks: ClaimLocks
  private let hand = Atomic<Int>(0)
  private let evicted = Atomic<UInt64>(0)
  private static let zeroStandIn: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// A table of at least `capacity` slots (16 bytes each), rounded up to a power of two, at most 2^30.
  ///
  /// `seed` places the keys and should be unpredictable; a test gives its own.
  public init(capacity: Int, seed: UInt64 = .random(in: 0 ... .max)) {
    var size = 1
    while size < min(capacity, 1 << 30) { size <<= 1 }
    self.capacity = size
    slots = RateSlots(capacity: size, seed: seed)
    locks = ClaimLocks()
  }

  /// Slots that hold a key, over or not.
  public var occupied: Int { slots.occupied.load(ordering: .relaxed) }
  /// Keys that lost what they owed because their window was full.
  public var evictions: UInt64 { evicted.load(ordering: .relaxed) }

  /// A key for a subject of 128 bits (an address, the beginning of a digest) under the rate or route named by `scope`.
  public static func key(scope: UInt64, high: UInt64, low: UInt64) -> UInt64 {
    Mix.finish(Mix.finish(Mix.finish(scope &+ 0x9E37_79B9_7F4A_7C15) ^ high) ^ low)
  }

  /// Takes `cost` from `key` at `now` (nanoseconds, monotonic) if `rate` allows it. A cost of 0 or less only asks.
  public func take(key: UInt64, cost: Int = 1, now: UInt64, rate: Rate) -> RateVerdict {
    apply(key, now) { rate.decide(arrival: $0, now: now, cost: cost) }
  }

  /// Charges `cost` more, allowed or not, or gives `-cost` back: after an estimate was taken and the truth is known.
  ///
  /// Afterwards the key may be in debt for longer than its burst; takes are refused until that is over.
  @discardableResult
  public func settle(key: UInt64, cost: Int, now: UInt64, rate: Rate) -> RateVerdict {
    apply(key, now) { rate.settle(arrival: $0, now: now, cost: cost) }
  }

  /// Looks at the next `count` slots, round and round, and empties those whose keys are over. Returns how many.
  ///
  /// Any core may call it at any time; a few thousand slots each second keep `occupied` near the truth.
  @discardableResult
  public func sweep(now: UInt64, slots count: Int = 4096) -> Int {
    let count = min(max(count, 0), capacity)
    let start = hand.wrappingAdd(count, ordering: .relaxed).oldValue
    var freed = 0
    for step in 0..<count where slots.free(start &+ step, now: now) { freed += 1 }
    return freed
  }

  private func apply(
    _ key: UInt64, _ now: UInt64, _ step: (_ arrival: UInt64) -> (verdict: RateVerdict, arrival: UInt64)
  ) -> RateVerdict {
    // Word 0 marks an empty slot; its subject shares one with another of 2^64, and not with a neighbour such as 1.
    let key = key == 0 ? Self.zeroStandIn : key
    while true {
      if let index = slots.find(key), let verdict = slots.charge(index, key, step) { return verdict }
      let fresh = step(0)
      // Refused, only asked, or given back to one who owes nothing: not worth a slot.
      guard fresh.arrival > now else { return fresh.verdict }
      switch locks.withLock(for: key, { slots.claim(key, arrival: fresh.arrival, now: now) }) {
      case .present: continue
      case .claimed: return fresh.verdict
      case .evicted:
        evicted.wrappingAdd(1, ordering: .relaxed)
        return fresh.verdict
      }
    }
  }
}

/// Locks that keep two threads from giving the same key two slots. Only new keys come here.
private final class ClaimLocks: @unchecked Sendable {
  private struct Stripe: ~Copyable {
    let lock = Mutex<Void>(())
  }

  private static let count = 64
  private let stripes = UnsafeMutablePointer<Stripe>.allocate(capacity: count)

  init() {
    for index in 0..<Self.count { (stripes + index).initialize(to: Stripe()) }
  }

  deinit {
    stripes.deinitialize(count: Self.count)
    stripes.deallocate()
  }

  func withLock<Result>(for key: UInt64, _ body: () -> Result) -> Result {
    // SAFETY: the index is below `count`, the array lives as long as self, and a Mutex may be used from any thread.
    stripes[Int(truncatingIfNeeded: Mix.finish(key) >> 58)].lock.withLock { _ in body() }
  }
}
