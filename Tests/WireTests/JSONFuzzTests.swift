// The scanner against the naive reader, over generated and damaged bodies, in random deliveries.

import Testing

@testable import Wire

/// Writes JSON of a kind that hurts: wanted keys in unwanted places, escapes, doubles, blanks everywhere.
struct JSONWriter {
  var random: Seeded
  private(set) var bytes: [UInt8] = []

  init(seed: UInt64) { random = Seeded(seed: seed) }

  static let keys = [
    "model", "stream", "stream_options", "include_usage", "max_tokens", "max_completion_tokens", "mode", "models",
    "messages", "", "Model", "modèle", "a-key-that-is-rather-longer-than-the-room-for-keys",
  ]

  mutating func body() -> [UInt8] {
    bytes = []
    object(depth: 0)
    blank()
    return bytes
  }

  private mutating func add(_ text: String) { bytes += Array(text.utf8) }

  private mutating func blank() {
    while random.chance(20) { add(random.pick([" ", "\n", "\t", "\r\n"])) }
  }

  private mutating func object(depth: Int) {
    blank()
    add("{")
    let count = random.below(depth == 0 ? 6 : 3)
    var sawModel = false
    for index in 0..<count {
      blank()
      if index > 0 { add(",") }
      blank()
      var key = random.pick(Self.keys)
      // Doubles are wanted now and then, not in every body.
      if key == "model", depth == 0 {
        if sawModel, random.chance(90) { key = "other" }
        sawModel = true
      }
      string(key)
      blank()
      add(":")
      if key == "model", random.chance(90) {
        blank()
        string(random.pick(["gpt-4o", "", "a/b:c", "größe", "😀", "\"\\\n\u{1}"]))
      } else {
        value(depth: depth + 1)
      }
    }
    blank()
    add("}")
  }

  private mutating func value(depth: Int) {
    blank()
    switch random.below(depth > 4 ? 4 : 7) {
    case 0: add(random.pick(["true", "false", "null"]))
    case 1: add(random.pick(["0", "17", "-3", "1e9", "4.5", "123456789012345678", "1234567890123456789"]))
    case 2: string(random.pick(["", "model", "\"model\":\"x\"", "{[", "\\", "tail\\\\"]))
    case 3: string(String(repeating: "long text, ", count: random.below(30)))
    case 4:
      add("[")
      for index in 0..<random.below(4) {
        blank()
        if index > 0 { add(",") }
        value(depth: depth + 1)
      }
      blank()
      add("]")
    default: object(depth: depth)
    }
  }

  private mutating func string(_ text: String) {
    add("\"")
    for unit in text.unicodeScalars {
      if random.chance(7) {
        for half in String(unit).utf16 {
          let digits = String(half, radix: 16, uppercase: random.chance(50))
          add("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
        }
      } else if unit == "\"" || unit == "\\" {
        add("\\" + String(unit))
      } else if unit.value < 0x20 {
        add(unit == "\n" ? "\\n" : "\\u00" + (unit.value < 16 ? "0" : "") + String(unit.value, radix: 16))
      } else {
        add(String(unit))
      }
    }
    add("\"")
  }
}

@Suite("JSON members, against a naive reader")
struct JSONFuzzTests {
  /// What the naive reader finds, in the scanner's terms; nil when it refuses the body.
  private func expected(_ bytes: [UInt8]) -> (model: [UInt8]?, range: Range<Int>?, found: [String: String])? {
    guard let members = NaiveJSON.members(bytes) else { return nil }
    var model: [UInt8]?
    var range: Range<Int>?
    var found: [String: String] = [:]
    var models = 0
    for member in members {
      guard let key = member.key.map(text) else { continue }
      switch (key, member.value) {
      case ("model", .string(let name?)) where name.count <= ScannedModel.bytesMax:
        models += 1
        model = name
        range = member.range
      case ("model", _): return nil
      case ("stream", .literal(let literal)): found["stream"] = literal
      case ("stream", _): found["stream"] = "other"
      case ("max_tokens", .literal(let literal)), ("max_completion_tokens", .literal(let literal)): found[key] = literal
      case ("max_tokens", _), ("max_completion_tokens", _): found[key] = nil
      case ("stream_options", .object(let options)):
        found["usage"] = nil
        for option in options where option.key.map(text) == "include_usage" {
          if case .literal(let literal) = option.value { found["usage"] = literal } else { found["usage"] = nil }
        }
      case ("stream_options", _): found["usage"] = nil
      default: break
      }
    }
    return models > 1 ? nil : (model, range, found)
  }

  private func compare(_ bytes: [UInt8], _ scanner: JSONMemberScanner, _ label: String) -> Bool {
    guard let expected = expected(bytes) else {
      if scanner.outcome == .object { Issue.record("\(label): accepted \(text(bytes))") }
      return scanner.outcome != .object
    }
    let boolean = { (text: String?) -> Bool? in text == "true" ? true : text == "false" ? false : nil }
    let number = { (text: String?) -> Int? in
      guard let text, let first = text.utf8.first, (0x30...0x39).contains(first) else { return nil }
      guard text.utf8.count <= 24 else { return .max }
      guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
        guard let value = Double(text), value >= 0, value == value.rounded() else { return nil }
        return Int(exactly: value) ?? .max
      }
      if Int(text) == nil { return .max }
      return Int(text)
    }
    let tokens = number(expected.found["max_completion_tokens"]) ?? number(expected.found["max_tokens"])
    let same =
      scanner.outcome == .object && scanner.modelRange == expected.range
      && (expected.model == nil || scanner.modelName == expected.model)
      && scanner.stream == boolean(expected.found["stream"])
      && scanner.includeUsage == boolean(expected.found["usage"])
      && scanner.maxTokens == tokens
      && scanner.streamNotBoolean == expected.found["stream"].map { !["true", "false", "null"].contains($0) } ?? false
    if !same { Issue.record("\(label): \(scanner.outcome) \(scanner.modelText ?? "-") for \(text(bytes))") }
    return same
  }

  @Test("sound bodies are read as the naive reader reads them", arguments: 0..<40)
  func sound(_ group: Int) {
    for seed in UInt64(group * 25)..<UInt64(group * 25 + 25) {
      var writer = JSONWriter(seed: seed)
      let bytes = writer.body()
      let lengths = writer.random.cuts(bytes.count)
      guard compare(bytes, scan(bytes, lengths), "seed \(seed)") else { return }
    }
  }

  @Test("damaged bodies are accepted only when the naive reader accepts them", arguments: 0..<40)
  func damaged(_ group: Int) {
    for seed in UInt64(group * 25)..<UInt64(group * 25 + 25) {
      var writer = JSONWriter(seed: seed)
      let bytes = writer.body()
      let damaged = writer.random.mutate(bytes, Array("{}[]\",:\\u dD8\n".utf8))
      let lengths = writer.random.cuts(damaged.count)
      guard compare(damaged, scan(damaged, lengths), "seed \(seed)") else { return }
    }
  }

  @Test("random bytes never trap, and never name a model outside of them")
  func noise() {
    for seed in UInt64(0)..<2000 {
      var random = Seeded(seed: seed)
      var bytes = (0..<random.below(80)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      if random.chance(70) { bytes = Array("{\"model\":\"".utf8) + bytes }
      let scanner = scan(bytes, random.cuts(bytes.count))
      if let range = scanner.modelRange { #expect(range.upperBound <= bytes.count, "seed \(seed)") }
      #expect(scanner.outcome != .incomplete, "seed \(seed)")
    }
  }
}
