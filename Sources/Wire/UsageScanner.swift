// Finds the token counts that a model's server reports (`"usage":{"prompt_tokens":3,…}`), in plain answers and in the events
// of a stream, while the bytes pass. It looks for the member's name and reads what follows; everything else is skipped by
// memchr, so that it costs next to nothing where there is no usage to be found.

import Glibc

/// Tokens of one answer, as its server counted them.
public struct TokenUsage: Sendable, Equatable {
  /// `prompt_tokens`, or `input_tokens`.
  public var input: Int?
  /// `completion_tokens`, or `output_tokens`.
  public var output: Int?
  /// `total_tokens`.
  public var total: Int?

  public init(input: Int? = nil, output: Int? = nil, total: Int? = nil) {
    self.input = input
    self.output = output
    self.total = total
  }

  /// What `later` does not tell is as it was: some servers tell each count in an event of its own.
  public mutating func update(_ later: TokenUsage) {
    input = later.input ?? input
    output = later.output ?? output
    total = later.total ?? total
  }
}

/// Reads usage out of payload that comes in pieces of any size.
///
/// A quote inside of a JSON string is escaped, so `"usage":{` stands nowhere but where a member of that name begins. It may
/// be a member of any object: the Responses API has it inside of `response`, Anthropic's Messages inside of `message`.
public struct UsageScanner: Sendable {
  private enum State: UInt8 {
    case searching, colon, open
    /// Inside of the object.
    case key, inKey, afterKey, value, number
  }

  private var state = State.searching
  /// Bytes of `"usage"` that stood at the end of the piece before.
  private var matched: UInt8 = 0
  private var depth: UInt8 = 0
  private var member: UInt8 = 0
  private var isEscaped = false
  private var name = InlineArray<20, UInt8>(repeating: 0)
  private var nameCount: UInt8 = 0
  private var number = 0
  private var digits: UInt8 = 0
  /// What was found and not yet taken.
  public private(set) var usage: TokenUsage?

  public init() {}

  /// Whether nothing is under way: a new scanner would go on as well.
  public var isIdle: Bool { state == .searching && matched == 0 && usage == nil }

  /// What was found since the last call.
  public mutating func take() -> TokenUsage? {
    guard state == .searching else { return nil }
    defer { usage = nil }
    return usage
  }

  public mutating func scan(_ bytes: UnsafeRawBufferPointer) {
    var index = 0
    while index < bytes.count {
      if state == .searching, matched == 0 {
        guard let found = Self.find(bytes, from: index) else {
          matched = Self.partial(bytes, from: index)
          return
        }
        index = found
        state = .colon
        continue
      }
      let wasOpen = state == .open
      step(bytes[index], &index)
      if wasOpen, state == .key { _ = takeFlat(bytes, &index) }
    }
  }

  /// Reads an object that lies in `bytes` whole and has no other inside: the usual form, at a tenth of the price. False where
  /// it is none, and nothing was read.
  private mutating func takeFlat(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) -> Bool {
    guard let base = bytes.baseAddress, let end = memchr(base + index, Int32(UInt8(ascii: "}")), bytes.count &- index)
    else { return false }
    let close = UnsafeRawPointer(end) - base
    guard memchr(base + index, Int32(UInt8(ascii: "{")), close &- index) == nil,
      memchr(base + index, Int32(UInt8(ascii: "\\")), close &- index) == nil
    else { return false }
    var found = usage ?? TokenUsage()
    var at = index
    while at < close, let quote = memchr(base + at, Int32(UInt8(ascii: "\"")), close &- at) {
      let begin = UnsafeRawPointer(quote) - base + 1
      guard let last = memchr(base + begin, Int32(UInt8(ascii: "\"")), close &- begin) else { return false }
      let stop = UnsafeRawPointer(last) - base
      at = stop &+ 1
      while at < close, bytes[at] == UInt8(ascii: ":") || Self.isSpace(bytes[at]) { at &+= 1 }
      let first = at
      var value = 0
      while at < close, bytes[at] &- 0x30 < 10, at &- first < 18 {
        value = value &* 10 &+ Int(bytes[at] &- 0x30)
        at &+= 1
      }
      let isCount = at > first && (at == close || bytes[at] == UInt8(ascii: ",") || Self.isSpace(bytes[at]))
      // Anything else but a count is for the reader that takes one byte after the other.
      guard isCount else { return false }
      switch Self.member(base + begin, stop &- begin) {
      case 1, 2: found.input = value
      case 3, 4: found.output = value
      case 5: found.total = value
      default: break
      }
    }
    usage = found
    index = close &+ 1
    state = .searching
    return true
  }

