// One direction of one HTTP/1 connection: bytes in, a head and the end of its body out. Owned by a connection, reused
// for each of its messages; it keeps no bytes, opens nothing and never waits.
//
//   reset ─▶ parseHead … .complete ─▶ framing ─▶ parseBody … .complete ─▶ reset
//                │                                  │        └ finish() when the peer closes instead
//                └──────── .failed: close the connection ────┘

import CLLHTTP

/// Takes the payload of a body, run by run, without its chunk framing.
public protocol PayloadSink: AnyObject {
  /// `bytes` are lent for the length of the call and never empty. Must not call the parser that calls it.
  func payload(_ bytes: UnsafeRawBufferPointer)
}

/// How the length of a body is known (RFC 9112 6.3).
public enum Framing: Equatable, Sendable {
  /// There is no body.
  case none
  /// So many bytes, possibly 0.
  case length(UInt64)
  /// Chunks, up to one of size 0.
  case chunked
  /// All bytes until the peer closes; responses only.
  case untilClose
}

/// A strict, incremental HTTP/1 parser for one direction of one connection.
///
/// Bytes may come in any split. The caller keeps the head's bytes together, because the head's spans are relative to its
/// first byte: either all came in one read, or the reads were appended to each other. Body bytes are only walked.
///
/// llhttp reads the head without any leniency and walks chunk framing; bodies of known length and those that end with
/// the connection are counted without looking at them.
public final class MessageParser {
  /// What the peer sends.
  public enum Role: UInt8, Sendable {
    case request, response
  }

  /// What `parseHead` found.
  public enum HeadProgress: Equatable, Sendable {
    /// All bytes were taken and the head goes on.
    case more
    /// The head ended after `consumed` bytes of this buffer; what follows is body or the next message.
    case complete(consumed: Int)
    /// The message can not be read. The same answer comes until `reset`.
    case failed(FramingError)
  }

  /// What `parseBody` found.
  public enum BodyProgress: Equatable, Sendable {
    /// All bytes belong to this message, and it goes on.
    case more
    /// The message ended after `consumed` bytes of this buffer; what follows is the next message.
    case complete(consumed: Int)
    /// The framing is broken. Payload that came before may have reached the sink.
    case failed(FramingError)
  }

  /// What the current message's head says.
  public let head: Head
  /// How the body's length is known. Meaningful once the head is complete.
  public private(set) var framing = Framing.none
  /// Whether the connection may carry another message after this one (RFC 9112 9.3). Meaningful once the head is
  /// complete.
  public private(set) var keepAlive = false
  /// Bytes of empty lines that were skipped in front of the head since `reset`; spans do not count them.
  public var headOffset: Int { Int(skipped) }

  private let core: UnsafeMutablePointer<ParserCore>
  private var skipped: UInt8 = 0

  /// Most bytes of empty lines in front of a request line (RFC 9112 2.2 asks for one line at least).
  private static let skippedBytesMax: UInt8 = 8

  /// A parser for messages of one role, ready for the first.
  public init(role: Role, limits: HeadLimits = HeadLimits()) {
    head = Head(fieldCountMax: limits.fieldCountMax)
    core = .allocate(capacity: 1)
    core.initialize(to: ParserCore(role: role, limits: limits, record: head.record))
    initializeLLHTTP()
  }

  deinit {
    core.pointee.releaseScratch()
    core.deallocate()
  }

  private func initializeLLHTTP() {
    // SAFETY: the llhttp state is the core's first member, so both have the same address.
    let state = UnsafeMutableRawPointer(core).assumingMemoryBound(to: llhttp_t.self)
    llhttp_init(state, core.pointee.role == .request ? HTTP_REQUEST : HTTP_RESPONSE, ParserCallbacks.settings)
  }

  @inline(__always)
  private var llhttp: UnsafeMutablePointer<llhttp_t> {
    // SAFETY: as above.
    UnsafeMutableRawPointer(core).assumingMemoryBound(to: llhttp_t.self)
  }

  /// Whether the parser was made for `limits`, as far as heads are concerned.
  public func obeys(_ limits: HeadLimits) -> Bool { core.pointee.obeys(limits) }

