// "Did you mean": the nearest of some known words.

enum Nearest {
  /// The word of `known` that takes the fewest changes (insert, drop, replace, swap neighbours) from `word`; nil when
  /// none is near enough to be what was meant.
  static func word(to word: String, among known: [String]) -> String? {
    let limit = max(1, min(word.utf8.count / 3, 4))
    var best: (word: String, distance: Int)?
    for candidate in known {
      let distance = distance(word, candidate)
      if distance <= limit, distance < best?.distance ?? Int.max { best = (candidate, distance) }
    }
    return best?.word
  }

  /// Optimal string alignment distance in bytes; words of more than 64 bytes are never near anything.
  static func distance(_ one: String, _ other: String) -> Int {
    let a = Array(one.utf8)
    let b = Array(other.utf8)
    guard a.count <= 64, b.count <= 64 else { return a == b ? 0 : Int.max }
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
        row.append(cost)
      }
      (beforeLast, last) = (last, row)
    }
    return last[b.count]
  }
}
