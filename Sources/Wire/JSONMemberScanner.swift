// Finds the few top-level members a gateway needs in a JSON body, without a tree and without a copy. A resumable value:
// it keeps no bytes but the model's name. It checks what is needed to find the same members a strict parser finds, and
// no more: numbers and literals are skipped loosely, strings nobody asked for are not decoded.

/// Why a body was refused by a scanner.
public enum ScanFailure: Error, Equatable, Sendable {
  /// The body is valid so far but is no object, or is empty.
  case notAnObject
  /// Not JSON, or not multipart/form-data; at this offset of the payload.
  case malformed(at: Int)
  /// The payload ended too early.
  case truncated
  /// Nested deeper than the scanner's bound.
  case tooDeep
  /// Something but white space behind the object.
  case trailingBytes
  /// `model` occurs more than once: gateway and backend might choose differently.
  case duplicateModel
  /// `model` is not a string, or is a file.
  case modelNotString
  /// `model` is longer than `ScannedModel.bytesMax`.
  case modelTooLong
}

/// How far a scanner has come.
public enum ScanOutcome: Equatable, Sendable {
  /// More bytes are needed.
  case incomplete
  /// The object (or the form) was read to its end.
  case object
  /// It can not be used.
  case failed(ScanFailure)
}

/// What a member is that should be a list.
public enum ScannedList: Sendable {
  case missing, empty, array, other
}

/// Bounds of a model's name.
public enum ScannedModel {
  /// Longest name in bytes after decoding.
  public static let bytesMax = 1024
}

/// Finds top-level members of a JSON object (RFC 8259) that is fed in runs of any size.
///
/// Keys are compared after decoding, so `"mod\u0065l"` is `model`; members of the same name further down do not count.
/// A second `model` is a failure; of other members that occur twice the last one counts, as in most parsers.
public struct JSONMemberScanner {
  /// Deepest nesting that is followed.
  public static let depthMax = 512

  /// How far the scan has come.
  public internal(set) var outcome = ScanOutcome.incomplete
  /// Where the value of `model` lies in the payload, quotes included.
  public internal(set) var modelRange: Range<Int>?
  /// The model's name, decoded. Valid UTF-8 once `modelRange` is there.
  public internal(set) var modelName: [UInt8] = []
  /// `stream`; nil when absent, null or no boolean.
  public internal(set) var stream: Bool?
  /// `stream` is there and neither a boolean nor null.
  public internal(set) var streamNotBoolean = false
  /// What `messages` is.
  public internal(set) var messages = ScannedList.missing
  /// `stream_options.include_usage`; nil when absent or no boolean.
  public internal(set) var includeUsage: Bool?
  /// Where the value of `stream_options` lies in the payload.
  public internal(set) var streamOptionsRange: Range<Int>?
  /// What `stream_options` and its `include_usage` are.
  var streamOptions = ScannedOptions()
  /// Offset of the object's closing brace: where a member may be added.
  public internal(set) var closingBrace: Int?
  /// Whether the object has any member.
  public internal(set) var hasMembers = false

  /// The model's value and its decoded name.
  public var model: (range: Range<Int>, name: [UInt8])? { modelRange.map { ($0, modelName) } }
  /// The model's name as text. Built anew by each call.
  public var modelText: String? { modelRange.map { _ in String(decoding: modelName, as: UTF8.self) } }
  /// The bound on generated tokens: `max_completion_tokens`, else `max_output_tokens`, else `max_tokens`. Nil when none
  /// is a plain non-negative integer.
  public var maxTokens: Int? { maxCompletionTokens ?? maxOutputTokens ?? plainMaxTokens }

  enum State: UInt8 {
    case begin, keyOrClose, key, colon, value, valueOrClose, commaOrClose, string, escape, unicode, literal, done
  }

  /// What the string being read is wanted for.
  enum Capture: UInt8 {
    case nothing, key, model
  }

  enum Member: UInt8 {
    case none, model, messages, stream, streamOptions, includeUsage, maxTokens, maxCompletionTokens, maxOutputTokens
    case choices
  }

  var state = State.begin
  var capture = Capture.nothing
  var stringIsKey = false
  var member = Member.none
  private var inStreamOptions = false
  private var depth: UInt16 = 0
  private var sawModel = false
  /// A short text under way: a key or a literal. `textCount` above its room says it is none of those wanted.
  var text = InlineArray<24, UInt8>(repeating: 0)
  var textCount: UInt8 = 0
  var hexCount: UInt8 = 0
  var hexValue: UInt16 = 0
  var highSurrogate: UInt16 = 0
  /// Payload bytes in front of the run being scanned.
  private var consumed = 0
  private var valueStart = 0
  /// Where the value of `stream_options.include_usage` begins, once there is one.
  var usageStart = 0
  private var plainMaxTokens: Int?
  /// `n`; nil when absent or no count.
  public private(set) var choices: Int?
  private var maxCompletionTokens: Int?
  private var maxOutputTokens: Int?
  /// One bit for each open container: 1 for objects.
  private var kinds = InlineArray<8, UInt64>(repeating: 0)

