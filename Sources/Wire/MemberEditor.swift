// Changes top-level members of a JSON object while it passes: a member's value is put in place of the one that is there,
// or the member is added in front of the closing brace. A resumable value that keeps no byte of the object; what it does
// not understand passes as it came.

/// A member to set in an object.
public struct MemberEdit: Sendable, Equatable {
  /// Its name as JSON has it between the quotes, at most `keyBytesMax` bytes.
  public let key: [UInt8]
  /// Its value: one JSON value, whole.
  public let value: [UInt8]
  /// Whether it is added where the object has none of the name.
  public let adds: Bool

  /// Longer names are never found.
  public static let keyBytesMax = 32

  public init(key: StaticString, value: [UInt8], adds: Bool) {
    self.key = Array(UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
    self.value = value
    self.adds = adds
  }

  /// The most bytes that this edit makes an object longer by: the member with its quotes, its colon and a comma.
  public var growthMax: Int { key.count &+ value.count &+ 4 }
}

/// Edits one JSON object as it passes, in pieces of any size.
///
/// With a `growth` the object becomes longer by exactly that, whatever it holds: what the edits do not need of it becomes
/// spaces in front of the closing brace. Each edit is made once and needs at most its `growthMax`.
public struct MemberEditor: Sendable {
  private enum State: UInt8 {
    /// In front of the object.
    case begin
    /// Inside of it, between members.
    case key, inKey, colon, value, string, container, literal, comma
    /// Behind it, or in something that is no object.
    case passing
  }

  private let edits: [MemberEdit]
  private let growth: Int?
  /// Bytes given less bytes taken, of the runs before.
  private var balance = 0
  private var state = State.begin
  /// Containers open inside of a member's value.
  private var depth = 0
  private var isInString = false
  private var isEscaped = false
  private var name = InlineArray<32, UInt8>(repeating: 0)
  private var nameCount = 0
  /// Edits that were made; one bit each.
  private var done: UInt64 = 0
  private var edit: Int?
  /// Whether the value that passes is left out, because another stands in its place.
  private var isDropping = false
  private var isEmpty = true
  /// Whether the object was read to its closing brace.
  public private(set) var isComplete = false

  /// At most 64 edits; those behind are not made.
  public init(_ edits: [MemberEdit], growth: Int? = nil) {
    self.edits = Array(edits.prefix(64))
    self.growth = growth
  }

  /// Ready for another object.
  public mutating func reset() { self = MemberEditor(edits, growth: growth) }

  /// Takes the next run and appends what becomes of it to `out`.
  public mutating func edit(_ bytes: UnsafeRawBufferPointer, into out: inout [UInt8]) {
    let before = out.count
    var index = 0
    // What was looked at and is not yet in `out`.
    var from = 0
    func flush(_ end: Int, _ out: inout [UInt8]) {
      if from < end { out.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[from..<end])) }
      from = end
    }
    while index < bytes.count {
      let byte = bytes[index]
      switch state {
      case .begin:
        if byte == UInt8(ascii: "{") { state = .key } else if !Self.isSpace(byte) { state = .passing }
      case .key:
        if byte == UInt8(ascii: "\"") {
          state = .inKey
          nameCount = 0
          isEmpty = false
        } else if byte == UInt8(ascii: "}") {
          flush(index, &out)
          close(&out, balance &+ (out.count &- before) &- index)
        }
      case .inKey: takeKey(byte)
      case .colon: if byte == UInt8(ascii: ":") { state = .value }
      case .value:
        if Self.isSpace(byte) { break }
        if let edit {
          flush(index, &out)
          out.append(contentsOf: edits[edit].value)
          done |= 1 << UInt64(edit)
          isDropping = true
        }
        begin(byte)
      case .string:
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          endValue(at: index + 1, &from)
        }
      case .container: if takeNested(byte) { endValue(at: index + 1, &from) }
      case .literal:
        if Self.isSpace(byte) || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") {
          endValue(at: index, &from)
          continue
        }
      case .comma:
        if byte == UInt8(ascii: ",") {
          state = .key
        } else if byte == UInt8(ascii: "}") {
          flush(index, &out)
          close(&out, balance &+ (out.count &- before) &- index)
        }
      case .passing: index = bytes.count - 1
      }
      index += 1
    }
    if isDropping { from = bytes.count }
    flush(bytes.count, &out)
    balance &+= (out.count &- before) &- bytes.count
  }

  /// The input is over. What is left of the growth where there was no whole object: white space behind it.
  public mutating func finish(into out: inout [UInt8]) {
    guard let growth, balance < growth else { return }
    out.append(contentsOf: repeatElement(0x20, count: growth &- balance))
    balance = growth
  }

  private mutating func takeKey(_ byte: UInt8) {
    if isEscaped {
      isEscaped = false
    } else if byte == UInt8(ascii: "\\") {
      isEscaped = true
      // A name that is written with escapes is none of those that are looked for.
      nameCount = MemberEdit.keyBytesMax + 1
    } else if byte == UInt8(ascii: "\"") {
      edit = edits.indices.first { done & (1 << UInt64($0)) == 0 && isName(edits[$0].key) }
      state = .colon
    } else {
      if nameCount < MemberEdit.keyBytesMax { name[nameCount] = byte }
      if nameCount <= MemberEdit.keyBytesMax { nameCount += 1 }
    }
  }

  private func isName(_ key: [UInt8]) -> Bool {
    guard nameCount == key.count, nameCount <= MemberEdit.keyBytesMax else { return false }
    for index in key.indices where name[index] != key[index] { return false }
    return true
  }

  private mutating func begin(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): state = .string
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      state = .container
      depth = 1
    default: state = .literal
    }
  }

  /// A byte inside of a container; true when it closes the outermost.
  private mutating func takeNested(_ byte: UInt8) -> Bool {
    if isEscaped {
      isEscaped = false
    } else if isInString {
      if byte == UInt8(ascii: "\\") { isEscaped = true } else if byte == UInt8(ascii: "\"") { isInString = false }
    } else {
      switch byte {
      case UInt8(ascii: "\""): isInString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth &+= 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth &-= 1
        return depth <= 0
      default: break
      }
    }
    return false
  }

  private mutating func endValue(at end: Int, _ from: inout Int) {
    if isDropping { from = end }
    isDropping = false
    edit = nil
    state = .comma
  }

  /// At the closing brace, with the balance of all that is in front of it.
  private mutating func close(_ out: inout [UInt8], _ balance: Int) {
    let before = out.count
    for index in edits.indices where edits[index].adds && done & (1 << UInt64(index)) == 0 {
      if !isEmpty { out.append(UInt8(ascii: ",")) }
      isEmpty = false
      out.append(UInt8(ascii: "\""))
      out.append(contentsOf: edits[index].key)
      out.append(contentsOf: "\":".utf8)
      out.append(contentsOf: edits[index].value)
    }
    let balance = balance &+ (out.count &- before)
    if let growth, balance < growth { out.append(contentsOf: repeatElement(0x20, count: growth &- balance)) }
    isComplete = true
    state = .passing
  }

  @inline(__always)
  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }
}
