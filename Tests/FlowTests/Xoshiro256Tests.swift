import Flow
import Testing

@Suite("Xoshiro256")
struct Xoshiro256Tests {
  @Test("the numbers are those of the published generator")
  func reference() {
    // Seed 0 through SplitMix64, as the authors recommend; the first is also in the tests of other implementations.
    var random = Xoshiro256(seed: 0)
    #expect(
      (0..<4).map { _ in random.next() } == [
        0x99EC_5F36_CB75_F2B4, 0xBF6E_1F78_4956_452A, 0x1A5F_849D_4933_E6E0, 0x6AA5_94F1_262D_2D2C,
      ])
  }

  @Test("the same seed repeats, another does not")
  func seeds() {
    var (one, two, other) = (Xoshiro256(seed: 5), Xoshiro256(seed: 5), Xoshiro256(seed: 6))
    for _ in 0..<100 {
      let number = one.next()
      #expect(number == two.next() && number != other.next())
    }
  }

  @Test("a bounded number is below its bound, and every one comes", arguments: Simulation.seeds)
  func bounded(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    var counts = Array(repeating: 0, count: 10)
    for _ in 0..<10_000 { counts[Int(random.next(below: 10))] += 1 }
    #expect(counts.allSatisfy { $0 > 800 && $0 < 1200 }, "seed \(seed): \(counts)")
    #expect(random.next(below: 0) == 0 && random.next(below: 1) == 0)
  }
}