  public init() {}

  /// Ready for another body. The memory of the model's name stays.
  public mutating func reset() {
    var name = modelName
    modelName = []
    name.removeAll(keepingCapacity: true)
    self = JSONMemberScanner()
    modelName = name
  }

  /// Takes the next run of the payload.
  public mutating func scan(_ bytes: UnsafeRawBufferPointer) {
    guard outcome == .incomplete || outcome == .object else { return }
    var index = 0
    while index < bytes.count {
      switch state {
      case .string: index = string(bytes, index)
      case .escape, .unicode: index = escape(bytes, index)
      case .literal: index = literal(bytes, index)
      default: index = structure(bytes, index)
      }
      if case .failed = outcome { return }
    }
    consumed &+= bytes.count
  }

  /// The payload is over.
  public mutating func finish() {
    if outcome == .incomplete { outcome = .failed(state == .begin ? .notAnObject : .truncated) }
  }

  /// Ends the scan; `index` is that of the byte at fault in the current run.
  mutating func fail(_ failure: ScanFailure) { outcome = .failed(failure) }

  mutating func malformed(_ index: Int) { fail(.malformed(at: consumed &+ index)) }
}

// MARK: - Structure

extension JSONMemberScanner {
  /// Bytes between strings and literals. Returns the index of the first byte that was not taken.
  private mutating func structure(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
    var index = start
    while index < bytes.count {
      let byte = bytes[index]
      if byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
        index &+= 1
        continue
      }
      switch state {
      case .value, .valueOrClose:
        if beginValue(byte, index) { return state == .literal ? index : index &+ 1 }
      case .keyOrClose, .key:
        if byte == UInt8(ascii: "\"") {
          beginKey()
          return index &+ 1
        }
        guard byte == UInt8(ascii: "}"), state == .keyOrClose else {
          malformed(index)
          return index
        }
        pop(index)
      case .colon:
        guard byte == UInt8(ascii: ":") else {
          malformed(index)
          return index
        }
        state = .value
      case .commaOrClose:
        afterValue(byte, index)
      case .begin:
        guard byte == UInt8(ascii: "{") else {
          if byte == 0xef { malformed(index) } else { fail(.notAnObject) }
          return index
        }
        push(isObject: true)
      case .done:
        fail(.trailingBytes)
      case .string, .escape, .unicode, .literal:
        return index
      }
      if case .failed = outcome { return index }
      index &+= 1
    }
    return index
  }

  private mutating func beginKey() {
    state = .string
    stringIsKey = true
    textCount = 0
    highSurrogate = 0
    if depth == 1 {
      hasMembers = true
      capture = .key
    } else if inStreamOptions, depth == 2 {
      streamOptions.hasMembers = true
      capture = .key
    } else {
      capture = .nothing
    }
  }

  /// Called by the string reader when a wanted key has been decoded.
  mutating func endKey() {
    member = .none
    if depth == 2 {
      if isText("include_usage") { member = .includeUsage }
      return
    }
    switch textCount {
    case 1: if isText("n") { member = .choices }
    case 5:
      guard isText("model") else { return }
      if sawModel { return fail(.duplicateModel) }
      sawModel = true
      member = .model
    case 6: if isText("stream") { member = .stream }
    case 8: if isText("messages") { member = .messages }
    case 10: if isText("max_tokens") { member = .maxTokens }
    case 14: if isText("stream_options") { member = .streamOptions }
    case 17: if isText("max_output_tokens") { member = .maxOutputTokens }
    case 21: if isText("max_completion_tokens") { member = .maxCompletionTokens }
    default: break
    }
  }

  /// Whether the value that begins now belongs to `member`: it is a direct member's value, not something inside it.
  private var isWanted: Bool {
    member != .none && (member == .includeUsage ? depth == 2 && inStreamOptions : depth == 1)
  }

  /// False when the byte closed an empty array or was refused, true when a string, a literal or a container began.
  private mutating func beginValue(_ byte: UInt8, _ index: Int) -> Bool {
    if byte == UInt8(ascii: "]"), state == .valueOrClose {
      if depth == 2, member == .messages { messages = .empty }
      pop(index)
      return false
    }
    let wanted = isWanted
    if wanted { forgetValue() }
    if wanted, member == .messages { messages = byte == UInt8(ascii: "[") ? .array : .other }
    if wanted, member == .streamOptions { streamOptions.kind = byte == UInt8(ascii: "{") ? .object : .other }
    if wanted, member == .includeUsage {
      streamOptions.usage = .other
      usageStart = consumed &+ index
    }
    switch byte {
    case UInt8(ascii: "\""):
      if depth == 1 { valueStart = consumed &+ index }
      state = .string
      stringIsKey = false
      capture = wanted && member == .model ? .model : .nothing
      highSurrogate = 0
      if capture == .model { modelName.reserveCapacity(64) }
      if wanted, member == .stream { streamNotBoolean = true }
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      if depth == 1 {
        valueStart = consumed &+ index
        if member == .model { fail(.modelNotString) }
        if member == .stream { streamNotBoolean = true }
        inStreamOptions = member == .streamOptions && byte == UInt8(ascii: "{")
      }
      push(isObject: byte == UInt8(ascii: "{"))
      if inStreamOptions, depth == 2 { member = .none }
    default:
      guard JSONMemberScanner.isLiteral(byte) else {
        malformed(index)
        return true
      }
      if wanted, member == .model {
        fail(.modelNotString)
        return true
      }
      if depth == 1 { valueStart = consumed &+ index }
      textCount = 0
      state = .literal
    }
    return true
  }

  /// The last of several members of one name counts, so an earlier one is forgotten.
  private mutating func forgetValue() {
    switch member {
    case .stream:
      stream = nil
      streamNotBoolean = false
    case .streamOptions:
      includeUsage = nil
      streamOptionsRange = nil
      streamOptions = ScannedOptions()
    case .includeUsage: includeUsage = nil
    case .maxTokens: plainMaxTokens = nil
    case .choices: choices = nil
    case .maxCompletionTokens: maxCompletionTokens = nil
    case .maxOutputTokens: maxOutputTokens = nil
    case .model, .messages, .none: break
    }
  }

  private mutating func afterValue(_ byte: UInt8, _ index: Int) {
    let object = isObject
    switch byte {
    case UInt8(ascii: ","): state = object ? .key : .value
    case UInt8(ascii: "}") where object: pop(index)
    case UInt8(ascii: "]") where !object: pop(index)
    default: malformed(index)
    }
  }

  private var isObject: Bool {
    let level = Int(depth) &- 1
    guard level >= 0, level < JSONMemberScanner.depthMax else { return false }
    return kinds[level >> 6] & (1 << UInt64(level & 63)) != 0
  }

  private mutating func push(isObject: Bool) {
    let level = Int(depth)
    guard level < JSONMemberScanner.depthMax else { return fail(.tooDeep) }
    let bit: UInt64 = 1 << UInt64(level & 63)
    if isObject { kinds[level >> 6] |= bit } else { kinds[level >> 6] &= ~bit }
    depth &+= 1
    state = isObject ? .keyOrClose : .valueOrClose
  }

  private mutating func pop(_ index: Int) {
    guard depth > 0 else { return malformed(index) }
    depth &-= 1
    state = .commaOrClose
    if depth == 1 {
      if inStreamOptions { member = .streamOptions }
      inStreamOptions = false
      endValue(consumed &+ index &+ 1)
    }
    if depth == 0 {
      state = .done
      closingBrace = consumed &+ index
      outcome = .object
    }
  }

  /// A value of a top-level member ended in front of offset `end`.
  private mutating func endValue(_ end: Int) {
    if member == .streamOptions { streamOptionsRange = valueStart..<max(end, valueStart) }
    if member == .model { modelRange = valueStart..<max(end, valueStart) }
    member = .none
  }

  /// Called by the string reader behind a closing quote at `index`.
  mutating func endString(_ index: Int) {
    if stringIsKey {
      if capture == .key { endKey() }
      state = .colon
    } else {
      state = .commaOrClose
      if depth == 1 { endValue(consumed &+ index &+ 1) }
    }
  }
}

