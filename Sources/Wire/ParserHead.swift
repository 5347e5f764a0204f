// The head half of a parser's callbacks: the start line, the header lines, and the verdict on the whole.

import CLLHTTP

// MARK: - Start line

extension ParserCore {
  mutating func methodPiece(_ bytes: UnsafeRawBufferPointer, at: UnsafeRawPointer) -> CInt {
    if record.pointee.methodSpan.isEmpty { record.pointee.methodSpan.offset = offset(at) }
    record.pointee.methodSpan.count &+= UInt32(truncatingIfNeeded: bytes.count)
    return 0
  }

  mutating func targetPiece(_ bytes: UnsafeRawBufferPointer, at: UnsafeRawPointer) -> CInt {
    guard let scratch else { return CInt(HPE_USER.rawValue) }
    if !scratch.pointee.sawTarget {
      scratch.pointee.sawTarget = true
      record.pointee.target.offset = offset(at)
    }
    scratch.pointee.target.feed(bytes)
    record.pointee.target.count = scratch.pointee.target.count
    return scratch.pointee.target.count > targetBytesMax ? fail(.targetTooLong) : 0
  }

  /// llhttp takes `GET / RTSP/1.0` for a request of another protocol and any number of spaces for one. We do not.
  mutating func versionPiece(at: UnsafeRawPointer) -> CInt {
    guard let scratch else { return CInt(HPE_USER.rawValue) }
    guard !scratch.pointee.sawVersion else { return 0 }
    scratch.pointee.sawVersion = true
    guard role == .request else { return 0 }
    let record = record.pointee
    if record.target.offset != record.methodSpan.end &+ 1 || offset(at) != record.target.end &+ 6 {
      return fail(.spacing)
    }
    var before = scratch.pointee.lineTail
    // SAFETY: `at` lies in the buffer, and at most as many bytes as the buffer has in front of it are read.
    for index in stride(from: min(at - buffer, 5), to: 0, by: -1) {
      before = before << 8 | UInt64((at - index).load(as: UInt8.self))
    }
    return before & 0xff_ffff_ffff == 0x48_5454_502f ? 0 : fail(.version)  // "HTTP/"
  }

  mutating func versionComplete() -> CInt {
    guard llhttp.http_major == 1, llhttp.http_minor <= 1 else { return fail(.version) }
    record.pointee.versionMinor = llhttp.http_minor
    return 0
  }

  mutating func reasonPiece(_ bytes: UnsafeRawBufferPointer, at: UnsafeRawPointer) -> CInt {
    for byte in bytes where (byte < 0x20 && byte != 0x09) || byte == 0x7f { return fail(.reasonPhrase) }
    if record.pointee.reason.isEmpty { record.pointee.reason.offset = offset(at) }
    record.pointee.reason.count &+= UInt32(truncatingIfNeeded: bytes.count)
    return 0
  }
}

// MARK: - Header lines

extension ParserCore {
  @inline(__always)
  mutating func namePiece(_ bytes: UnsafeRawBufferPointer, at: UnsafeRawPointer) -> CInt {
    guard let scratch else { return CInt(HPE_USER.rawValue) }
    if scratch.pointee.line != .name {
      if phase == .head {
        // HTTP/0.9 has no version to complain about earlier, and no header lines.
        if !scratch.pointee.sawVersion { return fail(.version) }
        if record.pointee.fieldCount >= record.pointee.fieldCountMax { return fail(.tooManyFields) }
      }
      scratch.pointee.line = .name
      scratch.pointee.nameOffset = phase == .head ? offset(at) : 0
      scratch.pointee.nameCount = 0
      scratch.pointee.carryCount = 0
    }
    scratch.pointee.nameCount &+= UInt32(truncatingIfNeeded: bytes.count)
    // A name that ends where the buffer ends goes on in the next one.
    if scratch.pointee.carryCount > 0 || at + bytes.count == bufferEnd { scratch.pointee.keepName(bytes) }
    if scratch.pointee.carryCount == 0 { scratch.pointee.known = KnownHeader.classify(at, count: bytes.count) }
    return 0
  }

  /// Called with the first piece of a value, or at the end of a line without one.
  @inline(__always)
  private mutating func endName(_ scratch: UnsafeMutablePointer<HeadScratch>) -> CInt {
    if scratch.pointee.carryCount > 0 {
      scratch.pointee.known = scratch.pointee.keptName
    }
    scratch.pointee.line = .value
    scratch.pointee.valueOffset = 0
    scratch.pointee.valueRaw = 0
    scratch.pointee.valueCount = 0
    if phase == .trailers {
      switch scratch.pointee.known {
      case .contentLength, .transferEncoding, .host, .connection, .trailer, .te, .upgrade, .authorization, .expect:
        return fail(.trailerField)
      default: return 0
      }
    }
    switch scratch.pointee.known {
    case .contentLength:
      scratch.pointee.lengthCount = min(scratch.pointee.lengthCount &+ 1, 2)
      if scratch.pointee.lengthCount > 1 { return fail(.lengthRepeated) }
    case .host:
      scratch.pointee.hostCount = min(scratch.pointee.hostCount &+ 1, 2)
      if scratch.pointee.hostCount > 1, role == .request { return fail(.hostRepeated) }
    default: break
    }
    return 0
  }

