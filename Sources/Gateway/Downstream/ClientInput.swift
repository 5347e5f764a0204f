// A client connection's reading: bytes to requests. What cannot be used yet is kept, up to a bound; beyond it only the
// peer's leaving is listened for.

import Bytes
import Reactor
import Wire

extension ClientConnection {
  /// The socket has bytes, or has ended.
  func readMore(_ socket: Socket) {
    for _ in 0..<Self.readsPerWake {
      let isBody = state == .body
      if isBody, let exchange, let room = exchange.bodyRoom() {
        // The rest of a held body is read to where it will stay.
        switch socket.read(into: room) {
        case .bytes(let count):
          exchange.tookBody(count)
          guard count == room.count, state == .body else { return }
        case .wouldBlock: return
        case .end, .failed: return left()
        }
        continue
      }
      guard state != .answering || stash.byteCount < Self.stashBytesMax else {
        // More than enough is kept for later requests. Only the peer's leaving is of interest now.
        return stopReading()
      }
      let room = core.departures.readRoom()
      switch socket.read(into: room) {
      case .bytes(let count):
        consume(UnsafeRawBufferPointer(rebasing: room[..<count]))
        guard count == room.count, let now = socketOrNil, now.interest.contains(.read) else { return }
      case .wouldBlock: return
      case .end, .failed: return left()
      }
    }
  }

  /// Works through bytes of requests; what cannot be used yet is kept.
  func consume(_ bytes: UnsafeRawBufferPointer) {
    guard stash.isEmpty else { return keepForLater(bytes) }
    isConsuming = true
    var rest = bytes
    while rest.count > 0 {
      let used: Int
      switch state {
      case .idle: used = begin(rest)
      case .head: used = readHead(rest)
      case .body: used = exchange?.takeBody(rest) ?? rest.count
      case .answering:
        keepForLater(rest)
        used = rest.count
      case .discarding: used = discard(rest)
      case .lingering: used = linger(rest)
      case .closed: used = rest.count
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[min(used, rest.count)...])
    }
    exchange?.keepBorrowed()
    isConsuming = false
  }

  /// Goes on with what was kept, now that the exchange wants more, or is over.
  func resumeInput() {
    guard !isConsuming, let socket = socketOrNil else { return }
    while !stash.isEmpty, state != .answering, !isClosed {
      let waiting = stash
      stash = ChunkQueue()
      waiting.lendEach { run in
        consume(run)
        return true
      }
      // Whatever was kept again stands in front of nothing: the stash was empty, so the order is kept.
    }
    guard !isClosed, !isInputPaused, stash.isEmpty, state != .answering || exchange != nil else { return }
    socket.interest = socket.interest.intersection(.write).union(.read)
  }

  func keepForLater(_ bytes: UnsafeRawBufferPointer) {
    // Small pieces share a slab: a client that sends byte by byte must not cost a slab for each.
    if bytes.count < Self.stashSlabBytes, stash.tailRoom(atLeast: bytes.count) == nil {
      stash.appendEmpty(Slab(capacity: stash.isEmpty ? max(bytes.count, 256) : Self.stashSlabBytes))
    }
    if let room = stash.tailRoom(atLeast: bytes.count) {
      room.copyMemory(from: bytes)
      stash.commit(bytes.count)
    } else {
      stash.append(Chunk(copying: bytes))
    }
    if stash.byteCount >= Self.stashBytesMax { stopReading() }
  }

  /// Only the peer's leaving is of interest, and its readiness to take what waits for it.
  private func stopReading() {
    guard let socket = socketOrNil else { return }
    socket.interest = socket.interest.intersection(.write).union(.hangup)
  }

  func begin(_ bytes: UnsafeRawBufferPointer) -> Int {
    parser = core.takeRequestParser()
    state = .head
    wait(policy.times.head)
    return readHead(bytes)
  }

  func readHead(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let parser else { return bytes.count }
    switch parser.parseHead(bytes) {
    case .more:
      head.append(bytes, limit: policy.limits.headBytesMax)
      if !parser.started {
        // Only empty lines so far: not yet a request, and nothing worth keeping. The parser counts them.
        head.removeAll()
      }
      return bytes.count
    case .complete(let consumed):
      let first = UnsafeRawBufferPointer(rebasing: bytes[..<min(consumed, bytes.count)])
      if !head.isEmpty {
        head.append(first, limit: policy.limits.headBytesMax)
        parser.head.base = head.base(of: parser.head)
      }
      startExchange(parser)
      return consumed
    case .failed(let error):
      refuse(parser, Failure(.downstream, .framing(status: error.status, reason: error.reason)))
      return bytes.count
    }
  }

  private func startExchange(_ parser: MessageParser) {
    let exchange = Exchange(client: self, parser: parser, head: head, isPlaced: true)
    serve(exchange)
    exchange.begin()
  }

  /// Answers a head that is not whole, and never will be.
  func refuse(_ parser: MessageParser, _ failure: Failure) {
    let exchange = Exchange(client: self, parser: parser, head: HeadStore(), isPlaced: false)
    serve(exchange)
    exchange.refuse(failure)
  }

  /// The exchange that answers from now on. It has the parser and the head.
  private func serve(_ exchange: Exchange) {
    parser = nil
    head = HeadStore()
    self.exchange = exchange
    // The relay of the answer before is over for good: this answer has one of its own.
    outlet.relay = .flowing(pending: 0)
    isInputPaused = false
    state = .answering
    wait(0)
  }

  /// The exchange wants the body from now on.
  func readBody() {
    guard state == .answering else { return }
    state = .body
    bodyMoved()
    if !isConsuming { resumeInput() }
  }

  /// The exchange has the whole request.
  func requestIsWhole() {
    guard state == .body else { return }
    state = .answering
    wait(0)
  }

  /// A piece of the body came in: the next one has its full time again.
  func bodyMoved() { wait(policy.times.body) }

  /// Stops and resumes reading the body, for an upstream that takes it slowly.
  func pauseInput() {
    if state == .body {
      isInputPaused = true
      stopReading()
    }
    wait(0)
  }

  func resumeBodyInput() {
    guard state == .body, let socket = socketOrNil else { return }
    isInputPaused = false
    bodyMoved()
    socket.interest = .read.union(socket.interest.intersection(.write))
  }
}