  private mutating func step(_ byte: UInt8, _ index: inout Int) {
    index += 1
    switch state {
    case .searching:
      if matched < Self.mark.utf8CodeUnitCount, byte == Self.mark.utf8Start[Int(matched)] {
        matched += 1
        if Int(matched) == Self.mark.utf8CodeUnitCount { (matched, state) = (0, .colon) }
      } else {
        // It may be the beginning of another.
        matched = 0
        index -= 1
      }
    case .colon:
      if byte == UInt8(ascii: ":") { state = .open } else if !Self.isSpace(byte) { leave(&index) }
    case .open:
      if byte == UInt8(ascii: "{") {
        (state, depth) = (.key, 1)
        usage = usage ?? TokenUsage()
      } else if !Self.isSpace(byte) {
        leave(&index)
      }
    case .key, .inKey, .afterKey, .value, .number: inside(byte, &index)
    }
  }

  /// What was taken for usage is none.
  private mutating func leave(_ index: inout Int) {
    state = .searching
    index -= 1
  }

  // MARK: Inside of the object

  private mutating func inside(_ byte: UInt8, _ index: inout Int) {
    switch state {
    case .inKey:
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
        nameCount = Self.nameMax + 1
      } else if byte == UInt8(ascii: "\"") {
        member = depth == 1 ? Self.members.firstIndex { isName($0) }.map { UInt8($0 + 1) } ?? 0 : 0
        state = .afterKey
      } else if nameCount <= Self.nameMax {
        if nameCount < Self.nameMax { name[Int(nameCount)] = byte }
        nameCount += 1
      }
    case .afterKey: state = byte == UInt8(ascii: ":") ? .value : Self.isSpace(byte) ? .afterKey : .key
    case .number:
      if byte >= 0x30, byte <= 0x39 {
        if digits < 18 { number = number &* 10 &+ Int(byte &- 0x30) }
        if digits < 19 { digits += 1 }
      } else {
        // A fraction, an exponent, or too many digits: no count.
        let isWhole = digits <= 18 && byte != UInt8(ascii: ".") && byte | 0x20 != UInt8(ascii: "e")
        if isWhole { keep() }
        state = .key
        index -= 1
      }
    default: between(byte)
    }
  }

  /// Between members, or in front of a value.
  private mutating func between(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): (state, nameCount) = (.inKey, 0)
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      state = .key
      if depth < .max { depth += 1 }
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      state = .key
      depth -= min(depth, 1)
      if depth == 0 { state = .searching }
    case 0x30...0x39 where state == .value && member != 0:
      (state, number, digits) = (.number, Int(byte &- 0x30), 1)
    case UInt8(ascii: ","): state = .key
    // Neither a number without a sign nor anything with members: no count.
    case _ where state == .value && !Self.isSpace(byte): state = .key
    default: break
    }
  }

  /// Which of the members a name is, from 1; 0 for any other.
  private static func member(_ name: UnsafeRawPointer, _ count: Int) -> Int {
    for (index, member) in members.enumerated()
    // SAFETY: `count` bytes lie at `name`, and as many at the static string.
    where member.utf8CodeUnitCount == count && memcmp(name, member.utf8Start, count) == 0 { return index + 1 }
    return 0
  }

  private mutating func keep() {
    switch member {
    case 1, 2: usage?.input = number
    case 3, 4: usage?.output = number
    case 5: usage?.total = number
    default: break
    }
  }

  private func isName(_ text: StaticString) -> Bool {
    guard Int(nameCount) == text.utf8CodeUnitCount, nameCount <= Self.nameMax else { return false }
    for index in 0..<Int(nameCount) where name[index] != text.utf8Start[index] { return false }
    return true
  }

  private static let nameMax: UInt8 = 20
  private static let members: [StaticString] = [
    "prompt_tokens", "input_tokens", "completion_tokens", "output_tokens", "total_tokens",
  ]

  @inline(__always)
  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }
}