  /// Forgets the message: the next byte begins another.
  ///
  /// - Parameter bodiless: the message is a response that has no body whatever its headers say, because it answers HEAD.
  public func reset(bodiless: Bool = false) {
    core.pointee.reset(bodiless: bodiless)
    initializeLLHTTP()
    framing = .none
    keepAlive = false
    skipped = 0
  }

  /// Gives back what only a head needs (some 2 KiB) while a long body is under way. `head` has no lines afterwards; its
  /// start line stays.
  public func releaseHead() {
    guard core.pointee.phase != .head else { return }
    head.record.pointee.releaseTable()
    core.pointee.releaseScratch()
  }

  /// Whether any byte of the head has come. Empty lines in front of a request do not count.
  public var started: Bool { core.pointee.seen > 0 || core.pointee.phase != .head }

  /// Whether the head has been read.
  public var headIsComplete: Bool { core.pointee.phase != .head }

  /// Whether the message is over, be it that it has no body.
  public var isComplete: Bool { core.pointee.phase == .complete }

  /// Payload bytes of the body so far.
  public var payloadCount: UInt64 { core.pointee.payloadCount }

  /// The last four payload bytes, newest in the low byte; zero bytes stand for those that have not come.
  public var payloadTail: UInt32 { core.pointee.payloadTail }

  /// Chunked framing: payload bytes that are missing in the current chunk, 0 inside a size line or behind the last
  /// chunk. Nil exactly where a chunk of one's own may be put into the stream. Other framings: bytes missing in all, or
  /// nil when the connection's end is the body's end.
  public var chunkRemaining: UInt64? {
    switch framing {
    case .chunked:
      // At the beginning nothing has been walked; later the chunk's own CR LF has.
      let atStart = core.pointee.payloadCount == 0 && core.pointee.framingRun == 0 && core.pointee.isAsleep
      let atEnd = core.pointee.payloadCount > 0 && core.pointee.framingRun == 2
      if core.pointee.chunkState == .size, atStart || atEnd { return nil }
      return core.pointee.chunkState == .payload ? core.pointee.remaining : 0
    case .length, .none: return core.pointee.remaining
    case .untilClose: return nil
    }
  }
}

// MARK: - Head

extension MessageParser {
  /// Feeds bytes until the head is complete. Stops right behind its last byte.
  public func parseHead(_ bytes: UnsafeRawBufferPointer) -> HeadProgress {
    if core.pointee.fault != .none { return .failed(core.pointee.fault.error(core.pointee.role)) }
    guard core.pointee.phase == .head else { return .complete(consumed: 0) }
    guard var skip = skipEmptyLines(bytes) else { return .failed(core.pointee.fault.error(core.pointee.role)) }
    guard skip < bytes.count, let start = bytes.baseAddress else { return .more }

    let available = bytes.count - skip
    let room = Int(core.pointee.headBytesMax) - Int(core.pointee.seen)
    let feed = min(available, room)
    // SAFETY: `start + skip` and the `feed` bytes behind it lie in the caller's buffer, which outlives the call.
    let first = start + skip
    core.pointee.buffer = first
    core.pointee.bufferEnd = first + feed
    head.base = core.pointee.seen == 0 ? first : nil
    core.pointee.needScratch()
    let result = llhttp_execute(llhttp, first.assumingMemoryBound(to: CChar.self), feed)
    if core.pointee.fault == .none {
      switch result {
      case HPE_PAUSED where core.pointee.isAsleep:
        let end = UnsafeRawPointer(llhttp_get_error_pos(llhttp)) ?? first
        skip += min(max(end - first, 0), feed)
        endHead(count: core.pointee.seen &+ UInt32(clamping: end - first))
        return .complete(consumed: skip)
      case HPE_OK:
        keepTail(UnsafeRawBufferPointer(start: first, count: feed))
        core.pointee.seen &+= UInt32(clamping: feed)
        head.record.pointee.byteCount = core.pointee.seen
        if feed == available { return .more }
        core.pointee.fault = .headTooLong
      default:
        core.pointee.fault = headFault(result)
      }
    }
    return .failed(core.pointee.fault.error(core.pointee.role))
  }

