// The words a parser works on while llhttp calls back, at a fixed address so that a callback finds them from the llhttp
// state alone: no class reference, no retain, no exclusivity check per header. Owned by MessageParser, see there for use.
// What is needed only while a head is read is in HeadScratch, so that a stream under way does not hold it.

import CLLHTTP

/// State of one message. The llhttp state must stay the first member: callbacks get its address and mean this one's.
struct ParserCore {
  enum Phase: UInt8 {
    case head, body, trailers, complete
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
  /// Nil while a long body is under way; see `MessageParser.releaseHead`.
  var scratch: UnsafeMutablePointer<HeadScratch>?

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
    let bounds = Bounds(limits)
    headBytesMax = bounds.head
    targetBytesMax = bounds.target
    sizeLineBytesMax = bounds.sizeLine
    trailerBytesMax = bounds.trailers
  }

  /// Limits as the parser compares them.
  private struct Bounds {
    let head, target, sizeLine, trailers: UInt32

    init(_ limits: HeadLimits) {
      head = UInt32(clamping: max(limits.headBytesMax, 16))
      target = UInt32(clamping: max(limits.targetBytesMax, 1))
      // CR LF of the chunk before, sixteen digits of size with some leading zeros, CR LF.
      sizeLine = UInt32(clamping: min(max(limits.chunkExtensionBytesMax, 0), 1 << 30) + 36)
      trailers = UInt32(clamping: min(max(limits.trailerBytesMax, 0), 1 << 30) + 4)
    }
  }

  /// Whether the core was made for `limits`.
  func obeys(_ limits: HeadLimits) -> Bool {
    let bounds = Bounds(limits)
    return bounds.head == headBytesMax && bounds.target == targetBytesMax && bounds.sizeLine == sizeLineBytesMax
      && bounds.trailers == trailerBytesMax && record.pointee.allows(fieldCount: limits.fieldCountMax)
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
    if let scratch { scratch.pointee = HeadScratch() }
    phase = .head
    fault = .none
    chunkState = .size
    isAsleep = false
    self.bodiless = bodiless
  }

  /// Memory for a head or for trailers, which are rare enough to allocate for.
  @inline(__always)
  mutating func needScratch() {
    guard scratch == nil else { return }
    let room = UnsafeMutablePointer<HeadScratch>.allocate(capacity: 1)
    room.initialize(to: HeadScratch())
    scratch = room
  }

  mutating func releaseScratch() {
    // HeadScratch is trivial: there is nothing to deinitialise.
    scratch?.deallocate()
    scratch = nil
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

/// What a parser remembers of a head until it is complete.
struct HeadScratch {
  enum Line: UInt8 {
    case between, name, value
  }

  /// A name that is split between two buffers is collected here, to be classified.
  var carry: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
  /// The last eight bytes in front of the buffer while the request line is read.
  var lineTail: UInt64 = 0
  var length = ContentLengthCheck()
  var target = TargetCheck()
  var nameOffset: UInt32 = 0
  var nameCount: UInt32 = 0
  var valueOffset: UInt32 = 0
  /// Bytes of the value so far, with and without trailing blanks.
  var valueRaw: UInt32 = 0
  var valueCount: UInt32 = 0
  var coding = TransferCodingCheck()
  var host = HostCheck()
  var hostCount: UInt8 = 0
  var lengthCount: UInt8 = 0
  var carryCount: UInt8 = 0
  var known = KnownHeader.other
  var line = Line.between
  var sawVersion = false
  var sawTarget = false

  /// Keeps a piece of a name that may go on in the next buffer.
  mutating func keepName(_ bytes: UnsafeRawBufferPointer) {
    withUnsafeMutableBytes(of: &carry) { room in
      for byte in bytes where Int(carryCount) < room.count {
        room[Int(carryCount)] = byte
        carryCount &+= 1
      }
    }
  }

  /// What the kept name is the name of.
  var keptName: KnownHeader {
    let count = Int(nameCount)
    return withUnsafeBytes(of: carry) { room in
      guard count <= KnownHeader.nameBytesMax, let base = room.baseAddress else { return .other }
      return KnownHeader.classify(base, count: count)
    }
  }
}