// MARK: - Literals

extension JSONMemberScanner {
  /// What numbers, `true`, `false` and `null` are made of. Quotes of other kinds, comments and the like are not.
  @inline(__always)
  private static func isLiteral(_ byte: UInt8) -> Bool {
    ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
      || byte == UInt8(ascii: ".")
  }

  private mutating func literal(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
    var index = start
    while index < bytes.count, JSONMemberScanner.isLiteral(bytes[index]) {
      addText(bytes[index])
      index &+= 1
    }
    guard index < bytes.count else { return index }
    if isWanted { endLiteral() }
    state = .commaOrClose
    if depth == 1 { endValue(consumed &+ index) }
    return index
  }

  private mutating func endLiteral() {
    let boolean: Bool? = isText("true") ? true : isText("false") ? false : nil
    switch member {
    case .stream:
      stream = boolean
      streamNotBoolean = boolean == nil && !isText("null")
    case .includeUsage:
      includeUsage = boolean
      if boolean == false { streamOptions.usage = .isFalse } else if isText("null") { streamOptions.usage = .isNull }
    case .streamOptions: if isText("null") { streamOptions.kind = .null }
    case .maxTokens: plainMaxTokens = textNumber()
    case .choices: choices = textNumber()
    case .maxCompletionTokens: maxCompletionTokens = textNumber()
    case .maxOutputTokens: maxOutputTokens = textNumber()
    case .model, .messages, .none: break
    }
  }
}
