import Flow
import Testing

@Suite("WeightedRoundRobin")
struct WeightedRoundRobinTests {
  @Test(
    "weights spread out instead of coming in bursts",
    arguments: [
      ([5, 1, 1], "aabacaa"), ([1, 1, 1], "abcabc"), ([2, 1], "abaaba"), ([3, 0, 1], "aaca"), ([1], "aa"),
    ])
  func smooth(weights: [Int], order: String) {
    var robin = WeightedRoundRobin(weights: weights)
    let names = Array("abcdef")
    #expect(String(order.compactMap { _ in robin.next().map { names[$0] } }) == order)
  }

  @Test("nobody to choose is nil", arguments: [[], [0], [0, -5]])
  func nobody(weights: [Int]) {
    var robin = WeightedRoundRobin(weights: weights)
    #expect(robin.next() == nil && robin.count == weights.count)
    var some = WeightedRoundRobin(weights: [1, 2])
    #expect(some.next { _ in false } == nil)
  }

  @Test("an endpoint that comes back gets its share, not what it missed")
  func comeback() {
    var robin = WeightedRoundRobin(weights: [1, 1])
    for _ in 0..<1000 { #expect(robin.next { $0 == 0 } == 0) }
    let after = (0..<10).compactMap { _ in robin.next() }
    #expect(after.filter { $0 == 1 }.count == 5)
  }

  @Test("a changed weight counts from the next choice on; enormous ones are cut")
  func change() {
    var robin = WeightedRoundRobin(weights: [1, .max])
    robin.setWeight(1, at: 1)
    robin.setWeight(7, at: 2)
    robin.setWeight(7, at: -1)
    #expect((0..<10).compactMap { _ in robin.next() }.filter { $0 == 1 }.count == 5)
    robin.setWeight(0, at: 0)
    #expect((0..<10).compactMap { _ in robin.next() } == Array(repeating: 1, count: 10))
  }

  @Test("over whole cycles each endpoint gets exactly its weight", arguments: Simulation.seeds)
  func exact(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    for _ in 0..<50 {
      let weights = (0..<random.number(1...8)).map { _ in random.number(1...20) }
      var robin = WeightedRoundRobin(weights: weights)
      let cycles = random.number(1...3)
      var hits = weights.map { _ in 0 }
      for _ in 0..<(cycles * weights.reduce(0, +)) { if let index = robin.next() { hits[index] += 1 } }
      #expect(hits == weights.map { $0 * cycles }, "seed \(seed)")
    }
  }
}
