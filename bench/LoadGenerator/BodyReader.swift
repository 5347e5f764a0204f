// Reads answers in one piece, one at a time: counts them, compares a mock backend's filler with what it must be, and
// keeps the beginning of those that somebody has to read. Owned by a connection.
//
// Where nobody said whether a mock answers, the first answer of the lane that is over decides: a mock's content is
// filler from its mark to its closing quote.

import Stamp
import Wire

/// A checker of bodies.
final class BodyReader: PayloadSink {
  private enum Place {
    /// The content has not begun, as far as is known.
    case front
    case filler
    /// The content was filler to its closing quote.
    case closed
    /// The content is no mock's, or went wrong.
    case back
  }

  private let expected: AnswerShape
  private var place = Place.front
  /// The body up to its content, when that does not come in one run.
  private var front: [UInt8] = []
  /// Bytes of filler so far.
  private var filler = 0
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
  }

  /// The answer is over: what was wrong with it.
  func end() -> Faults {
    if expected.isMock == nil { learn() }
    switch expected.isMock {
    case true?:
      guard place == .closed, filler == expected.answerFiller ?? filler else { return .bytes }
      expected.answerFiller = filler
      return []
    case false?: return []
    // So much filler is no accident: a mock's answer that went wrong. The next one decides.
    case nil: return .bytes
    }
  }

  /// Decides whether a mock answers, unless the answer leaves it open.
  private func learn() {
    if place == .closed {
      expected.isMock = true
    } else if filler < Self.tellingBytes {
      expected.isMock = false
    }
  }

  func payload(_ bytes: UnsafeRawBufferPointer) {
    if keptMax > kept.count { kept.append(contentsOf: bytes.prefix(keptMax &- kept.count)) }
    switch place {
    case .front: readFront(bytes)
    case .filler: readContent(bytes)
    case .closed, .back: break
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
      place = .back
    }
  }

  private func beginContent(_ bytes: UnsafeRawBufferPointer, at start: Int) {
    place = .filler
    readContent(UnsafeRawBufferPointer(rebasing: bytes[min(start, bytes.count)...]))
  }

  private func readContent(_ bytes: UnsafeRawBufferPointer) {
    let most = expected.answerFiller.map { min(max($0 &- filler, 0), bytes.count) } ?? bytes.count
    let run = UnsafeRawBufferPointer(rebasing: bytes[..<most])
    let count = Filler.matches(run, at: filler) ? most : Filler.matching(run, at: filler)
    filler &+= count
    guard count < bytes.count else { return }
    place = bytes[count] == UInt8(ascii: "\"") ? .closed : .back
  }

  private static let mark: StaticString = "\"content\":\"~"
  private static let frontBytesMax = 1024
  /// Bytes of filler that nobody but a mock writes.
  private static let tellingBytes = 16
}
