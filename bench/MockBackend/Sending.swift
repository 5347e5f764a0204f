// An answer on its way out. A plain value inside its connection that keeps no bytes: what the socket did not take is
// made again from the profile, digits and all, when it takes more.

import Bytes
import Reactor
import Stamp

/// How far an answer has come.
struct Sending {
  enum Kind {
    case stream, answer
    case fixed(Chunk)
  }

  enum Step {
    /// The socket is full, or others shall have their turn: go on when it takes bytes.
    case blocked
    /// Go on at this time, in nanoseconds on the loop's clock.
    case wait(UInt64)
    case finished
    /// Nothing more will come.
    case stalled
    /// The connection is to be closed here.
    case cut
    /// The socket failed.
    case failed
  }

  /// One write of a stream: the head if it is still due, some events, and what ends the stream behind the last.
  private struct Message {
    var hasHead = false
    var hasTail = false
    var position = 0
    var count = 0
    var sentAt: UInt64 = 0
    var length = 0
    /// Bytes the socket has taken.
    var taken = 0
  }

  private var kind = Kind.answer
  private var usage = false
  private var message = Message()
  private var isUnderWay = false
  /// Events that have been put into messages.
  private var position = 0
  private var headIsDue = false
  /// When the next message is to be sent.
  private var due: UInt64 = 0
  /// Bytes of an answer that is no stream which the socket has taken.
  private var taken = 0

  /// A stream's head does not wait for its first event.
  var isStream: Bool { if case .stream = kind { true } else { false } }

  mutating func begin(_ kind: Kind, _ profile: Profile, usage: Bool, now: UInt64) {
    self.kind = kind
    if case .stream = kind, case .status = profile.settings.lie { self.kind = .answer }
    self.usage = usage
    isUnderWay = false
    position = 0
    headIsDue = true
    taken = 0
    due = now &+ UInt64(profile.settings.delayMicroseconds) &* 1_000
  }

  /// Sends what is due. `now` is nanoseconds on the loop's clock, `noise` any number.
  mutating func advance(_ profile: Profile, _ socket: Socket, _ loop: Loop, now: UInt64, noise: UInt64) -> Step {
    switch kind {
    case .stream: stream(profile, socket, loop, now, noise)
    case .answer: answer(profile, socket, loop.batch)
    case .fixed(let chunk): fixed(chunk, socket, loop.batch)
    }
  }

  // MARK: Streams

  private mutating func stream(
    _ profile: Profile, _ socket: Socket, _ loop: Loop, _ start: UInt64, _ noise: UInt64
  ) -> Step {
    let gap = UInt64(profile.settings.gapMicroseconds) &* 1_000
    var now = start
    for _ in 0..<Self.writesPerTurn {
      if !isUnderWay {
        guard headIsDue || due <= now else { return .wait(due) }
        compose(profile, now)
      }
      fill(loop.batch, profile)
      guard case .wrote(let count) = socket.write(loop.batch) else { return .failed }
      message.taken &+= count
      guard message.taken >= message.length else { return .blocked }
      isUnderWay = false
      if message.hasTail { return end(profile.settings.lie) }
      // The first event comes at once and the second after a random part of the gap, so that streams that began together
      // do not write together.
      if gap > 0, message.count > 0 { due &+= message.position == 0 ? noise % gap : gap }
      now = loop.now
    }
    return .blocked
  }

  private mutating func compose(_ profile: Profile, _ now: UInt64) {
    message.hasHead = headIsDue
    message.position = position
    message.sentAt = now
    message.taken = 0
    if headIsDue, due > now {
      // The head goes ahead, the first event comes after the delay.
      message.count = 0
      message.hasTail = false
    } else {
      message.count = min(profile.settings.batch, profile.eventCount &- position)
      message.hasTail = position &+ message.count == profile.eventCount
    }
    message.length =
      (headIsDue ? profile.streamHead.count : 0) &+ message.count &* profile.slotBytes
      &+ (message.hasTail ? profile.tail(usage: usage).count : 0)
    headIsDue = false
    position &+= message.count
    isUnderWay = true
  }

  private func fill(_ batch: WriteBatch, _ profile: Profile) {
    var skip = message.taken
    batch.reset()
    if message.hasHead { Self.add(profile.streamHead.bytes, to: batch, skipping: &skip) }
    let events = profile.render(position: message.position, count: message.count, sentAt: message.sentAt)
    Self.add(events, to: batch, skipping: &skip)
    if message.hasTail { Self.add(profile.tail(usage: usage).bytes, to: batch, skipping: &skip) }
  }

  private func end(_ lie: Lie) -> Step {
    switch lie {
    case .cut: .cut
    case .stall: .stalled
    default: .finished
    }
  }

  // MARK: Answers in one piece

  private mutating func answer(_ profile: Profile, _ socket: Socket, _ batch: WriteBatch) -> Step {
    let isHalf =
      switch profile.settings.lie {
      case .cut, .stall: true
      default: false
      }
    let limit = isHalf ? profile.answerCount / 2 : profile.answerCount
    for _ in 0..<Self.writesPerTurn {
      guard taken < limit else { return end(profile.settings.lie) }
      fill(batch, profile, limit: limit)
      guard case .wrote(let count) = socket.write(batch) else { return .failed }
      guard count > 0 else { return .blocked }
      taken &+= count
    }
    return taken < limit ? .blocked : end(profile.settings.lie)
  }

  private func fill(_ batch: WriteBatch, _ profile: Profile, limit: Int) {
    var skip = taken
    var left = min(limit &- taken, Self.writeBytesMax)
    batch.reset()
    func add(_ bytes: UnsafeRawBufferPointer) {
      guard skip < bytes.count else {
        skip &-= bytes.count
        return
      }
      let piece = UnsafeRawBufferPointer(rebasing: bytes[skip...].prefix(max(left, 0)))
      skip = 0
      left &-= piece.count
      batch.add(piece)
    }
    add(profile.answerFront.bytes)
    guard left > 0, !profile.isWhole else { return }
    var offset = min(skip, profile.answerFillerCount)
    skip &-= offset
    while offset < profile.answerFillerCount, left > 0 {
      let run = Filler.run(at: profile.answerFillerOffset &+ offset, count: profile.answerFillerCount &- offset)
      offset &+= run.count
      add(run)
    }
    if left > 0 { add(profile.answerBack.bytes) }
  }

  private mutating func fixed(_ chunk: Chunk, _ socket: Socket, _ batch: WriteBatch) -> Step {
    var skip = taken
    batch.reset()
    Self.add(chunk.bytes, to: batch, skipping: &skip)
    guard case .wrote(let count) = socket.write(batch) else { return .failed }
    taken &+= count
    return taken < chunk.count ? .blocked : .finished
  }

  private static func add(_ bytes: UnsafeRawBufferPointer, to batch: WriteBatch, skipping skip: inout Int) {
    guard skip < bytes.count else {
      skip &-= bytes.count
      return
    }
    batch.add(skip == 0 ? bytes : UnsafeRawBufferPointer(rebasing: bytes[skip...]))
    skip = 0
  }

  /// Writes of one connection in one turn of the loop; then the others have theirs.
  private static let writesPerTurn = 32
  /// Bytes of an answer that are offered to the socket at once.
  private static let writeBytesMax = 262_144
}
