// The words a parser works on while llhttp calls back, at a fixed address so that a callback finds them from the llhttp
// state alone: no class reference, no retain, no exclusivity check per header. Owned by MessageParser, see there for use.

import CLLHTTP

/// State of one message. The llhttp state must stay the first member: callbacks get its address and mean this one's.
struct ParserCore {
  enum Phase: UInt8 {
    case head, body, trailers, complete
  }

  enum Line: UInt8 {
    case between, name, value
  }

  enum ChunkState: UInt8 {
    /// In front of a chunk's size, or inside it.
    case size
    /// Inside a chunk's payload or at its end.
    case payload
    /// Behind the last chunk's size line.
    case last
  }

  var llhttp = llhttp_t()
  let record: UnsafeMutablePointer<HeadRecord>

  // Of the call in progress only.
  var buffer: UnsafeRawPointer
  var bufferEnd: UnsafeRawPointer
  var sink: UnsafePointer<any PayloadSink>?

  // Body.
  var remaining: UInt64 = 0
  var payloadCount: UInt64 = 0
  var payloadTail: UInt32 = 0
  /// Framing bytes since the last payload byte, up to the beginning of `buffer`.
  var framingRun: UInt32 = 0
  /// Where the last payload run ended in `buffer`; 0 when it has none yet.
  var payloadEnd: UInt32 = 0

  // Bounds, see HeadLimits.
  let headBytesMax: UInt32
  let targetBytesMax: UInt32
  let sizeLineBytesMax: UInt32
  let trailerBytesMax: UInt32

  // Head.
  /// Bytes of the head in front of `buffer`.
  var seen: UInt32 = 0
  var nameOffset: UInt32 = 0
  var nameCount: UInt32 = 0
  var valueOffset: UInt32 = 0
  /// Bytes of the value so far, with and without trailing blanks.
  var valueRaw: UInt32 = 0
  var valueCount: UInt32 = 0
  /// A name that is split between two buffers is collected here, to be classified.
  var carry: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
  /// The last eight bytes in front of `buffer` while the request line is read.
  var lineTail: UInt64 = 0
  var length = ContentLengthCheck()
  var target = TargetCheck()
  var coding = TransferCodingCheck()
  var host = HostCheck()
  var hostCount: UInt8 = 0
  var lengthCount: UInt8 = 0
  var carryCount: UInt8 = 0
  var known = KnownHeader.other
  var line = Line.between
  var sawVersion = false
  var sawTarget = false

  let role: MessageParser.Role
  var phase = Phase.head
  var fault = Fault.none
  var chunkState = ChunkState.size
  /// llhttp was stopped behind the head and has to be woken before it walks chunks.
  var isAsleep = false
  var bodiless = false

  init(role: MessageParser.Role, limits: HeadLimits, record: UnsafeMutablePointer<HeadRecord>) {
    self.role = role
    self.record = record
    buffer = UnsafeRawPointer(record)
    bufferEnd = buffer
    headBytesMax = UInt32(clamping: max(limits.headBytesMax, 16))
    targetBytesMax = UInt32(clamping: max(limits.targetBytesMax, 1))
    // CR LF of the chunk before, sixteen digits of size with some leading zeros, CR LF.
    sizeLineBytesMax = UInt32(clamping: min(max(limits.chunkExtensionBytesMax, 0), 1 << 30) + 36)
    trailerBytesMax = UInt32(clamping: min(max(limits.trailerBytesMax, 0), 1 << 30) + 4)
  }

  /// Ready for the next message; limits and role stay.
  mutating func reset(bodiless: Bool) {
    record.pointee.reset()
    remaining = 0
    payloadCount = 0
    payloadTail = 0
    framingRun = 0
    payloadEnd = 0
    seen = 0
    nameCount = 0
    lineTail = 0
    length = ContentLengthCheck()
    target = TargetCheck()
    coding = TransferCodingCheck()
    host = HostCheck()
    hostCount = 0
    lengthCount = 0
    carryCount = 0
    line = .between
    sawVersion = false
    sawTarget = false
    phase = .head
    fault = .none
    chunkState = .size
    isAsleep = false
    self.bodiless = bodiless
  }

  /// Notes the first fault and stops llhttp.
  @inline(__always)
  mutating func fail(_ fault: Fault) -> CInt {
    if self.fault == .none { self.fault = fault }
    return CInt(HPE_USER.rawValue)
  }

  @inline(__always)
  func offset(_ at: UnsafeRawPointer) -> UInt32 {
    // Heads are bounded by headBytesMax, which is a UInt32.
    seen &+ UInt32(truncatingIfNeeded: at - buffer)
  }
}

