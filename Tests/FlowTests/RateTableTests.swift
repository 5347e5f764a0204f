import Flow
import Glibc
import Synchronization
import Testing

private let second: UInt64 = 1_000_000_000

@Suite("RateTable", .serialized)
struct RateTableTests {
  static let now: UInt64 = 1_000_000 * second

  final class Tally: Sendable {
    let allowed = Atomic<Int>(0)
    let started = Atomic<Int>(0)

    /// Lets no thread begin before all `count` are there.
    func meet(_ count: Int) {
      started.add(1, ordering: .acquiringAndReleasing)
      while started.load(ordering: .acquiring) < count { sched_yield() }
    }
  }

  @Test("threads that hammer one key get exactly its burst, round after round", arguments: [2, 4, 8])
  func exact(threads: Int) {
    let table = RateTable(capacity: 1024)
    let rate = Rate(count: 1, perNanoseconds: 3600 * second, burst: 1000)
    for round in 0..<20 as Range<UInt64> {
      let tally = Tally()
      onThreads(threads) { _ in
        tally.meet(threads)
        var mine = 0
        for _ in 0..<1000 where table.take(key: round, now: Self.now, rate: rate).allowed { mine += 1 }
        tally.allowed.add(mine, ordering: .relaxed)
      }
      #expect(tally.allowed.load(ordering: .relaxed) == 1000, "round \(round)")
    }
    #expect(table.occupied == 20 && table.evictions == 0)
  }

  @Test("threads that bring the same new keys at the same time make one slot of each")
  func sameNewKeys() {
    let table = RateTable(capacity: 16384)
    let rate = Rate(count: 1, perNanoseconds: 3600 * second, burst: 3)
    let tally = Tally()
    onThreads(4) { _ in
      tally.meet(4)
      var mine = 0
      for key in 0..<4000 as Range<UInt64> {
        for _ in 0..<2 where table.take(key: key, now: Self.now, rate: rate).allowed { mine += 1 }
      }
      tally.allowed.add(mine, ordering: .relaxed)
    }
    #expect(tally.allowed.load(ordering: .relaxed) == 3 * 4000)
    #expect(table.occupied == 4000 && table.evictions == 0)
  }

  @Test("a limit stays exact while its neighbours come, go and are swept")
  func exactUnderSweep() {
    let table = RateTable(capacity: 64)
    let lasting = Rate(count: 1, perNanoseconds: 3600 * second, burst: 500)
    let passing = Rate(count: 1, perNanoseconds: 1, burst: 1)
    let tally = Tally()
    onThreads(4) { index in
      tally.meet(4)
      var random = Xoshiro256(seed: UInt64(index))
      var mine = 0
      for step in 0..<20_000 as Range<UInt64> {
        let now = Self.now + step
        switch random.next(below: 4) {
        case 0: if table.take(key: random.next(below: 4) + 1, now: now, rate: lasting).allowed { mine += 1 }
        case 1: table.sweep(now: now, slots: 8)
        default: _ = table.take(key: random.next() | 1 << 63, now: now, rate: passing)
        }
      }
      tally.allowed.add(mine, ordering: .relaxed)
    }
    #expect(tally.allowed.load(ordering: .relaxed) == 4 * 500)
    #expect(table.occupied <= table.capacity)
  }

  @Test("charges and their return leave nothing behind, whichever threads do them")
  func settleBalances() {
    let table = RateTable(capacity: 64)
    let rate = Rate(count: 1, perNanoseconds: second, burst: 1_000_000)
    _ = table.take(key: 5, cost: 500_000, now: Self.now, rate: rate)
    let tally = Tally()
    onThreads(4) { _ in
      tally.meet(4)
      for _ in 0..<10_000 {
        table.settle(key: 5, cost: 3, now: Self.now, rate: rate)
        table.settle(key: 5, cost: -3, now: Self.now, rate: rate)
      }
    }
    #expect(table.take(key: 5, cost: 0, now: Self.now, rate: rate).remaining == 500_000)
  }

  @Test("a table never grows: a hundred thousand keys leave it at its size and are counted as evicted")
  func bounded() {
    let table = RateTable(capacity: 1000, seed: 4)
    #expect(table.capacity == 1024)
    let rate = Rate(count: 1, perNanoseconds: 3600 * second, burst: 2)
    var allowed = 0
    for key in 0..<100_000 as Range<UInt64> where table.take(key: key, now: Self.now + key, rate: rate).allowed {
      allowed += 1
    }
    #expect(allowed == 100_000)
    #expect(table.occupied <= 1024 && table.occupied > 1000)
    #expect(table.evictions == 100_000 - UInt64(table.occupied))
  }

