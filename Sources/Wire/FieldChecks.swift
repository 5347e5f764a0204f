// The few values that decide how a message is read, checked while they arrive so that a value split between two reads
// needs no copy. Each check is fed pieces and asked once for its verdict.

/// Content-Length: digits only, no sign, no list, at most Int64.max (RFC 9112 6.3).
struct ContentLengthCheck {
  private(set) var value: UInt64 = 0
  private var sawDigit = false
  private var ended = false
  private var failed = false

  var isValid: Bool { sawDigit && !failed }

  mutating func feed(_ piece: UnsafeRawBufferPointer) {
    for byte in piece {
      if ASCII.isDigit(byte), !ended {
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, carry) = product.addingReportingOverflow(UInt64(byte &- 0x30))
        if overflow || carry || sum > UInt64(Int64.max) { failed = true }
        value = sum
        sawDigit = true
      } else if ASCII.isBlank(byte) {
        ended = sawDigit
      } else {
        failed = true
      }
    }
  }
}

/// Transfer-Encoding: `chunked`, once and alone, over all lines of that name (RFC 9112 6.1).
struct TransferCodingCheck {
  private var matched: UInt8 = 0
  private var tokenStarted = false
  private var tokenEnded = false
  private var tokenFailed = false
  private var codings: UInt8 = 0
  private var chunkedCount: UInt8 = 0
  private var lastIsChunked = false

  /// True when a line of that name was seen, even an empty one.
  private(set) var isPresent = false

  mutating func feed(_ piece: UnsafeRawBufferPointer) {
    let name: StaticString = "chunked"
    for byte in piece {
      if byte == UInt8(ascii: ",") {
        endElement()
      } else if ASCII.isBlank(byte) {
        tokenEnded = tokenStarted
      } else {
        if tokenEnded || Int(matched) >= name.utf8CodeUnitCount {
          tokenFailed = true
        } else if ASCII.lower(byte) == name.utf8Start[Int(matched)] {
          matched &+= 1
        } else {
          tokenFailed = true
        }
        tokenStarted = true
      }
    }
  }

  /// Ends a line; the next one goes on with the same list.
  mutating func endLine() {
    isPresent = true
    endElement()
  }

  /// The fault of the whole list, `.none` when it is exactly `chunked`.
  var verdict: Fault {
    if chunkedCount > 1 || (chunkedCount == 1 && !lastIsChunked) { return .codingOrder }
    return codings == 1 && chunkedCount == 1 ? .none : .coding
  }

  private mutating func endElement() {
    if tokenStarted {
      lastIsChunked = !tokenFailed && matched == 7
      if lastIsChunked { chunkedCount = min(chunkedCount &+ 1, 2) }
      codings = min(codings &+ 1, 2)
    }
    matched = 0
    tokenStarted = false
    tokenEnded = false
    tokenFailed = false
  }
}

/// Host: a name or an address, an IPv6 address in brackets, and maybe a port, which is digits or nothing (RFC 9110 7.2,
/// RFC 3986 3.2). No list, no user, no path.
struct HostCheck {
  private enum State: UInt8 {
    case start, name, bracket, behindBracket, port, blanks
  }

  private var state = State.start
  private var failed = false

  var isValid: Bool { !failed && state != .start && state != .bracket }

  mutating func feed(_ piece: UnsafeRawBufferPointer) {
    var rest = piece[...]
    if state == .start || state == .name {
      // Nearly all of a Host is a run of letters, digits and dots.
      let run = rest.prefix { HostCheck.isLegal($0) }
      if !run.isEmpty { state = .name }
      rest = rest[run.endIndex...]
    }
    for byte in rest {
      if !ASCII.isBlank(byte) {
        feed(byte)
      } else if state != .start {
        if state == .bracket { failed = true }
        state = .blanks
      }
    }
  }

  @inline(__always)
  mutating func feed(_ byte: UInt8) {
    switch state {
    case .start where byte == UInt8(ascii: "["): state = .bracket
    case .name where byte == UInt8(ascii: ":"): state = .port
    case .start, .name:
      state = .name
      if !HostCheck.isLegal(byte) { failed = true }
    case .bracket:
      if byte == UInt8(ascii: "]") {
        state = .behindBracket
      } else if byte != UInt8(ascii: ":"), !HostCheck.isLegal(byte) {
        failed = true
      }
    case .behindBracket:
      if byte != UInt8(ascii: ":") { failed = true }
      state = .port
    case .port:
      if !ASCII.isDigit(byte) { failed = true }
    case .blanks: failed = true
    }
  }

