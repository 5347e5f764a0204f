// Where a body that was scanned is changed so that its stream tells its tokens: `stream_options.include_usage` made true, every
// other byte left as it is.

/// What a scan has seen of `stream_options`. Of several the last one counts, as in most parsers.
struct ScannedOptions {
  enum Kind: UInt8 {
    case missing, object, null, other
  }

  enum Usage: UInt8 {
    case missing, isFalse, isNull, other
  }

  var kind = Kind.missing
  /// Whether the object has any member.
  var hasMembers = false
  /// What its `include_usage` is.
  var usage = Usage.missing
}

/// A change of a body: the bytes of `range` give way to `text`. An empty range is a place to put it in.
public struct BodyChange: Sendable {
  public let range: Range<Int>
  public let text: StaticString

  private init(_ range: Range<Int>, _ text: StaticString) {
    self.range = range
    self.text = text
  }

  /// What makes `stream_options.include_usage` true in the body that `scanner` has read. Nil when it is, and when the body has
  /// something in its place that is for its backend to judge: options that are no object, a value that is neither a boolean
  /// nor null.
  public init?(askingForUsage scanner: inout JSONMemberScanner) {
    // In place: a scanner that is passed by value is copied.
    guard scanner.outcome == .object, scanner.includeUsage != true, let brace = scanner.closingBrace else { return nil }
    let options = scanner.streamOptions
    let range = scanner.streamOptionsRange ?? brace..<brace
    let usage = scanner.usageStart
    switch (options.kind, options.usage) {
    case (.missing, _) where scanner.hasMembers:
      self.init(brace..<brace, #","stream_options":{"include_usage":true}"#)
    case (.missing, _): self.init(brace..<brace, #""stream_options":{"include_usage":true}"#)
    case (.null, _): self.init(range, #"{"include_usage":true}"#)
    case (.object, .isFalse): self.init(usage..<usage &+ "false".utf8.count, "true")
    case (.object, .isNull): self.init(usage..<usage &+ "null".utf8.count, "true")
    case (.object, .missing):
      let end = max(range.upperBound &- 1, range.lowerBound)
      self.init(end..<end, options.hasMembers ? #","include_usage":true"# : #""include_usage":true"#)
    case (.object, .other), (.other, _): return nil
    }
  }
}
