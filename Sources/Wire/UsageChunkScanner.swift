// Looks at the JSON of one event for what makes it the usage chunk, and gives up at the first thing that it would not have.

/// Reads the data of one event, in pieces of any size. Keeps no byte of it. A name that is written with escapes is none of
/// those that are looked for.
struct UsageChunkScanner: Sendable {
  private enum State: UInt8 {
    /// In front of the object.
    case begin
    /// Inside of it, between members.
    case keyOrClose, key, inKey, colon, value, comma
    /// In a value. `choices` is behind its opening bracket.
    case choices, string, container, literal
    /// Behind the object; in something else, or in a value that the chunk does not have.
    case done, other
  }

  private enum Member: UInt8 {
    case other, choices, usage
  }

  private var state = State.begin
  private var member = Member.other
  private var isEscaped = false
  /// Inside of a string of a container.
  private var isInString = false
  private var hasChoices = false
  private var hasUsage = false
  private var nameCount: UInt8 = 0
  /// Which names the bytes of the key so far begin: 1 for `choices`, 2 for `usage`.
  private var names: UInt8 = 0
  private var depth = 0

  /// Whether this is no usage chunk, whatever may come.
  var isOther: Bool { state == .other }
  /// Whether all that came is one.
  var isUsage: Bool { state == .done }

  /// Looks at nothing more.
  mutating func giveUp() { state = .other }

  /// The line of the data is over: white space, but for strings, which have none of its kind.
  mutating func endLine() {
    switch state {
    case .inKey, .string: state = .other
    case .container: if isInString { state = .other }
    case .literal: state = .comma
    default: break
    }
  }

  mutating func scan(_ bytes: UnsafeRawBufferPointer) {
    var index = 0
    while index < bytes.count, state != .other {
      switch state {
      case .inKey: takeKey(bytes, &index)
      case .string:
        if takeString(bytes, &index) { state = .comma }
      case .container: takeNested(bytes, &index)
      case .literal:
        while index < bytes.count, Self.isLiteral(bytes[index]) { index &+= 1 }
        if index < bytes.count { state = .comma }
      default:
        let byte = bytes[index]
        index &+= 1
        if byte != 0x20, byte != 0x09 { takeStructure(byte) }
      }
    }
  }

  private mutating func takeStructure(_ byte: UInt8) {
    switch state {
    case .begin: state = byte == UInt8(ascii: "{") ? .keyOrClose : .other
    case .keyOrClose, .key:
      // An object without members is no chunk.
      state = byte == UInt8(ascii: "\"") ? .inKey : .other
      nameCount = 0
      names = 3
    case .colon: state = byte == UInt8(ascii: ":") ? .value : .other
    case .value: beginValue(byte)
    case .comma:
      if byte == UInt8(ascii: ",") {
        state = .key
      } else {
        state = byte == UInt8(ascii: "}") && hasChoices && hasUsage ? .done : .other
      }
    case .choices:
      hasChoices = true
      state = byte == UInt8(ascii: "]") ? .comma : .other
    default: state = .other
    }
  }

  private mutating func beginValue(_ byte: UInt8) {
    switch (member, byte) {
    case (.choices, UInt8(ascii: "[")): state = .choices
    case (.choices, _): state = .other
    case (.usage, UInt8(ascii: "{")):
      hasUsage = true
      depth = 1
      state = .container
    case (.usage, _): state = .other
    case (_, UInt8(ascii: "\"")): state = .string
    case (_, UInt8(ascii: "{")), (_, UInt8(ascii: "[")):
      depth = 1
      state = .container
    default: state = Self.isLiteral(byte) ? .literal : .other
    }
  }

  private mutating func takeKey(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) {
    while index < bytes.count {
      let byte = bytes[index]
      index &+= 1
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
        names = 0
      } else if byte == UInt8(ascii: "\"") {
        member = .other
        if names & 1 != 0, Int(nameCount) == Self.choices.utf8CodeUnitCount { member = .choices }
        if names & 2 != 0, Int(nameCount) == Self.usage.utf8CodeUnitCount { member = .usage }
        state = .colon
        return
      } else if names != 0 {
        let place = Int(nameCount)
        if place >= Self.choices.utf8CodeUnitCount || byte != Self.choices.utf8Start[place] { names &= ~1 }
        if place >= Self.usage.utf8CodeUnitCount || byte != Self.usage.utf8Start[place] { names &= ~2 }
        nameCount &+= 1
      }
    }
  }

  /// Whether the string ended.
  private mutating func takeString(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) -> Bool {
    while index < bytes.count {
      let byte = bytes[index]
      index &+= 1
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "\"") {
        return true
      }
    }
    return false
  }

  private mutating func takeNested(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) {
    while index < bytes.count {
      if isInString {
        isInString = !takeString(bytes, &index)
        continue
      }
      switch bytes[index] {
      case UInt8(ascii: "\""): isInString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth &+= 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth &-= 1
      default: break
      }
      index &+= 1
      if depth == 0 {
        state = .comma
        return
      }
    }
  }

  @inline(__always)
  private static func isLiteral(_ byte: UInt8) -> Bool {
    ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
      || byte == UInt8(ascii: ".")
  }

  private static let choices: StaticString = "choices"
  private static let usage: StaticString = "usage"
}