  /// Letters, digits and what names, addresses and escapes need.
  @inline(__always)
  private static func isLegal(_ byte: UInt8) -> Bool {
    if ASCII.isLetter(byte) || ASCII.isDigit(byte) { return true }
    switch byte {
    case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "%"): return true
    default: return false
    }
  }
}

/// The request target, divided into its parts as it arrives (RFC 9112 3.2).
struct TargetCheck {
  private enum State: UInt8 {
    case start, path, query, asterisk, scheme, slash, secondSlash, authority
  }

  private var state = State.start
  private(set) var failed = false
  private var host = HostCheck()
  /// Offsets from the target's first byte.
  private var authorityStart: UInt32 = 0
  private var authorityEnd: UInt32 = 0
  private var pathStart: UInt32 = 0
  private var pathEnd: UInt32 = 0
  private var queryStart: UInt32 = 0
  private(set) var count: UInt32 = 0

  mutating func feed(_ piece: UnsafeRawBufferPointer) {
    if state == .start, piece.count < 4096, isPlainPath(piece) {
      state = .path
      count = UInt32(piece.count)
      return
    }
    for byte in piece {
      // Fragments are never sent, and anything but printable ASCII is read differently by different servers.
      if byte &- 0x21 > 0x5d || byte == UInt8(ascii: "#") { failed = true }
      switch state {
      case .path:
        if byte == UInt8(ascii: "?") { endPath() }
      case .query:
        break
      case .start:
        begin(byte)
      case .asterisk:
        failed = true
      case .scheme:
        scheme(byte)
      case .slash, .secondSlash:
        if byte != UInt8(ascii: "/") { failed = true }
        state = state == .slash ? .secondSlash : .authority
        authorityStart = count &+ 1
      case .authority:
        authority(byte)
      }
      count &+= 1
    }
  }

  /// Whether a piece is a path and no more, of characters that mean nothing else.
  private func isPlainPath(_ piece: UnsafeRawBufferPointer) -> Bool {
    guard piece.first == UInt8(ascii: "/") else { return false }
    for byte in piece where byte &- 0x24 > 0x5a || byte == UInt8(ascii: "?") { return false }
    return true
  }

  private mutating func begin(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "/"): state = .path
    case UInt8(ascii: "*"): state = .asterisk
    default:
      if ASCII.lower(byte) != UInt8(ascii: "h") { failed = true }
      state = .scheme
    }
  }

  /// Only `http:` and `https:` have this gateway's path and query.
  private mutating func scheme(_ byte: UInt8) {
    let name: StaticString = "https"
    if byte == UInt8(ascii: ":") {
      if count != 4 && count != 5 { failed = true }
      state = .slash
    } else if count > 4 || ASCII.lower(byte) != name.utf8Start[Int(count)] {
      failed = true
    }
  }

  private mutating func authority(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "/"):
      authorityEnd = count
      pathStart = count
      state = .path
    case UInt8(ascii: "?"):
      authorityEnd = count
      pathStart = count
      endPath()
    default:
      host.feed(byte)
    }
  }

  private mutating func endPath() {
    pathEnd = count
    queryStart = count &+ 1
    state = .query
  }

  /// Writes the parts into `record`. False when this is no target for its method.
  func finish(_ record: inout HeadRecord) -> Bool {
    let start = record.target.offset
    var pathEnd = pathEnd
    switch state {
    case .path, .asterisk:
      pathEnd = count
    case .query:
      record.hasQuery = true
      record.query = Span(offset: start &+ queryStart, count: count &- queryStart)
    case .authority:
      record.authority = Span(offset: start &+ authorityStart, count: count &- authorityStart)
    case .start, .scheme, .slash, .secondSlash:
      return false
    }
    if authorityStart > 0 {
      let end = state == .authority ? count : authorityEnd
      guard end > authorityStart, host.isValid else { return false }
      record.authority = Span(offset: start &+ authorityStart, count: end &- authorityStart)
    }
    if state != .authority { record.path = Span(offset: start &+ pathStart, count: pathEnd &- pathStart) }
    return !failed && (state != .asterisk || record.method == .options)
  }
}
