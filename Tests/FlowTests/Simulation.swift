// Seeds and threads for the suites of this target. A simulation that fails names its seed; SLUICE_SEED=n runs it again.

import Flow
import Glibc

enum Simulation {
  /// Three fixed seeds, and one that is new in each run (or the one asked for).
  static let seeds: [UInt64] = {
    let fresh = getenv("SLUICE_SEED").flatMap { UInt64(String(cString: $0)) } ?? .random(in: 0 ... .max)
    print("simulations run with seeds 1, 2, 3 and \(fresh); SLUICE_SEED=\(fresh) repeats them")
    return [1, 2, 3, fresh]
  }()
}

extension Xoshiro256 {
  mutating func number(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(next(below: UInt64(range.upperBound - range.lowerBound + 1)))
  }

  mutating func chance(oneIn count: UInt64) -> Bool { next(below: count) == 0 }
}

/// Runs `body` on `count` threads of their own and waits for all: a task group has no more threads than cores.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
  final class Start: Sendable {
    let index: Int
    let body: @Sendable (Int) -> Void
    init(_ index: Int, _ body: @escaping @Sendable (Int) -> Void) {
      self.index = index
      self.body = body
    }
  }
  let threads = (0..<count).map { index in
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(index, body))
    let status = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        start.body(start.index)
        return nil
      }, start.toOpaque())
    precondition(status == 0, "no thread: \(status)")
    return thread
  }
  for thread in threads { pthread_join(thread, nil) }
}
