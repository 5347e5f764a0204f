// A parsed head: a table of spans over bytes that somebody else keeps. Owned by its MessageParser, reused for every
// message of a connection; it never owns or copies the bytes it describes.

/// What a request or response head says, as spans relative to its first byte.
///
/// The spans are meaningful for as long as the message lasts; `bytes(_:)` needs `base`, which is whatever address the
/// head's bytes have at that moment.
public final class Head {
  let record: UnsafeMutablePointer<HeadRecord>

  init(fieldCountMax: Int) {
    record = .allocate(capacity: 1)
    record.initialize(to: HeadRecord(fieldCountMax: fieldCountMax))
  }

  deinit {
    record.pointee.releaseTable()
    record.deallocate()
  }

  /// Address of the head's first byte. The parser sets it when the whole head lay in one buffer, and clears it
  /// otherwise; whoever keeps the bytes sets it, also after moving them.
  public var base: UnsafeRawPointer? {
    get { record.pointee.base }
    set { record.pointee.base = newValue }
  }

  /// Length of the head in bytes, final empty line included. While the head is incomplete: what was seen of it.
  public var byteCount: Int { Int(record.pointee.byteCount) }

  /// The request's method.
  public var method: Method { record.pointee.method }
  /// The method as it was sent.
  public var methodSpan: Span { record.pointee.methodSpan }
  /// The request target as it was sent.
  public var target: Span { record.pointee.target }
  /// The target's path, from its first slash; `*` for `OPTIONS *`; empty for an absolute target without path.
  public var path: Span { record.pointee.path }
  /// The target's query without the question mark.
  public var query: Span { record.pointee.query }
  /// Whether the target has a question mark: `/a?` and `/a` differ.
  public var hasQuery: Bool { record.pointee.hasQuery }
  /// Host and port of a target in absolute form (RFC 9112 3.2.2), which then counts instead of Host; else empty.
  public var authority: Span { record.pointee.authority }

  /// The response's status code, 100 to 999.
  public var status: Int { Int(record.pointee.status) }
  /// The response's reason phrase.
  public var reason: Span { record.pointee.reason }

  /// 0 for HTTP/1.0, 1 for HTTP/1.1.
  public var versionMinor: UInt8 { record.pointee.versionMinor }

  /// Number of header lines.
  public var fieldCount: Int { Int(record.pointee.fieldCount) }

  /// The header line at `index`, in the order they came; an empty one when out of range.
  public func field(_ index: Int) -> HeaderField {
    guard index >= 0, index < fieldCount, let fields = record.pointee.fields else { return HeaderField() }
    // SAFETY: the table holds fieldCount initialised elements, and index was checked against it.
    return fields[index]
  }

  /// Whether a line with this name exists. One bit test.
  public func has(_ known: KnownHeader) -> Bool { record.pointee.present & (1 << UInt64(known.rawValue)) != 0 }

  /// The value of the first line with this name.
  public func first(_ known: KnownHeader) -> Span? {
    guard has(known), let fields = record.pointee.fields else { return nil }
    for index in 0..<fieldCount where fields[index].known == known { return fields[index].value }
    return nil
  }

  /// How many lines have this name.
  public func count(of known: KnownHeader) -> Int {
    guard has(known), let fields = record.pointee.fields else { return 0 }
    var count = 0
    for index in 0..<fieldCount where fields[index].known == known { count &+= 1 }
    return count
  }

  /// The value of the first line with this name, given in lower case. Compares every line: not for the hot path.
  public func first(named name: StaticString) -> Span? {
    for index in 0..<fieldCount {
      let field = field(index)
      if ASCII.equal(bytes(field.name), lowercase: name) { return field.value }
    }
    return nil
  }