// MARK: - Start line

extension ParserCore {
  mutating func methodPiece(_ bytes: UnsafeRawBufferPointer, at: UnsafeRawPointer) -> CInt {
    if record.pointee.methodSpan.isEmpty { record.pointee.methodSpan.offset = offset(at) }
    record.pointee.methodSpan.count &+= UInt32(truncatingIfNeeded: bytes.count)
    return 0
  }

  mutating func targetPiece(_ bytes: UnsafeRawBufferPointer, at: UnsafeRawPointer) -> CInt {
    if !sawTarget {
      sawTarget = true
      record.pointee.target.offset = offset(at)
    }
    target.feed(bytes)
    record.pointee.target.count = target.count
    return target.count > targetBytesMax ? fail(.targetTooLong) : 0
  }

  /// llhttp takes `GET / RTSP/1.0` for a request of another protocol and any number of spaces for one. We do not.
  mutating func versionPiece(at: UnsafeRawPointer) -> CInt {
    guard !sawVersion else { return 0 }
    sawVersion = true
    guard role == .request else { return 0 }
    let record = record.pointee
    if record.target.offset != record.methodSpan.end &+ 1 || offset(at) != record.target.end &+ 6 {
      return fail(.spacing)
    }
    var before = lineTail
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
    if line != .name {
      if phase == .head {
        // HTTP/0.9 has no version to complain about earlier, and no header lines.
        if !sawVersion { return fail(.version) }
        if record.pointee.fieldCount >= record.pointee.fieldCountMax { return fail(.tooManyFields) }
      }
      line = .name
      nameOffset = phase == .head ? offset(at) : 0
      nameCount = 0
      carryCount = 0
    }
    nameCount &+= UInt32(truncatingIfNeeded: bytes.count)
    // A name that ends where the buffer ends goes on in the next one.
    if carryCount > 0 || at + bytes.count == bufferEnd { keepName(bytes) }
    if carryCount == 0 { known = KnownHeader.classify(at, count: bytes.count) }
    return 0
  }

  private mutating func keepName(_ bytes: UnsafeRawBufferPointer) {
    withUnsafeMutableBytes(of: &carry) { room in
      for byte in bytes where Int(carryCount) < room.count {
        room[Int(carryCount)] = byte
        carryCount &+= 1
      }
    }
  }

  /// Called with the first piece of a value, or at the end of a line without one.
  @inline(__always)
  private mutating func endName() -> CInt {
    if carryCount > 0 {
      let count = Int(nameCount)
      known = withUnsafeBytes(of: carry) { room in
        guard count <= KnownHeader.nameBytesMax, let base = room.baseAddress else { return .other }
        return KnownHeader.classify(base, count: count)
      }
    }
    line = .value
    valueOffset = 0
    valueRaw = 0
    valueCount = 0
    if phase == .trailers {
      switch known {
      case .contentLength, .transferEncoding, .host, .connection, .trailer, .te, .upgrade, .authorization, .expect:
        return fail(.trailerField)
      default: return 0
      }
    }
    switch known {
    case .contentLength:
      lengthCount = min(lengthCount &+ 1, 2)
      if lengthCount > 1 { return fail(.lengthRepeated) }
    case .host:
      hostCount = min(hostCount &+ 1, 2)
      if hostCount > 1, role == .request { return fail(.hostRepeated) }
    default: break
    }
    return 0
  }

  @inline(__always)
  mutating func valuePiece(_ bytes: UnsafeRawBufferPointer, at: UnsafeRawPointer) -> CInt {
    if line != .value {
      let result = endName()
      if result != 0 { return result }
      if phase == .head { valueOffset = offset(at) }
    }
    guard phase == .head else { return 0 }
    var count = bytes.count
    while count > 0, ASCII.isBlank(bytes[count &- 1]) { count &-= 1 }
    if count > 0 { valueCount = valueRaw &+ UInt32(truncatingIfNeeded: count) }
    valueRaw &+= UInt32(truncatingIfNeeded: bytes.count)
    switch known {
    case .contentLength: length.feed(bytes)
    case .transferEncoding: coding.feed(bytes)
    case .host: host.feed(bytes)
    default: break
    }
    return 0
  }

  @inline(__always)
  mutating func valueComplete() -> CInt {
    if line != .value {
      let result = endName()
      if result != 0 { return result }
    }
    line = .between
    guard phase == .head else { return 0 }
    if known == .transferEncoding { coding.endLine() }
    record.pointee.append(
      HeaderField(
        name: Span(offset: nameOffset, count: nameCount), value: Span(offset: valueOffset, count: valueCount),
        known: known))
    return 0
  }
}

