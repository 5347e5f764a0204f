// Everything that can be known about an answer before it is asked for, as bytes ready to be sent. Made once for each
// distinct `x-mock`, shared by all connections of a server; sending a batch of events patches digits and copies nothing.

import Bytes
import Stamp
import Wire

/// Prepared answers for one set of settings.
final class Profile {
  let settings: MockSettings
  /// Head of a stream.
  let streamHead: Chunk
  /// Events that are sent: what the settings say, unless they lie.
  let eventCount: Int
  /// Bytes of one event in its chunk.
  let slotBytes: Int
  /// An answer that is no stream: its head and as much of it as is kept.
  let answerFront: Chunk
  /// Whether that is all of it.
  let isWhole: Bool
  /// Filler between front and back, and how much lies in the front.
  let answerFillerCount: Int
  let answerFillerOffset: Int
  let answerBack: Chunk
  /// A batch of events, each in its chunk; numbers and time are patched before each write.
  private let batch: UnsafeMutableRawBufferPointer
  /// Where the stamp begins in a slot.
  private let stampOffset: Int
  private let plainTail: Chunk
  private let usageTail: Chunk

  init(_ settings: MockSettings) {
    self.settings = settings
    eventCount = settings.lie.count(of: settings.events)
    streamHead = Self.chunk(
      Self.bytes {
        $0.statusLine(200)
        $0.field("Content-Type", "text/event-stream; charset=utf-8")
        $0.field("Cache-Control", "no-cache")
        $0.field("Transfer-Encoding", "chunked")
        $0.endHead()
      })
    plainTail = Self.chunk(StreamTexts.tail(settings, usage: false))
    usageTail = Self.chunk(StreamTexts.tail(settings, usage: true))

    let slot = StreamTexts.slot(settings)
    slotBytes = slot.bytes.count
    stampOffset = slot.stampOffset
    batch = .allocate(byteCount: slotBytes * settings.batch, alignment: 64)
    for index in 0..<settings.batch {
      let place = UnsafeMutableRawBufferPointer(rebasing: batch[(index * slotBytes)..<((index + 1) * slotBytes)])
      slot.bytes.withUnsafeBytes { place.copyMemory(from: $0) }
    }

    let answer = AnswerTexts(settings, keptBytesMax: Self.keptBytesMax)
    answerFront = Self.chunk(answer.front)
    answerFillerOffset = answer.keptFiller
    answerFillerCount = answer.fillerCount - answer.keptFiller
    answerBack = Self.chunk(answer.back)
    isWhole = answer.back.isEmpty
  }

  deinit { batch.deallocate() }

  /// Bytes of an answer that is no stream, head included.
  var answerCount: Int { answerFront.count &+ answerFillerCount &+ answerBack.count }

  /// Prepares `count` events from `position` (from 0) on, sent at `sentAt`, and lends them until the next call.
  func render(position: Int, count: Int, sentAt: UInt64) -> UnsafeRawBufferPointer {
    let count = min(max(count, 0), settings.batch)
    var offset = stampOffset
    for index in 0..<count {
      let number = settings.lie == .none ? position &+ index &+ 1 : settings.lie.number(at: position &+ index &+ 1)
      Digits.write(UInt64(number), width: 8, to: batch, at: offset &+ Stamp.numberOffset)
      if index == 0 {
        Digits.write(sentAt, width: 19, to: batch, at: offset &+ Stamp.sentAtOffset)
      } else {
        // The digits of the time are those of the slot in front: copied, not computed.
        for word in [0, 8, 11] {
          let from = batch.loadUnaligned(fromByteOffset: stampOffset &+ Stamp.sentAtOffset &+ word, as: UInt64.self)
          batch.storeBytes(of: from, toByteOffset: offset &+ Stamp.sentAtOffset &+ word, as: UInt64.self)
        }
      }
      offset &+= slotBytes
    }
    return UnsafeRawBufferPointer(rebasing: batch[..<(count &* slotBytes)])
  }

  /// What ends a stream.
  func tail(usage: Bool) -> Chunk { usage ? usageTail : plainTail }

  /// What `write` writes, which is at most 4 KiB.
  static func bytes(_ write: (inout HeadWriter) -> Void) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 4096) { room, count in
      var writer = HeadWriter(UnsafeMutableRawBufferPointer(room))
      write(&writer)
      count = writer.count
    }
  }

  static func chunk(_ bytes: [UInt8]) -> Chunk { bytes.withUnsafeBytes { Chunk(copying: $0) } }

  /// Content of an answer that is kept ready behind its head, so that usual answers are one piece.
  private static let keptBytesMax = 65_536
}
