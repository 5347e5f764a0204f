// Numbers, times, sizes, words: one function for each kind of value, each with its message. A value that is wrong or
// absent leaves the default where it is, so that reading goes on and finds the next mistake.

extension Section {
  /// Seconds, with fractions, as nanoseconds.
  func seconds(_ key: String, _ target: inout UInt64, max: UInt64 = Quantity.nanosecondsMax) {
    let example = target
    if let found = item(key)?.nanoseconds(orZero: false, max: max, example: example) { target = found }
  }

  /// Seconds where 0 has a meaning of its own.
  func secondsOrZero(_ key: String, _ target: inout UInt64, example: UInt64) {
    if let found = item(key)?.nanoseconds(orZero: true, max: Quantity.nanosecondsMax, example: example) {
      target = found
    }
  }

  /// Bytes, as a number or with KiB, MiB, GiB.
  func size(_ key: String, _ target: inout Int, in range: ClosedRange<Int>) {
    guard let item = item(key) else { return }
    let expected = "a size from \(Quantity.size(range.lowerBound)) to \(Quantity.size(range.upperBound))"
    let mend = "write e.g. \(key): \(Quantity.size(target))"
    guard let text = item.text(expected, mend) else { return }
    guard case .success(let size) = Quantity.bytes(text), range.contains(size) else {
      return item.wrong(expected, mend)
    }
    target = size
  }

  /// A whole number.
  func integer(_ key: String, _ target: inout Int, in range: ClosedRange<Int>) {
    if let found = item(key)?.integer(in: range, example: target) { target = found }
  }

  /// `true` or `false`; gives false when it is neither.
  @discardableResult
  func flag(_ key: String, _ target: inout Bool) -> Bool {
    guard let item = item(key) else { return true }
    let expected = "true or false"
    guard let text = item.text(expected) else { return false }
    switch text {
    case "true": target = true
    case "false": target = false
    default:
      item.wrong(expected)
      return false
    }
    return true
  }

  /// One of a few words.
  func choice<Choice>(_ key: String, _ target: inout Choice)
  where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
    guard let item = item(key) else { return }
    let words = Choice.allCases.map(\.rawValue)
    let expected = Item.oneOf(words)
    guard let text = item.text(expected) else { return }
    guard let choice = Choice(rawValue: text) else {
      return item.wrong(expected, Nearest.word(to: text, among: words).map { "did you mean \($0)?" } ?? "")
    }
    target = choice
  }

  /// One of a few words, or nothing.
  func choice<Choice>(_ key: String, _ target: inout Choice?)
  where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
    guard let first = Choice.allCases.first else { return }
    var chosen = first
    choice(key, &chosen)
    if has(key) { target = chosen }
  }

  /// Any text without control characters.
  func text(_ key: String, _ target: inout String, _ expected: String) {
    if let found = item(key)?.line(expected) { target = found }
  }

  /// Any text without control characters, or nothing.
  func text(_ key: String, _ target: inout String?, _ expected: String) {
    if let found = item(key)?.line(expected) { target = found }
  }
}

extension Item {
  func nanoseconds(orZero: Bool, max: UInt64, example: UInt64) -> UInt64? {
    let expected = orZero ? "a number of seconds, 0 or greater" : "a number of seconds greater than 0"
    let mend = "write e.g. \(key): \(Quantity.seconds(example))"
    guard let text = text(expected, mend) else { return nil }
    switch Quantity.nanoseconds(text) {
    case .failure(.notANumber),
      .success(0) where !orZero:
      wrong(expected, mend)
      return nil
    case .success(let found) where found <= max && (found == 0 || found >= 1_000_000):
      return found
    default:
      wrong("from 0.001 to \(Quantity.seconds(max)) seconds", mend)
      return nil
    }
  }

  func integer(in range: ClosedRange<Int>, example: Int) -> Int? {
    let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    let mend = "write e.g. \(key): \(example)"
    guard let text = text(expected, mend) else { return nil }
    guard case .success(let found) = Quantity.integer(text), range.contains(found) else {
      wrong(expected, mend)
      return nil
    }
    return found
  }

  /// Text that is neither empty nor holds control characters.
  func line(_ expected: String, _ mend: String = "") -> String? {
    guard let text = text(expected, mend) else { return nil }
    guard !text.isEmpty, text.utf8.count <= 4096, !text.unicodeScalars.contains(where: \.isControl) else {
      wrong("\(expected), not empty and without control characters", mend)
      return nil
    }
    return text
  }

  /// `a, b or c`.
  static func oneOf(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return "\(words.dropLast().joined(separator: ", ")) or \(last)"
  }
}
