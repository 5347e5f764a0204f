// Which endpoint is next. nginx' smooth weighted round robin: weights 5, 1, 1 give a a b a c a a, not a a a a a b c.
// Owned by one cluster on one core; it knows indices and weights, never an address or a connection.

/// Smooth weighted round robin over endpoints named by their index.
///
/// Each choice adds every candidate's weight to its credit, takes the one with the most, and subtracts the sum of the
/// candidates' weights from it. Endpoints that are not candidates neither gain nor lose: one that returns from ejection
/// does not get all the requests that it missed.
public struct WeightedRoundRobin: Sendable {
  /// Weights are cut to `0...weightMax`. Weight 0 is never chosen.
  public static let weightMax = 1_000_000

  private var weights: [Int]
  private var credits: [Int]

  public init(weights: [Int]) {
    self.weights = weights.map(Self.cut)
    credits = Array(repeating: 0, count: weights.count)
  }

  /// Endpoints, chosen or not.
  public var count: Int { weights.count }

  /// The next endpoint among those for which `isCandidate` is true; nil when there is none. Ties go to the first.
  public mutating func next(where isCandidate: (Int) -> Bool) -> Int? {
    var best: Int?
    var sum = 0
    for index in weights.indices where weights[index] > 0 && isCandidate(index) {
      credits[index] += weights[index]
      sum += weights[index]
      if let leader = best, credits[leader] >= credits[index] { continue }
      best = index
    }
    if let best { credits[best] -= sum }
    return best
  }

  /// The next endpoint of all.
  public mutating func next() -> Int? { next { _ in true } }

  /// Changes one weight, for slow start. Its credit stays; an index that does not exist is ignored.
  public mutating func setWeight(_ weight: Int, at index: Int) {
    guard weights.indices.contains(index) else { return }
    weights[index] = Self.cut(weight)
  }

  private static func cut(_ weight: Int) -> Int { min(max(weight, 0), weightMax) }
}
