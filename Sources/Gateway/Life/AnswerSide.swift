// The second half of an exchange's life: from the first byte of an answer to its last. This is the byte path: nothing
// here allocates, locks, logs or copies per event. Bytes are read into the loop's room and written from there; only when
// the client's socket is full does the room change owner, and later bytes are read straight behind those that wait.

import Bytes
import Flow
import Reactor
import Wire

extension Exchange {
  /// The upstream's socket has bytes, or has ended.
  func upstreamReadable(_ connection: UpstreamConnection) {
    guard upstream === connection else { return }
    for _ in 0..<Self.readsPerWake {
      guard upstream === connection, let socket = connection.socket, socket.interest.contains(.read) else { return }
      if let pipe { return splice(socket, through: pipe) }
      if stage == .relaying, passage == .asIs, let room = client.outlet.queue.tailRoom(atLeast: Self.tailBytesMin) {
        switch socket.read(into: room) {
        case .bytes(let count):
          relayInPlace(UnsafeRawBufferPointer(rebasing: room[..<count]))
          guard count == room.count else { return }
        case .wouldBlock: return
        case .end: return upstreamEnded(socket)
        case .failed(let error): return upstreamFailed(connection, error)
        }
        continue
      }
      let room = core.departures.readRoom()
      switch socket.read(into: room) {
      case .bytes(let count):
        received(UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
        // A short read has drained the socket: another one would only say so.
        guard count == room.count else { return }
        considerSplicing()
      case .wouldBlock: return
      case .end: return upstreamEnded(socket)
      case .failed(let error): return upstreamFailed(connection, error)
      }
    }
  }

  private func received(_ bytes: UnsafeMutableRawBufferPointer) {
    let batch = core.loop.batch
    switch stage {
    case .asking:
      batch.reset()
      guard let used = readAnswerHead(UnsafeRawBufferPointer(bytes)) else { return }
      relay(UnsafeMutableRawBufferPointer(rebasing: bytes[used...]), mayWait: false)
      // An open stream holds neither the head's bytes nor the table over them.
      guard stage == .relaying else { return }
      responseStore.removeAll()
      responseParser?.releaseHead()
      if parser == nil, outgoing.sent >= outgoing.sentTotal { releaseOutgoing() }
    case .relaying:
      // The piece in front of this one still waits for the end of the turn.
      client.departFirst()
      batch.reset()
      if let endpoint { touch(endpoint.cluster.times) }
      relay(bytes, mayWait: true)
    default: break
    }
  }

  // MARK: Head

  /// Reads the answer's head; when it is whole, the head for the client is in the batch. How many bytes were used; nil
  /// when there is nothing to relay yet, or any more.
  private func readAnswerHead(_ bytes: UnsafeRawBufferPointer) -> Int? {
    if responseParser == nil {
      responseParser = core.takeResponseParser(bodiless: isHead)
      record.firstByteAt = core.loop.now
      // A byte of an answer came: the request will not be sent again.
      outgoing.sentHead = outgoing.sent < outgoing.sentTotal ? outgoing.sentHead : nil
      if outgoing.sent >= outgoing.sentTotal { outgoing.body.removeAll() }
    }
    guard let parser = responseParser else { return nil }
    var used = 0
    while true {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[used...])
      guard rest.count > 0 else { return nil }
      switch parser.parseHead(rest) {
      case .more:
        responseStore.append(rest, limit: HeadLimits().headBytesMax)
        return nil
      case .failed(let error):
        fail(Failure(.upstream, .badAnswer, detail: "\(error.reason)"))
        return nil
      case .complete(let consumed):
        let first = UnsafeRawBufferPointer(rebasing: rest[..<min(consumed, rest.count)])
        if !responseStore.isEmpty {
          responseStore.append(first, limit: HeadLimits().headBytesMax)
          parser.head.base = responseStore.base(of: parser.head)
        }
        used += consumed
        if parser.head.status == 101 {
          fail(Failure(.upstream, .badAnswer, detail: "101 without being asked to switch protocols"))
          return nil
        }
        if parser.head.status < 200 {
          passInterim(parser.head)
          guard stage == .asking else { return nil }
          responseStore.removeAll()
          parser.reset(bodiless: isHead)
          continue
        }
        return startAnswer(parser) ? used : nil
      }
    }
  }