// MARK: - End of the head

extension ParserCore {
  /// What RFC 9112 and the posture of this gateway ask of a whole head. Stops llhttp in any case.
  mutating func headComplete() -> CInt {
    guard sawVersion else { return fail(.version) }
    let verdict = role == .request ? requestFault() : responseFault()
    if verdict != .none { return fail(verdict) }
    isAsleep = true
    return CInt(HPE_PAUSED.rawValue)
  }

  private mutating func requestFault() -> Fault {
    guard let method = Method(llhttp: llhttp.method) else { return .method }
    record.pointee.method = method
    guard method != .connect, method != .trace else { return .methodUnsupported }
    guard target.finish(&record.pointee) else { return .target }
    if hostCount == 0, record.pointee.versionMinor > 0 { return .hostMissing }
    if hostCount > 0, !host.isValid { return .host }
    return framingFault()
  }

  private mutating func responseFault() -> Fault {
    guard llhttp.status_code >= 100 else { return .malformed }
    record.pointee.status = llhttp.status_code
    return framingFault()
  }

  private func framingFault() -> Fault {
    if coding.isPresent {
      if lengthCount > 0 { return .lengthAndEncoding }
      if coding.verdict != .none { return coding.verdict }
      if record.pointee.versionMinor == 0 { return .codingVersion }
    }
    if lengthCount > 0, !length.isValid { return .length }
    return .none
  }

  /// How long the body is (RFC 9112 6.3). Called once, with a head that has no fault.
  var framing: Framing {
    let status = record.pointee.status
    if role == .response, bodiless || status < 200 || status == 204 || status == 304 { return .none }
    if coding.isPresent { return .chunked }
    if lengthCount > 0 { return .length(length.value) }
    return role == .request ? .none : .untilClose
  }

  /// Whether the connection may be used again after this message (RFC 9112 9.3), its framing apart.
  var keepAlive: Bool {
    if llhttp.flags & UInt16(F_CONNECTION_CLOSE.rawValue) != 0 { return false }
    return record.pointee.versionMinor > 0 || llhttp.flags & UInt16(F_CONNECTION_KEEP_ALIVE.rawValue) != 0
  }
}

// MARK: - Body

extension ParserCore {
  /// Counts and hands on a run of payload.
  @inline(__always)
  mutating func payload(_ run: UnsafeRawBufferPointer) {
    payloadCount &+= UInt64(truncatingIfNeeded: run.count)
    if run.count >= 4 {
      // SAFETY: four bytes in front of the run's end exist.
      payloadTail = UInt32(bigEndian: run.loadUnaligned(fromByteOffset: run.count &- 4, as: UInt32.self))
    } else {
      for byte in run { payloadTail = payloadTail << 8 | UInt32(byte) }
    }
    // SAFETY: `sink` points to the parameter of the parseBody call this happens in.
    if let sink { sink.pointee.payload(run) }
  }

  /// Framing bytes between the last payload byte and `position` (an offset in `buffer`), within their bound or not.
  @inline(__always)
  mutating func checkRun(_ position: UInt32) -> CInt {
    let run = framingRun &+ (position &- payloadEnd)
    guard chunkState == .last else { return run > sizeLineBytesMax ? fail(.chunkExtensions) : 0 }
    return run > sizeLineBytesMax &+ trailerBytesMax ? fail(.trailersTooLong) : 0
  }

  mutating func chunkHead() -> CInt {
    let size = llhttp.content_length
    guard size <= UInt64(Int64.max) else { return fail(.chunkSize) }
    remaining = size
    if size == 0 {
      chunkState = .last
      phase = .trailers
      line = .between
    } else {
      chunkState = .payload
    }
    return 0
  }

  @inline(__always)
  mutating func chunkPayload(_ run: UnsafeRawBufferPointer, at: UnsafeRawPointer) -> CInt {
    let start = UInt32(truncatingIfNeeded: at - buffer)
    if start != payloadEnd || framingRun > 0 {
      let run = framingRun &+ (start &- payloadEnd)
      if run > sizeLineBytesMax { return fail(.chunkExtensions) }
    }
    framingRun = 0
    payloadEnd = start &+ UInt32(truncatingIfNeeded: run.count)
    remaining -= min(remaining, UInt64(run.count))
    payload(run)
    return 0
  }

  mutating func chunkComplete() -> CInt {
    if chunkState == .payload { chunkState = .size }
    return 0
  }

  mutating func messageComplete() -> CInt {
    phase = .complete
    return CInt(HPE_PAUSED.rawValue)
  }
}
