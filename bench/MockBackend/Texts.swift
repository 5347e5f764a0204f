// The bytes a profile is made of: streams and answers as the settings want them, lies included. Made once per profile.

import Stamp
import Wire

/// Pieces of a stream.
enum StreamTexts {
  /// One event in a chunk of its own, and where its stamp begins.
  static func slot(_ settings: MockSettings) -> (bytes: [UInt8], stampOffset: Int) {
    let stamp = [UInt8](unsafeUninitializedCapacity: Stamp.byteCount) { room, count in
      Stamp(number: 0, count: UInt32(clamping: settings.events), sentAt: 0).write(
        to: UnsafeMutableRawBufferPointer(room))
      count = Stamp.byteCount
    }
    let filler = filler(settings, count: settings.eventBytes - Texts.eventBytesMin)
    let event =
      Profile.bytes { $0.write(Texts.eventFront) } + stamp + filler + Profile.bytes { $0.write(Texts.eventBack) }
    let chunk = framed(event)
    return (chunk, chunk.count - event.count - 2 + Texts.eventFront.utf8CodeUnitCount)
  }

  /// What comes behind the last event.
  static func tail(_ settings: MockSettings, usage: Bool) -> [UInt8] {
    switch settings.lie {
    case .cut, .stall: return []
    // No hexadecimal number.
    case .framing: return Array("zz\r\n".utf8)
    default: break
    }
    var tail = framed(Profile.bytes { $0.write(Texts.finishEvent) })
    if usage {
      tail += framed(
        Profile.bytes {
          $0.write(Texts.usageEventFront)
          $0.writeDecimal(UInt64(settings.events))
          $0.write(",\"total_tokens\":")
          $0.writeDecimal(UInt64(settings.events + 8))
          $0.write("}}\n\n")
        })
    }
    if settings.lie != .noDone { tail += framed(Profile.bytes { $0.write(Texts.doneEvent) }) }
    return tail + Profile.bytes { $0.write(ChunkedWriter.last) }
  }

  private static func framed(_ payload: [UInt8]) -> [UInt8] {
    Profile.bytes {
      $0.writeHex(UInt64(payload.count))
      $0.write("\r\n")
    } + payload + [0x0d, 0x0a]
  }

  /// Filler of `count` bytes; with one wrong byte if the settings want it.
  static func filler(_ settings: MockSettings, count: Int) -> [UInt8] {
    var filler = [UInt8](repeating: 0, count: max(count, 0))
    filler.withUnsafeMutableBytes { Filler.fill($0) }
    if settings.lie == .garble, !filler.isEmpty { filler[filler.count / 2] = UInt8(ascii: "!") }
    return filler
  }
}

/// Pieces of an answer that is no stream.
struct AnswerTexts {
  /// The head, and the body as far as it is kept.
  let front: [UInt8]
  /// Filler of the whole answer, and how much of it lies in `front`.
  let fillerCount: Int
  let keptFiller: Int
  /// What comes behind the filler; empty when it lies in `front` already.
  let back: [UInt8]

  init(_ settings: MockSettings, keptBytesMax: Int) {
    if case .status(let status) = settings.lie {
      front = Self.message(status: status, Array(Self.failure.utf8))
      fillerCount = 0
      keptFiller = 0
      back = []
      return
    }
    fillerCount = max(Texts.fillerCount(answerBytes: settings.answerBytes) - (settings.lie == .short ? 1 : 0), 0)
    keptFiller = min(fillerCount, keptBytesMax)
    let length = Texts.answerBytesMin + fillerCount
    let head = Profile.bytes {
      $0.statusLine(200)
      $0.field("Content-Type", "application/json")
      $0.field("Content-Length", UInt64(length))
      $0.endHead()
      $0.write(Texts.answerFront)
    }
    var back = Profile.bytes { $0.write(Texts.answerBack) }
    if settings.lie == .framing { back.append(UInt8(ascii: "!")) }
    let isWhole = keptFiller == fillerCount
    front = head + StreamTexts.filler(settings, count: keptFiller) + (isWhole ? back : [])
    self.back = isWhole ? [] : back
  }

  /// A whole JSON message.
  static func message(status: Int, _ body: [UInt8]) -> [UInt8] {
    Profile.bytes {
      $0.statusLine(status)
      $0.field("Content-Type", "application/json")
      $0.field("Content-Length", UInt64(body.count))
      $0.endHead()
    } + body
  }

  private static let failure =
    #"{"error":{"message":"This mock was asked to fail.","type":"server_error","param":null,"code":null}}"#
}
