// Reads answers in one piece, one at a time: counts them, compares a mock backend's filler with what it must be, and
// keeps the beginning of those that somebody has to read. Owned by a connection.

import Stamp
import Wire

/// A checker of bodies.
final class BodyReader: PayloadSink {
  private enum Place {
    /// The content has not begun, as far as is known.
    case front
    case filler
    /// The content is over, or is no mock's.
    case back
  }

  private let expected: AnswerShape
  private var place = Place.front
  /// The body up to its content, when that does not come in one run.
  private var front: [UInt8] = []
  private var filler = 0
  private var faults: Faults = []
  private var keptMax = 0
  /// The first bytes of the body, as many as were asked for.
  private(set) var kept: [UInt8] = []

  init(expected: AnswerShape) { self.expected = expected }

  /// An answer begins, of which the first `count` bytes are to be kept.
  func begin(keeping count: Int) {
    place = .front
    front.removeAll(keepingCapacity: true)
    kept.removeAll(keepingCapacity: true)
    keptMax = count
    filler = 0
    faults = []
  }

  /// The answer is over: what was wrong with it.
  func end() -> Faults {
    guard expected.isMock == true else { return faults }
    if place == .front || filler != expected.answerFiller ?? filler { faults.insert(.bytes) }
    if expected.answerFiller == nil, faults.isEmpty { expected.answerFiller = filler }
    return faults
  }

  func payload(_ bytes: UnsafeRawBufferPointer) {
    if keptMax > kept.count { kept.append(contentsOf: bytes.prefix(keptMax &- kept.count)) }
    switch place {
    case .front: readFront(bytes)
    case .filler: readContent(bytes)
    case .back: break
    }
  }

  private func readFront(_ bytes: UnsafeRawBufferPointer) {
    guard expected.isMock != false else {
      place = .back
      return
    }
    if front.isEmpty, let start = ByteRun.end(of: Self.mark, in: bytes) { return beginContent(bytes, at: start) }
    let before = front.count
    front.append(contentsOf: bytes.prefix(Self.frontBytesMax &- before))
    if let end = front.withUnsafeBytes({ ByteRun.end(of: Self.mark, in: $0) }) {
      beginContent(bytes, at: max(end &- before, 0))
    } else if front.count >= Self.frontBytesMax {
      if expected.isMock == true { faults.insert(.bytes) }
      place = .back
    }
  }

  private func beginContent(_ bytes: UnsafeRawBufferPointer, at start: Int) {
    expected.isMock = true
    place = .filler
    readContent(UnsafeRawBufferPointer(rebasing: bytes[min(start, bytes.count)...]))
  }

  private func readContent(_ bytes: UnsafeRawBufferPointer) {
    let count: Int
    if let total = expected.answerFiller {
      count = min(max(total &- filler, 0), bytes.count)
      if !Filler.matches(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: filler) { faults.insert(.bytes) }
    } else {
      count = Filler.matches(bytes, at: filler) ? bytes.count : Filler.matching(bytes, at: filler)
    }
    filler &+= count
    guard count < bytes.count else { return }
    place = .back
    if bytes[count] != UInt8(ascii: "\"") { faults.insert(.bytes) }
  }

  private static let mark: StaticString = "\"content\":\"~"
  private static let frontBytesMax = 1024
}