  /// An interim answer (1xx) goes on to a client that can understand it, and takes what it is sent: nobody else's bytes
  /// stop for these. 100 was said by the gateway itself.
  private func passInterim(_ head: Head) {
    guard !isVersion10, head.status != 100, client.outlet.queue.isEmpty else { return }
    var writer = HeadWriter(core.headRoom.room)
    writeInterimHead(&writer, head)
    guard !writer.overflowed else { return }
    let batch = core.loop.batch
    batch.reset()
    batch.add(writer.written)
    _ = client.send()
    batch.reset()
    client.outlet.relay = .flowing(pending: client.outlet.queue.byteCount)
  }

  /// Writes the client's head into the batch. False when the exchange came to its end over it.
  private func startAnswer(_ parser: MessageParser) -> Bool {
    let head = parser.head
    record.status = head.status
    isEventStream = head.first(.contentType).map { hasPrefixIgnoringCase(head.bytes($0), "text/event-stream") } ?? false
    takesEvents = isEventStream && !head.has(.contentEncoding)
    record.isStream = record.isStream || isEventStream
    answerKeepsAlive = clientKeepsAlive && !core.isDraining
    if parser.isComplete {
      passage = .none
    } else {
      switch parser.framing {
      case .none, .length: passage = .asIs
      case .chunked: passage = isVersion10 ? .unchunked : .asIs
      case .untilClose: passage = isVersion10 ? .asIs : .chunked
      }
    }
    beginEditing(parser)
    if !isAnswerFramed { answerKeepsAlive = false }
    guard let bytes = writeAnswerHead(parser) else {
      fail(Failure(.upstream, .badAnswer, detail: "the answer's head is too large"))
      return false
    }
    core.loop.batch.add(bytes)
    stage = .relaying
    if isEventStream {
      totalDeadline = 0
    } else if let endpoint, totalDeadline == 0, endpoint.cluster.times.total != 0 {
      totalDeadline = core.loop.now &+ endpoint.cluster.times.total
    }
    if let endpoint { touch(endpoint.cluster.times) }
    return true
  }

  /// Whether the client can tell by the framing where the answer ends.
  var isAnswerFramed: Bool {
    switch passage {
    case .none, .chunked: true
    case .unchunked: editor?.growth != nil
    case .asIs: !isVersion10 || responseParser?.framing != .untilClose
    }
  }

  func touch(_ times: UpstreamTimes) {
    waitingFor = .betweenBytes
    deadline = times.betweenBytes == 0 ? 0 : core.loop.now &+ times.betweenBytes
    if totalDeadline != 0 { deadline = nearest(deadline, totalDeadline) }
    client.reschedule()
  }

  // MARK: Body

  /// Relays bytes that lie in the loop's room, behind what the batch holds already.
  ///
  /// A piece of an event stream that is not its last may wait for the end of the turn (`mayWait`).
  private func relay(_ bytes: UnsafeMutableRawBufferPointer, mayWait: Bool) {
    guard let parser = responseParser else { return }
    if let editor { return relay(bytes, through: editor, parser) }
    var isLast = parser.isComplete
    var hasExtra = isLast && bytes.count > 0
    var broken = false
    let batch = core.loop.batch
    if !isLast, bytes.count > 0 {
      var own = bytes.count
      let sink: Unchunker? = passage == .unchunked ? Unchunker(bytes, for: isHeard ? self : nil) : nil
      switch parser.parseBody(UnsafeRawBufferPointer(bytes), to: sink ?? hearer) {
      case .more: break
      case .complete(let consumed):
        own = min(consumed, bytes.count)
        isLast = true
        hasExtra = own < bytes.count
      case .failed:
        broken = true
        own = 0
      }
      if own > 0 { add(UnsafeRawBufferPointer(rebasing: bytes[..<own]), sink, to: batch) }
    }
    if isLast, passage == .chunked { batch.add(ChunkedWriter.last) }
    if mayWait, !isLast, !broken, isEventStream, passage == .asIs, client.outlet.queue.isEmpty,
      core.departures.takes(bytes.count)
    {
      record.bytesOut &+= UInt64(bytes.count)
      return core.departures.add(client, UnsafeRawBufferPointer(bytes))
    }
    if batch.byteCount > 0 {
      record.bytesOut &+= UInt64(batch.byteCount)
      guard let action = client.send() else { return }
      act(on: action)
    }
    if broken { return fail(Failure(.upstream, .cut, detail: "broken chunk framing")) }
    if isLast { answerIsWhole(hasExtra: hasExtra) }
  }

