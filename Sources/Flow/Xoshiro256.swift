// Random numbers for request ids, jitter and simulations: fast, repeatable from a seed, one per core.
// Never for secrets: who sees a few outputs can compute the rest.

/// The xoshiro256** generator of Blackman and Vigna, seeded by SplitMix64.
public struct Xoshiro256: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  /// The same seed gives the same numbers, on every machine.
  public init(seed: UInt64) {
    var seed = seed
    func splitMix() -> UInt64 {
      seed &+= 0x9E37_79B9_7F4A_7C15
      return Mix.finish(seed)
    }
    // SplitMix64 visits each value once in 2^64 steps, so that the state cannot be all zero.
    state = (splitMix(), splitMix(), splitMix(), splitMix())
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    let result = Self.rotate(state.1 &* 5, 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = Self.rotate(state.3, 45)
    return result
  }

  /// A number in `0..<bound`, 0 when `bound` is 0. One multiplication; the bias is below `bound` in 2^64.
  public mutating func next(below bound: UInt64) -> UInt64 {
    next().multipliedFullWidth(by: bound).high
  }

  private static func rotate(_ word: UInt64, _ bits: UInt64) -> UInt64 {
    word << bits | word >> (64 - bits)
  }
}

/// One round of mixing, where each input bit changes half of the output bits.
enum Mix {
  /// The finisher of SplitMix64: a bijection of 64-bit words.
  static func finish(_ word: UInt64) -> UInt64 {
    var word = word
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