  /// Skips CR LF pairs in front of a request line and returns how many bytes; nil when they are not pairs or too many,
  /// or stand in front of a status line, where llhttp would skip any number of them.
  private func skipEmptyLines(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard core.pointee.seen == 0 else { return 0 }
    guard core.pointee.role == .request else {
      guard bytes.first == ASCII.cr || bytes.first == ASCII.lf else { return 0 }
      core.pointee.fault = .malformed
      return nil
    }
    var count = 0
    for byte in bytes {
      let expected = skipped & 1 == 0 ? ASCII.cr : ASCII.lf
      guard byte == expected else {
        if skipped & 1 == 0, byte != ASCII.lf { break }
        core.pointee.fault = .lineEnd
        return nil
      }
      guard skipped < Self.skippedBytesMax else {
        core.pointee.fault = .blankLines
        return nil
      }
      skipped &+= 1
      count &+= 1
    }
    return count
  }

  /// Remembers what lies in front of the next buffer for `ParserCore.versionPiece`.
  private func keepTail(_ bytes: UnsafeRawBufferPointer) {
    guard let scratch = core.pointee.scratch, !scratch.pointee.sawVersion else { return }
    for byte in bytes.suffix(8) { scratch.pointee.lineTail = scratch.pointee.lineTail << 8 | UInt64(byte) }
  }

  private func endHead(count: UInt32) {
    head.record.pointee.byteCount = count
    framing = core.pointee.framing()
    keepAlive = core.pointee.keepAlive && framing != .untilClose
    switch framing {
    case .none, .length(0):
      core.pointee.phase = .complete
    case .length(let count):
      core.pointee.remaining = count
      core.pointee.phase = .body
    case .chunked, .untilClose:
      core.pointee.phase = .body
    }
  }

  /// What llhttp's own complaint means. Where our checks know better, they are asked.
  private func headFault(_ result: llhttp_errno_t) -> Fault {
    // What llhttp takes for the first header line of an HTTP/0.9 request is most often something else.
    if core.pointee.llhttp.http_major == 0, core.pointee.llhttp.http_minor == 9 { return .version }
    let hasLength = (core.pointee.scratch?.pointee.lengthCount ?? 0) > 0
    let hasCoding = core.pointee.scratch?.pointee.coding.isPresent ?? false
    return switch result {
    case HPE_INVALID_METHOD: .method
    case HPE_PAUSED_H2_UPGRADE: .preface
    // llhttp says the same of a version it does not know and of one that no line end follows.
    case HPE_INVALID_VERSION:
      core.pointee.llhttp.http_major == 1 && core.pointee.llhttp.http_minor <= 1 ? .lineEnd : .version
    case HPE_INVALID_URL: .target
    case HPE_CR_EXPECTED, HPE_LF_EXPECTED: .lineEnd
    case HPE_INVALID_HEADER_TOKEN, HPE_UNEXPECTED_SPACE: .field
    // It complains of the second line before that one is counted.
    case HPE_INVALID_CONTENT_LENGTH, HPE_UNEXPECTED_CONTENT_LENGTH:
      if hasCoding { .lengthAndEncoding } else { result == HPE_INVALID_CONTENT_LENGTH ? .length : .lengthRepeated }
    case HPE_INVALID_TRANSFER_ENCODING: hasLength ? .lengthAndEncoding : .codingOrder
    default: .malformed
    }
  }
}

// MARK: - Body

extension MessageParser {
  /// Walks bytes behind the head. Stops at the end of the message, so that what follows stays for the next one.
  ///
  /// - Parameter sink: gets the payload, if anybody wants it. Without one, bodies that are not chunked cost the same
  ///   whatever their length.
  public func parseBody(_ bytes: UnsafeRawBufferPointer, to sink: (any PayloadSink)? = nil) -> BodyProgress {
    if core.pointee.fault != .none { return .failed(core.pointee.fault.error(core.pointee.role)) }
    switch core.pointee.phase {
    case .head: return .failed(Fault.malformed.error(core.pointee.role))
    case .complete: return .complete(consumed: 0)
    case .body, .trailers: break
    }
    guard !bytes.isEmpty else { return .more }
    guard let sink else {
      core.pointee.sink = nil
      return walk(bytes)
    }
    return withUnsafePointer(to: sink) { pointer in
      core.pointee.sink = pointer
      defer { core.pointee.sink = nil }
      return walk(bytes)
    }
  }

