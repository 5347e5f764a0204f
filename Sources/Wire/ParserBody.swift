// The body half of a parser's callbacks: counting payload, walking chunks, bounding what is neither.

import CLLHTTP

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
      needScratch()
      scratch?.pointee.line = .between
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