  /// The bytes of `span`. Empty when the span does not lie inside the head or nobody has set `base`.
  ///
  /// Valid for as long as the bytes stay at `base`.
  public func bytes(_ span: Span) -> UnsafeRawBufferPointer {
    let record = record.pointee
    guard let base = record.base, UInt64(span.offset) + UInt64(span.count) <= UInt64(record.byteCount) else {
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    // SAFETY: who set `base` vouches for byteCount bytes, and the span lies inside them.
    return UnsafeRawBufferPointer(start: base + Int(span.offset), count: Int(span.count))
  }

  /// The bytes of the first value with this name; nil when there is no such line.
  public func value(_ known: KnownHeader) -> UnsafeRawBufferPointer? {
    first(known).map { bytes($0) }
  }

  /// Whether the list in the lines with this name has the element `token` (lower case), whatever the case sent.
  public func lists(_ known: KnownHeader, _ token: StaticString) -> Bool {
    guard has(known) else { return false }
    var found = false
    for index in 0..<fieldCount where !found {
      let field = field(index)
      guard field.known == known else { continue }
      ASCII.forEachElement(bytes(field.value)) { element in
        found = ASCII.equal(element, lowercase: token)
        return !found
      }
    }
    return found
  }
}

@available(*, unavailable)
extension Head: Sendable {}

/// The memory behind a `Head`: plain words at a fixed address, so that parser callbacks reach them without references.
struct HeadRecord {
  /// What the Connection header means for the other lines; found out when first asked.
  enum ConnectionOptions: UInt8 {
    case unknown, plain, namesFields
  }

  var base: UnsafeRawPointer?
  var fields: UnsafeMutablePointer<HeaderField>?
  /// One bit for each `KnownHeader` that occurs.
  var present: UInt64 = 0
  var methodSpan = Span()
  var target = Span()
  var path = Span()
  var query = Span()
  var authority = Span()
  var reason = Span()
  var byteCount: UInt32 = 0
  var fieldCount: UInt16 = 0
  var fieldCapacity: UInt16 = 0
  let fieldCountMax: UInt16
  var status: UInt16 = 0
  var method = Method.other
  var versionMinor: UInt8 = 1
  var hasQuery = false
  var connectionOptions = ConnectionOptions.unknown

  init(fieldCountMax: Int) {
    self.fieldCountMax = Self.cut(fieldCountMax)
  }

  /// Whether the record was made for this many lines.
  func allows(fieldCount: Int) -> Bool { fieldCountMax == Self.cut(fieldCount) }

  private static func cut(_ fieldCount: Int) -> UInt16 { UInt16(clamping: max(fieldCount, 1)) }

  /// Forgets the message and keeps the table.
  mutating func reset() {
    base = nil
    present = 0
    methodSpan = Span()
    target = Span()
    path = Span()
    query = Span()
    authority = Span()
    reason = Span()
    byteCount = 0
    fieldCount = 0
    status = 0
    method = .other
    versionMinor = 1
    hasQuery = false
    connectionOptions = .unknown
  }

  /// Forgets the header lines and gives their memory back; the next message allocates anew.
  mutating func releaseTable() {
    fields?.deallocate()
    fields = nil
    fieldCapacity = 0
    fieldCount = 0
    present = 0
  }

  /// Adds a line; the caller has compared `fieldCount` with `fieldCountMax`.
  @inline(__always)
  mutating func append(_ field: HeaderField) {
    if fieldCount == fieldCapacity { grow() }
    guard let fields, fieldCount < fieldCapacity else { return }
    // SAFETY: fieldCount is below the table's capacity; HeaderField is trivial, so plain assignment initialises.
    (fields + Int(fieldCount)).initialize(to: field)
    fieldCount &+= 1
    present |= 1 << UInt64(field.known.rawValue)
  }

  private mutating func grow() {
    // Most messages have fewer than 24 lines; the bound is for the others.
    let capacity = min(Int(fieldCountMax), max(24, Int(fieldCapacity) * 2))
    guard capacity > Int(fieldCapacity) else { return }
    let table = UnsafeMutablePointer<HeaderField>.allocate(capacity: capacity)
    if let fields {
      // SAFETY: the old table holds fieldCount elements and the new one has room for more.
      table.moveInitialize(from: fields, count: Int(fieldCount))
      fields.deallocate()
    }
    fields = table
    fieldCapacity = UInt16(clamping: capacity)
  }
}