  /// Bytes of a body of known length that are still to come, where they may as well go by unseen (`passBody`).
  public var lengthLeft: UInt64? {
    guard core.pointee.fault == .none, core.pointee.phase == .body, case .length = framing else { return nil }
    return core.pointee.remaining
  }

  /// Counts `count` bytes of a body of known length that went by without being seen here. `payloadTail` knows nothing of
  /// them. More than `lengthLeft` are counted as so many.
  public func passBody(_ count: Int) {
    guard let left = lengthLeft else { return }
    let passed = min(left, UInt64(max(count, 0)))
    core.pointee.remaining = left - passed
    core.pointee.payloadCount &+= passed
    core.pointee.payloadTail = 0
    if passed == left { core.pointee.phase = .complete }
  }

  private func walk(_ bytes: UnsafeRawBufferPointer) -> BodyProgress {
    switch framing {
    case .none: return .complete(consumed: 0)
    case .untilClose:
      core.pointee.payload(bytes)
      return .more
    case .length:
      let count = Int(clamping: min(core.pointee.remaining, UInt64(bytes.count)))
      core.pointee.remaining -= UInt64(count)
      core.pointee.payload(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
      guard core.pointee.remaining == 0 else { return .more }
      core.pointee.phase = .complete
      return .complete(consumed: count)
    case .chunked:
      return walkChunks(bytes)
    }
  }

  private func walkChunks(_ bytes: UnsafeRawBufferPointer) -> BodyProgress {
    guard let first = bytes.baseAddress else { return .more }
    // Offsets inside a buffer are kept in 32 bits; nobody reads more than a few hundred KiB at once.
    guard bytes.count <= Int(Int32.max) else { return .failed(Fault.malformed.error(core.pointee.role)) }
    // SAFETY: `first` is valid for the buffer's count, and the buffer outlives the call.
    core.pointee.buffer = first
    core.pointee.bufferEnd = first + bytes.count
    core.pointee.payloadEnd = 0
    if core.pointee.isAsleep {
      core.pointee.isAsleep = false
      llhttp_resume(llhttp)
    }
    let result = llhttp_execute(llhttp, first.assumingMemoryBound(to: CChar.self), bytes.count)
    if core.pointee.fault == .none {
      switch result {
      case HPE_OK:
        if endRun(at: bytes.count) { return .more }
      case HPE_PAUSED where core.pointee.phase == .complete:
        let end = UnsafeRawPointer(llhttp_get_error_pos(llhttp)) ?? first
        let consumed = min(max(end - first, 0), bytes.count)
        if endRun(at: consumed) { return .complete(consumed: consumed) }
      default:
        core.pointee.fault = core.pointee.phase == .trailers ? headFault(result) : .chunkSize
      }
    }
    return .failed(core.pointee.fault.error(core.pointee.role))
  }

  /// Adds the framing bytes at the buffer's end to the run; false when the run is too long.
  private func endRun(at position: Int) -> Bool {
    let position = UInt32(clamping: position)
    guard core.pointee.checkRun(position) == 0 else { return false }
    core.pointee.framingRun &+= position &- core.pointee.payloadEnd
    return true
  }

  /// The peer closed. True when that is how this message legally ends (RFC 9112 8), or it had ended already; false when
  /// the message was cut. Ask `started` first: a connection that closes between messages is not a cut.
  public func finish() -> Bool {
    guard core.pointee.fault == .none else { return false }
    if core.pointee.phase == .body, framing == .untilClose { core.pointee.phase = .complete }
    return core.pointee.phase == .complete
  }
}

@available(*, unavailable)
extension MessageParser: Sendable {}