  @inline(__always)
  mutating func valuePiece(_ bytes: UnsafeRawBufferPointer, at: UnsafeRawPointer) -> CInt {
    guard let scratch else { return CInt(HPE_USER.rawValue) }
    if scratch.pointee.line != .value {
      let result = endName(scratch)
      if result != 0 { return result }
      if phase == .head { scratch.pointee.valueOffset = offset(at) }
    }
    guard phase == .head else { return 0 }
    var count = bytes.count
    while count > 0, ASCII.isBlank(bytes[count &- 1]) { count &-= 1 }
    if count > 0 { scratch.pointee.valueCount = scratch.pointee.valueRaw &+ UInt32(truncatingIfNeeded: count) }
    scratch.pointee.valueRaw &+= UInt32(truncatingIfNeeded: bytes.count)
    switch scratch.pointee.known {
    case .contentLength: scratch.pointee.length.feed(bytes)
    case .transferEncoding: scratch.pointee.coding.feed(bytes)
    case .host: scratch.pointee.host.feed(bytes)
    default: break
    }
    return 0
  }

  @inline(__always)
  mutating func valueComplete() -> CInt {
    guard let scratch else { return CInt(HPE_USER.rawValue) }
    if scratch.pointee.line != .value {
      let result = endName(scratch)
      if result != 0 { return result }
    }
    scratch.pointee.line = .between
    guard phase == .head else { return 0 }
    if scratch.pointee.known == .transferEncoding { scratch.pointee.coding.endLine() }
    record.pointee.append(
      HeaderField(
        name: Span(offset: scratch.pointee.nameOffset, count: scratch.pointee.nameCount),
        value: Span(offset: scratch.pointee.valueOffset, count: scratch.pointee.valueCount),
        known: scratch.pointee.known))
    return 0
  }
}

// MARK: - End of the head

extension ParserCore {
  /// What RFC 9112 and the posture of this gateway ask of a whole head. Stops llhttp in any case.
  mutating func headComplete() -> CInt {
    guard let scratch else { return CInt(HPE_USER.rawValue) }
    guard scratch.pointee.sawVersion else { return fail(.version) }
    let verdict = role == .request ? requestFault(scratch) : responseFault(scratch)
    if verdict != .none { return fail(verdict) }
    isAsleep = true
    return CInt(HPE_PAUSED.rawValue)
  }

  private mutating func requestFault(_ scratch: UnsafeMutablePointer<HeadScratch>) -> Fault {
    guard let method = Method(llhttp: llhttp.method) else { return .method }
    record.pointee.method = method
    guard method != .connect, method != .trace else { return .methodUnsupported }
    guard scratch.pointee.target.finish(&record.pointee) else { return .target }
    if scratch.pointee.hostCount == 0, record.pointee.versionMinor > 0 { return .hostMissing }
    if scratch.pointee.hostCount > 0, !scratch.pointee.host.isValid { return .host }
    return framingFault(scratch)
  }

  private mutating func responseFault(_ scratch: UnsafeMutablePointer<HeadScratch>) -> Fault {
    guard llhttp.status_code >= 100 else { return .malformed }
    record.pointee.status = llhttp.status_code
    return framingFault(scratch)
  }

  private func framingFault(_ scratch: UnsafeMutablePointer<HeadScratch>) -> Fault {
    if scratch.pointee.coding.isPresent {
      if scratch.pointee.lengthCount > 0 { return .lengthAndEncoding }
      if scratch.pointee.coding.verdict != .none { return scratch.pointee.coding.verdict }
      if record.pointee.versionMinor == 0 { return .codingVersion }
    }
    if scratch.pointee.lengthCount > 0, !scratch.pointee.length.isValid { return .length }
    return .none
  }

  /// How long the body is (RFC 9112 6.3). Called once, with a head that has no fault.
  func framing() -> Framing {
    let status = record.pointee.status
    if role == .response, bodiless || status < 200 || status == 204 || status == 304 { return .none }
    guard let scratch else { return .none }
    if scratch.pointee.coding.isPresent { return .chunked }
    if scratch.pointee.lengthCount > 0 { return .length(scratch.pointee.length.value) }
    return role == .request ? .none : .untilClose
  }

  /// Whether the connection may be used again after this message (RFC 9112 9.3), its framing apart.
  var keepAlive: Bool {
    if llhttp.flags & UInt16(F_CONNECTION_CLOSE.rawValue) != 0 { return false }
    return record.pointee.versionMinor > 0 || llhttp.flags & UInt16(F_CONNECTION_KEEP_ALIVE.rawValue) != 0
  }
}