  private func add(_ bytes: UnsafeRawBufferPointer, _ sink: Unchunker?, to batch: WriteBatch) {
    switch passage {
    case .none: break
    case .asIs: batch.add(bytes)
    case .unchunked:
      guard let sink else { return }
      batch.add(sink.written)
      copied(sink.written.count)
    case .chunked:
      batch.add(core.chunkHead(bytes.count))
      batch.add(bytes)
      batch.add(ChunkedWriter.end)
    }
  }

  /// Takes in bytes that were read straight behind those that wait for the client.
  private func relayInPlace(_ bytes: UnsafeRawBufferPointer) {
    guard let parser = responseParser else { return }
    if let endpoint { touch(endpoint.cluster.times) }
    var own = bytes.count
    var isLast = false
    var broken = false
    switch parser.parseBody(bytes, to: hearer) {
    case .more: break
    case .complete(let consumed):
      own = min(consumed, bytes.count)
      isLast = true
    case .failed:
      own = 0
      broken = true
    }
    record.bytesOut &+= UInt64(own)
    guard let action = client.commit(own) else { return }
    act(on: action)
    if broken { return fail(Failure(.upstream, .cut, detail: "broken chunk framing")) }
    if isLast { answerIsWhole(hasExtra: own < bytes.count) }
  }

  /// Who takes the answer's payload, where somebody listens.
  private var hearer: (any PayloadSink)? { isHeard ? self : nil }

  func act(on action: Relay.Action) {
    // Later bytes are read behind those that wait, until that room is full; a stalled client holds no second one. Where
    // the framing changes nothing can be read behind, so the first waiting byte pauses the source.
    let mustWait =
      !client.outlet.queue.isEmpty
      && (passage != .asIs || client.outlet.queue.tailRoom(atLeast: Self.tailBytesMin) == nil)
    guard action == .pauseReading || mustWait, let socket = upstream?.socket, socket.interest.contains(.read) else {
      return
    }
    core.counters.pauses &+= 1
    socket.interest.subtract(.read)
    // A slow client is bounded by its own stall time, not by the upstream's.
    deadline = totalDeadline
  }

  /// The client took what waited, down to the low mark.
  func clientTakesMore() {
    if let pipe, pipe.pending > 0 { return clientTakesSpliced(pipe) }
    guard stage == .relaying, let socket = upstream?.socket, let endpoint else { return }
    if passage != .asIs, !client.outlet.queue.isEmpty { return }
    socket.interest.formUnion(.read)
    touch(endpoint.cluster.times)
  }

  func upstreamEnded(_ socket: Socket) {
    client.departFirst()
    switch stage {
    case .asking:
      let started = responseParser?.started ?? false
      fail(
        started
          ? Failure(.upstream, .badAnswer, detail: "closed within the answer's head")
          : Failure(.upstream, .closedEarly, retry: .ifReused, detail: "closed before an answer"))
    case .relaying:
      guard let parser = responseParser, parser.finish(), socket.endedCleanly else {
        return fail(Failure(.upstream, .cut, detail: "closed within the answer"))
      }
      if let editor {
        guard finishEditing(editor) else { return }
      } else if passage == .chunked {
        let batch = core.loop.batch
        batch.reset()
        batch.add(ChunkedWriter.last)
        guard client.send() != nil else { return }
      }
      answerIsWhole(hasExtra: true)
    default: break
    }
  }

  private static let readsPerWake = 4
  private static let tailBytesMin = 4096
}

/// Takes the chunk framing off in place: payload moves to the front of the buffer it came in.
private final class Unchunker: PayloadSink {
  private let room: UnsafeMutableRawBufferPointer
  private let listener: Exchange?
  private var count = 0

  init(_ room: UnsafeMutableRawBufferPointer, for listener: Exchange?) {
    self.room = room
    self.listener = listener
  }

  var written: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: room[..<count]) }

  func payload(_ bytes: UnsafeRawBufferPointer) {
    listener?.hear(bytes)
    // Payload is never longer than the bytes it came in, so it always fits in front of where it lies.
    guard let base = room.baseAddress, let from = bytes.baseAddress, count + bytes.count <= room.count else { return }
    base.advanced(by: count).copyMemory(from: from, byteCount: bytes.count)
    count += bytes.count
  }
}
