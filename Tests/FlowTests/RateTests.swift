import Flow
import Testing

private let second: UInt64 = 1_000_000_000
private let minute: UInt64 = 60 * second

@Suite("Rate")
struct RateTests {
  /// 100 a minute: one each 600 ms.
  static let seed = Rate(count: 100, perNanoseconds: minute, burst: 100)
  static let start: UInt64 = 1_000_000 * second

  func table() -> RateTable { RateTable(capacity: 64, seed: 1) }

  @Test("a hundred a minute lets a hundred through at once and the next after 600 ms")
  func hundredAMinute() {
    let table = table()
    for number in 1...100 {
      let verdict = table.take(key: 7, now: Self.start, rate: Self.seed)
      #expect(verdict.allowed && verdict.remaining == 100 - number && verdict.retryAfterNanoseconds == 0)
      #expect(verdict.resetNanoseconds == UInt64(number) * 600_000_000 && verdict.limit == 100)
    }
    let refused = table.take(key: 7, now: Self.start, rate: Self.seed)
    #expect(
      refused
        == RateVerdict(
          allowed: false, limit: 100, remaining: 0, resetNanoseconds: minute, retryAfterNanoseconds: 600_000_000))
    #expect(!table.take(key: 7, now: Self.start + 599_999_999, rate: Self.seed).allowed)
    #expect(table.take(key: 7, now: Self.start + 600_000_000, rate: Self.seed).allowed)
    #expect(!table.take(key: 7, now: Self.start + 600_000_000, rate: Self.seed).allowed)
  }

  @Test("a refusal costs nothing: hammering does not push the next take away")
  func refusalIsFree() {
    let table = table()
    for _ in 0..<100 { _ = table.take(key: 7, now: Self.start, rate: Self.seed) }
    for step in 0..<1000 {
      #expect(!table.take(key: 7, now: Self.start + UInt64(step) * 1000, rate: Self.seed).allowed)
    }
    #expect(table.take(key: 7, now: Self.start + 600_000_000, rate: Self.seed).allowed)
  }

  @Test("keys do not touch each other")
  func separate() {
    let table = table()
    for key in 0..<8 as Range<UInt64> {
      for _ in 0..<100 {
        #expect(table.take(key: key &* 0x1234_5678_9ABC_DEF1 &+ 2, now: Self.start, rate: Self.seed).allowed)
      }
    }
  }

  @Test(
    "numbers that make no sense are cut to some that do",
    arguments: [
      (Rate(count: 0, perNanoseconds: 0, burst: 0), 1, 1, 1),
      (Rate(count: -3, perNanoseconds: 10, burst: -3), 1, 10, 1),
      (Rate(count: 1000, perNanoseconds: 10, burst: 5), 1000, 1, 5),
      (Rate(count: 7, perNanoseconds: 60_000_000_000, burst: 7), 7, 8_571_428_572, 7),
      (Rate(count: 1, perNanoseconds: 1 << 62, burst: .max), 1, 1 << 62, 1),
      (Rate(count: 1, perNanoseconds: .max, burst: 2), 1, 1 << 62, 1),
    ] as [(Rate, Int, UInt64, Int)])
  func cut(rate: Rate, count: Int, emission: UInt64, burst: Int) {
    #expect(rate.count == count && rate.emissionNanoseconds == emission && rate.burst == burst)
    let table = table()
    for time in [0, 1, Self.start, .max - 1, .max] as [UInt64] {
      for cost in [.min, -1, 0, 1, 2, .max] { _ = table.take(key: time, cost: cost, now: time, rate: rate) }
      for cost in [.min, -1, 0, 1, 2, .max] { _ = table.settle(key: time, cost: cost, now: time, rate: rate) }
    }
  }

  @Test("a cost is taken whole or not at all")
  func cost() {
    let rate = Rate(count: 10, perNanoseconds: second, burst: 10)
    let table = table()
    #expect(table.take(key: 1, cost: 7, now: Self.start, rate: rate).remaining == 3)
    let refused = table.take(key: 1, cost: 5, now: Self.start, rate: rate)
    #expect(!refused.allowed && refused.remaining == 3 && refused.retryAfterNanoseconds == 200_000_000)
    #expect(table.take(key: 1, cost: 3, now: Self.start, rate: rate).allowed)
    #expect(!table.take(key: 1, cost: 2, now: Self.start + 199_999_999, rate: rate).allowed)
    #expect(table.take(key: 1, cost: 2, now: Self.start + 200_000_000, rate: rate).allowed)
  }

  @Test("a cost above the burst is refused for ever, and says a time that is not zero")
  func tooLarge() {
    let rate = Rate(count: 10, perNanoseconds: second, burst: 10)
    let table = table()
    for time in [Self.start, Self.start + minute] {
      let verdict = table.take(key: 1, cost: 11, now: time, rate: rate)
      #expect(!verdict.allowed && verdict.retryAfterNanoseconds >= 1 && verdict.remaining == 10)
    }
    #expect(table.occupied == 0, "a refusal of an unknown key needs no slot")
  }

  @Test("asking costs nothing and needs no slot")
  func ask() {
    let table = table()
    #expect(table.take(key: 1, cost: 0, now: Self.start, rate: Self.seed).remaining == 100)
    #expect(table.occupied == 0)
    _ = table.take(key: 1, now: Self.start, rate: Self.seed)
    for _ in 0..<3 { #expect(table.take(key: 1, cost: 0, now: Self.start, rate: Self.seed).remaining == 99) }
  }

  @Test("settling charges what was used beyond the estimate, and gives back what was not")
  func settle() {
    let rate = Rate(count: 1000, perNanoseconds: second, burst: 1000)
    let table = table()
    #expect(table.take(key: 1, cost: 400, now: Self.start, rate: rate).allowed)
    #expect(table.settle(key: 1, cost: -300, now: Self.start, rate: rate).remaining == 900)
    let debt = table.settle(key: 1, cost: 2900, now: Self.start, rate: rate)
    #expect(!debt.allowed && debt.remaining == 0 && debt.retryAfterNanoseconds == 2 * second)
    #expect(!table.take(key: 1, now: Self.start + 2 * second, rate: rate).allowed)
    #expect(table.take(key: 1, now: Self.start + 2 * second + 1_000_000, rate: rate).allowed)
    #expect(table.settle(key: 1, cost: -9999, now: Self.start, rate: rate).remaining == 1000, "never more than full")
    #expect(table.settle(key: 2, cost: -9999, now: Self.start, rate: rate).remaining == 1000)
    #expect(table.occupied == 1, "giving back to an unknown key needs no slot")
    #expect(table.settle(key: 3, cost: 1500, now: Self.start, rate: rate).remaining == 0)
    #expect(!table.take(key: 3, now: Self.start, rate: rate).allowed)
  }

  @Test("the retry time is exact: refused a nanosecond before, allowed then", arguments: Simulation.seeds)
  func exactRetry(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    for round in 0..<50 {
      let rate = Rate(
        count: random.number(1...5000), perNanoseconds: UInt64(random.number(1...60)) * second,
        burst: random.number(1...50))
      let table = table()
      var now = Self.start
      for _ in 0..<100 {
        now += random.next(below: rate.emissionNanoseconds * 2)
        let cost = random.number(1...rate.burst)
        let verdict = table.take(key: 1, cost: cost, now: now, rate: rate)
        guard !verdict.allowed else { continue }
        let wait = verdict.retryAfterNanoseconds
        #expect(
          !table.take(key: 1, cost: cost, now: now + wait - 1, rate: rate).allowed, "seed \(seed), round \(round)")
        #expect(table.take(key: 1, cost: cost, now: now + wait, rate: rate).allowed, "seed \(seed), round \(round)")
        now += wait
      }
    }
  }

  @Test("no window of any length lets more through than burst and rate give", arguments: Simulation.seeds)
  func bound(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    let rate = Rate(count: 50, perNanoseconds: second, burst: 12)
    let table = table()
    var allowed: [UInt64] = []
    var now = Self.start
    for _ in 0..<5000 {
      now += random.chance(oneIn: 50) ? random.next(below: second) : random.next(below: 8_000_000)
      if table.take(key: 9, now: now, rate: rate).allowed { allowed.append(now) }
    }
    var excess = 0
    for first in allowed.indices {
      for last in first..<min(first + 200, allowed.count) {
        let given = 12 + (allowed[last] - allowed[first]) / rate.emissionNanoseconds
        if UInt64(last - first + 1) > given { excess += 1 }
      }
    }
    #expect(excess == 0 && allowed.count > 100, "seed \(seed)")
  }
}