  @Test("the key that would be free first is the one that is evicted")
  func evictsTheOldest() {
    let table = RateTable(capacity: 32, seed: 1)
    let rate = Rate(count: 1, perNanoseconds: second, burst: 10)
    for key in 1...32 as ClosedRange<UInt64> {
      _ = table.take(key: key, cost: key == 20 ? 1 : 5, now: Self.now, rate: rate)
    }
    #expect(table.occupied == 32 && table.evictions == 0)
    _ = table.take(key: 99, now: Self.now, rate: rate)
    #expect(table.evictions == 1)
    #expect(table.take(key: 20, cost: 0, now: Self.now, rate: rate).remaining == 10)
    for key in 1...32 as ClosedRange<UInt64> where key != 20 {
      #expect(table.take(key: key, cost: 0, now: Self.now, rate: rate).remaining == 5)
    }
  }

  @Test("a key that is over makes room without being swept, and without being counted as evicted")
  func reuse() {
    let table = RateTable(capacity: 32, seed: 1)
    let rate = Rate(count: 1, perNanoseconds: second, burst: 1)
    for key in 0..<3200 as Range<UInt64> {
      #expect(table.take(key: key, now: Self.now + key / 32 * second, rate: rate).allowed)
    }
    #expect(table.occupied == 32 && table.evictions == 0)
  }

  @Test("a quarter full, no window is; half full, hardly any", arguments: Simulation.seeds)
  func load(seed: UInt64) {
    let table = RateTable(capacity: 65536, seed: seed)
    let rate = Rate(count: 1, perNanoseconds: 3600 * second, burst: 1)
    for key in 0..<16384 as Range<UInt64> { _ = table.take(key: key, now: Self.now, rate: rate) }
    #expect(table.occupied == 16384 && table.evictions == 0, "seed \(seed)")
    for key in 16384..<32768 as Range<UInt64> { _ = table.take(key: key, now: Self.now, rate: rate) }
    #expect(table.evictions < 10, "seed \(seed)")
  }

  @Test("a sweep empties what is over, keeps the rest, and gets around in its steps")
  func sweep() {
    let table = RateTable(capacity: 1024, seed: 1)
    let rate = Rate(count: 1, perNanoseconds: second, burst: 10)
    for key in 1...100 as ClosedRange<UInt64> {
      _ = table.take(key: key, cost: key <= 60 ? 1 : 2, now: Self.now, rate: rate)
    }
    #expect(table.sweep(now: Self.now + second - 1, slots: 1024) == 0)
    var freed = 0
    for _ in 0..<8 { freed += table.sweep(now: Self.now + second, slots: 128) }
    #expect(freed == 60 && table.occupied == 40)
    #expect(table.take(key: 100, cost: 0, now: Self.now + second, rate: rate).remaining == 9)
    #expect(table.sweep(now: Self.now + 2 * second, slots: .max) == 40 && table.occupied == 0)
    #expect(table.sweep(now: Self.now + 2 * second, slots: -1) == 0)
  }

  @Test("a swept key comes back whole")
  func afterSweep() {
    let table = RateTable(capacity: 32, seed: 1)
    let rate = Rate(count: 1, perNanoseconds: second, burst: 2)
    #expect(table.take(key: 3, now: Self.now, rate: rate).remaining == 1)
    #expect(table.sweep(now: Self.now + second) == 1)
    #expect(table.take(key: 3, now: Self.now + second, rate: rate).remaining == 1)
    #expect(table.take(key: 3, now: Self.now + second, rate: rate).remaining == 0)
    #expect(!table.take(key: 3, now: Self.now + second, rate: rate).allowed)
  }

  @Test("the smallest table works, and key zero is a key like any other")
  func smallest() {
    for capacity in [-1, 0, 1, 2] {
      let table = RateTable(capacity: capacity)
      let rate = Rate(count: 1, perNanoseconds: second, burst: 1)
      #expect(table.take(key: 0, now: Self.now, rate: rate).allowed)
      #expect(!table.take(key: 0, now: Self.now, rate: rate).allowed)
    }
  }

  @Test("subjects and scopes make different keys")
  func keys() {
    var seen: Set<UInt64> = []
    for scope in 0..<10 as Range<UInt64> {
      for high in 0..<10 as Range<UInt64> {
        for low in 0..<100 as Range<UInt64> { seen.insert(RateTable.key(scope: scope, high: high, low: low)) }
      }
    }
    #expect(seen.count == 10_000)
  }
}
