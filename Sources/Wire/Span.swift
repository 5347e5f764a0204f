// Where things lie inside a head. Spans are offsets and never pointers, so that a head can be kept, moved or appended to
// without being parsed again. They own nothing.

/// A run of bytes inside a head, relative to the head's first byte.
public struct Span: Equatable, Sendable {
  /// Distance from the head's first byte, in bytes.
  public var offset: UInt32
  /// Length in bytes.
  public var count: UInt32

  /// A run of `count` bytes at `offset`.
  @inlinable
  public init(offset: UInt32 = 0, count: UInt32 = 0) {
    self.offset = offset
    self.count = count
  }

  /// True when there is nothing in the run, also when the thing it stands for was absent.
  @inlinable public var isEmpty: Bool { count == 0 }

  /// First offset behind the run.
  @inlinable public var end: UInt32 { offset &+ count }
}

/// One header line.
public struct HeaderField: Equatable, Sendable {
  /// The name as it was sent.
  public var name: Span
  /// The value without the white space around it (RFC 9110 5.5).
  public var value: Span
  /// What the gateway knows this name as; `.other` for all it does not act on.
  public var known: KnownHeader

  @inlinable
  public init(name: Span = Span(), value: Span = Span(), known: KnownHeader = .other) {
    self.name = name
    self.value = value
    self.known = known
  }
}
