// Reads the events of one stream at a time: divides the payload into lines, checks the stamps of a mock backend, and
// records when they came. Owned by a connection. The hot path of the generator: an event costs two searches of the C
// library, three numbers, one comparison and two records; nothing is allocated unless a line is split between reads.

import Stamp
import Wire

/// A checker of event streams. Lines may end with LF or CR LF.
final class EventReader: PayloadSink {
  private let tally: Tally
  private let expected: Expectation
  /// When the bytes came that are being read. Set in front of each read.
  var now: UInt64 = 0
  /// When the request was sent or due.
  private var startedAt: UInt64 = 0
  /// When the event before came; 0 in front of the first.
  private var eventAt: UInt64 = 0
  private var events: UInt32 = 0
  private var number: UInt32 = 0
  private(set) var faults: Faults = []
  private var isDone = false
  /// A line of data came and the empty line that ends its event did not.
  private var isOpen = false
  /// The beginning of a line whose end did not come yet.
  private var carried: [UInt8] = []
  /// Tokens that the usage event claims.
  private(set) var tokens: Int?

  init(tally: Tally, expected: Expectation) {
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
  }

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
    if expected.isMock != false, let mark = ByteRun.index(of: UInt8(ascii: "#"), in: data) {
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
    if expected.isMock == nil { expected.isMock = false }
    arrived()
  }

  private func stamped(_ stamp: Stamp, _ rest: UnsafeRawBufferPointer) {
    if expected.isMock == nil { expected.isMock = true }
    if expected.events == nil { expected.events = stamp.count }
    if stamp.number != number &+ 1 { faults.insert(.order) }
    if stamp.count != expected.events { faults.insert(.count) }
    number = stamp.number
    check(rest)
    tally.eventDelay.record(now > stamp.sentAt ? now &- stamp.sentAt : 0)
    arrived()
  }

  private func check(_ rest: UnsafeRawBufferPointer) {
    let count: Int
    if let known = expected.eventFiller {
      count = known
    } else {
      count = ByteRun.index(of: UInt8(ascii: "\""), in: rest) ?? rest.count
      expected.eventFiller = count
    }
    guard rest.count > count, rest[count] == UInt8(ascii: "\""),
      Filler.matches(UnsafeRawBufferPointer(rebasing: rest[..<count]), at: 0)
    else {
      faults.insert(.bytes)
      return
    }
  }

  @inline(__always)
  private func arrived() {
    events &+= 1
    tally.events &+= 1
    if eventAt == 0 {
      tally.firstToken.record(now > startedAt ? now &- startedAt : 0)
    } else {
      tally.gap.record(now &- eventAt)
    }
    eventAt = now
  }

  private static let lf = UInt8(ascii: "\n")
  private static let cr = UInt8(ascii: "\r")
  private static let lineBytesMax = 1 << 20
}
