// Random inputs that can be repeated: every failing expectation prints the seed it came from, and a seed that failed
// becomes a named test.

/// SplitMix64.
struct Seeded: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<max(bound, 1), using: &self) }

  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

  mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }

  /// Lengths of random pieces that add up to `count`.
  mutating func cuts(_ count: Int) -> [Int] {
    var rest = count
    var lengths: [Int] = []
    let longest = pick([1, 3, 16, 100, 1000])
    while rest > 0 {
      let length = min(rest, below(longest) + 1)
      lengths.append(length)
      rest -= length
    }
    return lengths
  }

  /// Some bytes removed, doubled, changed or exchanged against `alphabet`.
  mutating func mutate(_ bytes: [UInt8], _ alphabet: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0...below(4) where !bytes.isEmpty {
      let place = below(bytes.count)
      switch below(5) {
      case 0: bytes.remove(at: place)
      case 1: bytes.insert(pick(alphabet), at: place)
      case 2: bytes[place] = UInt8(truncatingIfNeeded: next())
      case 3: bytes[place] = pick(alphabet)
      default:
        let end = min(bytes.count, place + below(12))
        bytes.insert(contentsOf: Array(bytes[place..<end]), at: below(bytes.count))
      }
    }
    return bytes
  }
}
