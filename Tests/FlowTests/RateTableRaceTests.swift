// The races that a table of atomics can lose, provoked on purpose: two threads that bring one new key and see different
// slots free, and keys that change hands while they are charged.

import Flow
import Glibc
import Synchronization
import Testing

@Suite("RateTable, races", .serialized)
struct RateTableRaceTests {
  /// All threads pass `meet` together, as often as they like.
  final class Barrier: Sendable {
    private let arrived = Atomic<Int>(0)
    private let count: Int

    init(_ count: Int) { self.count = count }

    func meet() {
      let goal = (arrived.add(1, ordering: .acquiringAndReleasing).newValue + count - 1) / count * count
      var spins = 0
      while arrived.load(ordering: .acquiring) < goal {
        spins += 1
        if spins % 50_000 == 0 { sched_yield() }
      }
    }
  }

  @Test("a new key gets one slot, even from threads whose clocks see different slots free")
  func oneSlot() {
    // The whole table is one window. The fillers are over for the one thread and not yet for the other.
    let table = RateTable(capacity: 32, seed: 1)
    let (once, filler) = (Rate(count: 1, perNanoseconds: 1000, burst: 1), Rate(count: 1, perNanoseconds: 250, burst: 1))
    let barrier = Barrier(2)
    let allowed = Atomic<Int>(0)
    let rounds: UInt64 = 5000
    onThreads(2) { index in
      for round in 1...rounds {
        let start = round * 10_000
        if index == 0 {
          for key in 1...20 as ClosedRange<UInt64> { _ = table.take(key: key, now: start, rate: filler) }
        }
        barrier.meet()
        let now = start + (index == 0 ? 0 : 500)
        if table.take(key: 100 + round, now: now, rate: once).allowed { allowed.add(1, ordering: .relaxed) }
        barrier.meet()
      }
    }
    #expect(allowed.load(ordering: .relaxed) == Int(rounds))
  }

  /// One take, with the readings of the shared clock around it.
  struct Take {
    let key: UInt64
    let begin: UInt64
    let end: UInt64
    let allowed: Bool
  }

  @Test("keys that change hands all the time lose no charge and pay for no other", arguments: Simulation.seeds)
  func changingHands(seed: UInt64) {
    // The clock counts operations, and no two threads ever read the same. Of 48 keys a few are in debt at a time, so that
    // 32 slots suffice and are always wanted by others.
    let table = RateTable(capacity: 32, seed: seed)
    let tick: UInt64 = 1024
    let emission = 12 * tick
    let rate = Rate(count: 1, perNanoseconds: emission, burst: 2)
    let clock = Atomic<UInt64>(1000)
    let takes = Mutex<[Take]>([])
    onThreads(4) { index in
      var random = Xoshiro256(seed: seed &+ UInt64(index))
      var mine: [Take] = []
      for step in 0..<10_000 {
        let key = random.next(below: 48) + 1
        let begin = clock.add(1, ordering: .sequentiallyConsistent).newValue * tick + UInt64(index)
        if step % 4 == 0 { table.sweep(now: begin, slots: 4) }
        let verdict = table.take(key: key, now: begin, rate: rate)
        let end = clock.load(ordering: .sequentiallyConsistent) * tick + tick - 1
        mine.append(Take(key: key, begin: begin, end: end, allowed: verdict.allowed))
      }
      takes.withLock { $0 += mine }
    }

    // Only a take that was not interrupted says when it happened. The others only count against what may be refused.
    let slack = 4 * tick
    var (excess, wrongRefusals) = (0, 0)
    for (_, takes) in Dictionary(grouping: takes.withLock { $0 }, by: \.key) {
      let prompt = takes.filter { $0.end - $0.begin <= slack }.sorted { $0.begin < $1.begin }
      let allowed = prompt.filter(\.allowed)
      for (first, third) in zip(allowed, allowed.dropFirst(2)) where third.end - first.begin < emission { excess += 1 }
      for refused in prompt where !refused.allowed {
        let reasons = takes.filter {
          $0.allowed && $0.begin <= refused.end && $0.end + 2 * emission + slack >= refused.begin
        }
        if reasons.isEmpty { wrongRefusals += 1 }
      }
    }
    #expect(excess == 0 && wrongRefusals == 0, "seed \(seed): \(excess) too many, \(wrongRefusals) wrongly refused")
  }
}
