// Writes JSON. Small, because what is written is small; knows no Foundation, so that neither does the gateway's binary.

/// A JSON text that grows.
struct JSONText {
  private(set) var text = ""
  private var needsComma = false

  mutating func object(_ members: (inout JSONText) -> Void) {
    separate()
    text += "{"
    needsComma = false
    members(&self)
    text += "}"
    needsComma = true
  }

  mutating func array<Element>(_ elements: [Element], _ write: (Element, inout JSONText) -> Void) {
    separate()
    text += "["
    needsComma = false
    for element in elements { write(element, &self) }
    text += "]"
    needsComma = true
  }

  /// Begins a member; its value follows.
  mutating func key(_ name: String) {
    separate()
    text += RequestText.quoted(name) + ":"
    needsComma = false
  }

  private mutating func separate() {
    if needsComma { text += "," }
    needsComma = true
  }

  private mutating func value(_ value: String) {
    text += value
    needsComma = true
  }

  mutating func add(_ name: String, _ text: String) {
    key(name)
    value(RequestText.quoted(text))
  }

  mutating func add(_ name: String, _ number: some BinaryInteger) {
    key(name)
    value("\(number)")
  }

  mutating func add(_ name: String, _ number: Int?) {
    key(name)
    value(number.map { "\($0)" } ?? "null")
  }

  mutating func add(_ name: String, _ truth: Bool) {
    key(name)
    value(truth ? "true" : "false")
  }

  mutating func add(_ name: String, _ number: Double, decimals: Int) {
    key(name)
    value(Decimal.text(number, decimals: decimals))
  }

  /// Durations as their most used figures; null when there are none at all.
  mutating func add(_ name: String, _ durations: Durations?) {
    key(name)
    guard let durations else { return value("null") }
    object {
      $0.add("count", durations.count)
      $0.add("min", durations.min, decimals: 1)
      $0.add("p50", durations.percentile(50), decimals: 1)
      $0.add("p90", durations.percentile(90), decimals: 1)
      $0.add("p99", durations.percentile(99), decimals: 1)
      $0.add("p99_9", durations.percentile(99.9), decimals: 1)
      $0.add("max", durations.max, decimals: 1)
      $0.add("mean", durations.mean, decimals: 1)
    }
  }

  mutating func add(_ name: String, _ recorded: [(microseconds: Double, count: UInt64)]) {
    key(name)
    array(recorded) { entry, json in
      json.separate()
      json.text += "[\(Decimal.text(entry.microseconds, decimals: 1)),\(entry.count)]"
    }
  }
}

/// Numbers with a fixed count of decimals.
enum Decimal {
  static func text(_ number: Double, decimals: Int) -> String {
    guard number.isFinite, abs(number) < 1e15 else { return "0" }
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let whole = Int((abs(number) * scale).rounded())
    let sign = number < 0 && whole > 0 ? "-" : ""
    guard decimals > 0 else { return sign + "\(whole)" }
    var digits = "\(whole)"
    while digits.count <= decimals { digits = "0" + digits }
    return sign + digits.dropLast(decimals) + "." + digits.suffix(decimals)
  }
}
