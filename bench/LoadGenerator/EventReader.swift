// Reads the events of one stream at a time: divides the payload into lines, checks the stamps of a mock backend, and
// records when they came. Owned by a connection. The hot path of the generator: an event costs two searches of the C
// library, three numbers, one comparison and two records; nothing is allocated unless a line is split between reads.

import Stamp
import Wire

/// A checker of event streams. Lines may end with LF or CR LF.
final class EventReader: PayloadSink {
  private let tally: Tally
  private let expected: AnswerShape
  /// When the bytes came that are being read.
  private var now: UInt64 = 0
  /// When the request was sent or due.
  private var startedAt: UInt64 = 0
  /// When the last event came; 0 in front of the first.
  private var eventAt: UInt64 = 0
  /// Events with content.
  private var events: UInt32 = 0
  /// The number on the last event.
  private var number: UInt32 = 0
  private var faults: Faults = []
  private var isDone = false
  /// A line of data came and the empty line that ends its event did not.
  private var isOpen = false
  /// The beginning of a line whose end did not come yet.
  private var carried: [UInt8] = []
  /// Tokens that the usage event claims.
  private(set) var tokens: Int?

  // Copies of what is expected; 0 and -1 stand for what is not known yet.
  private var expectedCount: UInt32 = 0
  private var fillerCount = -1
  private var isMock = true

  // Events that left in one write and came in one read are recorded together.
  private var sentAt: UInt64 = 0
  private var sentTogether: UInt32 = 0
  private var cameTogether: UInt32 = 0

  init(tally: Tally, expected: AnswerShape) {
    self.tally = tally
    self.expected = expected
  }

  /// Events with content so far.
  var eventCount: UInt32 { events }

  /// A stream was asked for.
  func begin(at time: UInt64) {
    startedAt = time
    eventAt = 0
    events = 0
    number = 0
    faults = []
    isDone = false
    isOpen = false
    tokens = nil
    carried.removeAll(keepingCapacity: true)
    isMock = expected.isMock != false
    expectedCount = expected.events ?? 0
    fillerCount = expected.eventFiller ?? -1
  }

  /// Bytes came, and are read next.
  func beginRead(at time: UInt64) { now = time }

  /// What came at once has been read.
  func endRead() {
    recordDelays()
    if cameTogether > 0 {
      tally.gap.record(0, count: cameTogether)
      cameTogether = 0
    }
  }

  /// What is wrong with the stream as far as it came.
  var faultsSoFar: Faults { faults }

  /// The stream is over: what was wrong with it.
  func end() -> Faults {
    if !isDone { faults.insert(.done) }
    if isOpen || !carried.isEmpty { faults.insert(.framing) }
    if expected.isMock == true, events != expected.events { faults.insert(.count) }
    return faults
  }

  // MARK: Lines

  func payload(_ bytes: UnsafeRawBufferPointer) {
    var start = 0
    if !carried.isEmpty {
      guard let end = ByteRun.index(of: Self.lf, in: bytes) else {
        carry(bytes)
        return
      }
      carry(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
      let line = carried
      carried = []
      line.withUnsafeBytes { self.line($0) }
      start = end &+ 1
    }
    while start < bytes.count {
      if bytes[start] == Self.lf {
        isOpen = false
        start &+= 1
        continue
      }
      guard let end = ByteRun.index(of: Self.lf, in: bytes, from: start) else {
        carry(UnsafeRawBufferPointer(rebasing: bytes[start...]))
        return
      }
      line(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
      start = end &+ 1
    }
  }

  private func carry(_ bytes: UnsafeRawBufferPointer) {
    guard carried.count &+ bytes.count <= Self.lineBytesMax else {
      faults.insert(.framing)
      return
    }
    carried.append(contentsOf: bytes)
  }

  private func line(_ whole: UnsafeRawBufferPointer) {
    var line = whole
    if line.last == Self.cr { line = UnsafeRawBufferPointer(rebasing: line.dropLast()) }
    guard ByteRun.begins(line, with: "data:") else {
      // An empty line ends the event; comments and other fields say nothing here.
      if line.isEmpty { isOpen = false }
      return
    }
    if isOpen { faults.insert(.framing) }
    isOpen = true
    let skip = line.count > 5 && line[5] == 0x20 ? 6 : 5
    data(UnsafeRawBufferPointer(rebasing: line[skip...]))
  }

  // MARK: Events

  private func data(_ data: UnsafeRawBufferPointer) {
    if isDone { faults.insert(.done) }
    if isMock, let mark = ByteRun.index(of: UInt8(ascii: "#"), in: data) {
      let marked = UnsafeRawBufferPointer(rebasing: data[mark...])
      if let stamp = Stamp(marked) {
        stamped(stamp, UnsafeRawBufferPointer(rebasing: marked[Stamp.byteCount...]))
        return
      }
    }
    if ByteRun.begins(data, with: "[DONE]") {
      isDone = true
      return
    }
    if ByteRun.begins(data, with: "{\"error\"") { faults.insert(.failed) }
    if let count = Delta.completionTokens(data) { tokens = count }
    guard Delta.hasText(data) else { return }
    if expected.isMock == nil {
      expected.isMock = false
      isMock = false
    }
    arrived()
  }

  private func stamped(_ stamp: Stamp, _ rest: UnsafeRawBufferPointer) {
    if stamp.number != number &+ 1 { faults.insert(.order) }
    if stamp.count != expectedCount { surprise(stamp) }
    number = stamp.number
    if fillerCount < 0 { learn(rest) }
    if rest.count <= fillerCount || rest[fillerCount] != UInt8(ascii: "\"")
      || !Filler.begins(UnsafeRawBufferPointer(rebasing: rest[..<fillerCount]))
    {
      faults.insert(.bytes)
    }
    if stamp.sentAt != sentAt {
      recordDelays()
      sentAt = stamp.sentAt
    }
    sentTogether &+= 1
    arrived()
  }

  /// The count of a stream's events is not what it should be, or is told for the first time.
  private func surprise(_ stamp: Stamp) {
    expected.isMock = true
    if let count = expected.events {
      expectedCount = count
    } else {
      expected.events = stamp.count
      expectedCount = stamp.count
    }
    if stamp.count != expectedCount { faults.insert(.count) }
  }

  /// All events have as much filler as the first.
  private func learn(_ rest: UnsafeRawBufferPointer) {
    fillerCount = expected.eventFiller ?? ByteRun.index(of: UInt8(ascii: "\""), in: rest) ?? 0
    expected.eventFiller = fillerCount
  }

  @inline(__always)
  private func arrived() {
    events &+= 1
    tally.events &+= 1
    if eventAt == now {
      cameTogether &+= 1
    } else {
      if eventAt == 0 {
        tally.firstToken.record(now > startedAt ? now &- startedAt : 0)
      } else {
        tally.gap.record(now &- eventAt)
      }
      eventAt = now
    }
  }

  private func recordDelays() {
    guard sentTogether > 0 else { return }
    tally.eventDelay.record(now > sentAt ? now &- sentAt : 0, count: sentTogether)
    sentTogether = 0
  }

  private static let lf = UInt8(ascii: "\n")
  private static let cr = UInt8(ascii: "\r")
  private static let lineBytesMax = 1 << 20
}
