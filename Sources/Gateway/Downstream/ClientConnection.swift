// A client's connection: it reads requests one after another, gives each to an exchange, and writes what the exchange
// sends. It owns the socket and the bytes that wait for it; it knows nothing of upstreams.
//
//   idle ─first byte─▶ head ─complete─▶ body ─complete─▶ answering ─answer delivered─▶ idle
//                                        │                                          └▶ discarding, lingering, closed

import Bytes
import Flow
import Reactor
import Wire

/// One downstream connection.
final class ClientConnection: SocketOwner, Enrolled {
  enum State {
    /// Between requests.
    case idle
    /// A request's head is coming in.
    case head
    /// The exchange takes the request's body as it comes.
    case body
    /// The request is whole, or the exchange does not want more of it yet: what comes in is kept for later.
    case answering
    /// The answer is out, the rest of the request's body is read and dropped, so that the connection can go on.
    case discarding
    /// The answer is out and our side is shut; what still comes is dropped, so that no reset destroys the answer.
    case lingering
    case closed
  }

  unowned let core: Core
  let door: Door
  /// Address of the peer; nil on a unix socket.
  let peer: IPAddress?
  var place = -1
  private(set) var state = State.idle
  private(set) var exchange: Exchange?
  var outlet = Outlet()

  private var socketOrNil: Socket?
  private var parser: MessageParser?
  private var head = HeadStore()
  /// Bytes of later requests, and whether they are being worked on.
  private var stash = ChunkQueue()
  private var isConsuming = false
  /// Close when everything is written.
  private var closesWhenDrained = false
  private var discardsLeft: UInt64 = 0
  private var deadline: UInt64 = 0
  private var stallDeadline: UInt64 = 0
  private var entry: TimerWheel<Unmanaged<ClientConnection>>.Entry?
  private var entryTime: UInt64 = 0

  private init(core: Core, door: Door, peer: IPAddress?) {
    self.core = core
    self.door = door
    self.peer = peer
    super.init()
  }

  /// Takes over an accepted descriptor.
  static func open(_ descriptor: Int32, from address: SocketAddress, door: Door, core: Core) {
    let peer = address.ipBits.map { IPAddress(high: $0.high, low: $0.low) }
    let client = ClientConnection(core: core, door: door, peer: peer)
    do throws(SocketError) {
      client.socketOrNil = try Socket.accepted(descriptor: descriptor, loop: core.loop, tls: door.tls, owner: client)
    } catch {
      return
    }
    core.clients.add(client)
    client.socketOrNil?.interest = .read
    client.wait(core.snapshot.client.times.head)
  }

  var isClosed: Bool { socketOrNil == nil }
  private var policy: ClientPolicy { core.snapshot.client }

  // MARK: Reading

  override func socketReadable(_ socket: Socket) {
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
        socket.interest = .hangup
        return
      }
      let room = core.loop.room
      switch socket.read(into: room.room) {
      case .bytes(let count):
        consume(UnsafeRawBufferPointer(rebasing: room.room[..<count]))
        guard count == room.capacity, let now = socketOrNil, now.interest.contains(.read) else { return }
      case .wouldBlock: return
      case .end, .failed: return left()
      }
    }
  }

  /// Works through bytes of requests; what cannot be used yet is kept.
  private func consume(_ bytes: UnsafeRawBufferPointer) {
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
    guard !isClosed, stash.isEmpty, state != .answering || exchange != nil else { return }
    socket.interest = socket.interest.intersection(.write).union(.read)
  }

  private func keepForLater(_ bytes: UnsafeRawBufferPointer) {
    stash.append(Chunk(copying: bytes))
    if stash.byteCount >= Self.stashBytesMax { socketOrNil?.interest = .hangup }
  }

  private func begin(_ bytes: UnsafeRawBufferPointer) -> Int {
    parser = core.takeRequestParser()
    state = .head
    wait(policy.times.head)
    return readHead(bytes)
  }

  private func readHead(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let parser else { return bytes.count }
    switch parser.parseHead(bytes) {
    case .more:
      head.append(bytes, limit: policy.limits.headBytesMax)
      if !parser.started {
        // Only empty lines so far: not yet a request, and nothing worth keeping.
        head.removeAll()
        parser.reset()
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
      let exchange = Exchange(client: self, parser: parser, head: HeadStore(), isPlaced: false)
      self.parser = nil
      self.exchange = exchange
      head.removeAll()
      state = .answering
      wait(0)
      exchange.refuse(error)
      return bytes.count
    }
  }

  private func startExchange(_ parser: MessageParser) {
    self.parser = nil
    let exchange = Exchange(client: self, parser: parser, head: head, isPlaced: true)
    head = HeadStore()
    self.exchange = exchange
    outlet.relay = .flowing(pending: 0)
    state = .answering
    wait(0)
    exchange.begin()
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
    if state == .body { socketOrNil?.interest = .hangup.union(socketOrNil?.interest.intersection(.write) ?? []) }
    wait(0)
  }

  func resumeBodyInput() {
    guard state == .body, let socket = socketOrNil else { return }
    bodyMoved()
    socket.interest = .read.union(socket.interest.intersection(.write))
  }

  // MARK: Writing

  /// Writes the loop's batch, or keeps what the socket does not take. What the source is to do; nil when the peer is
  /// gone, in which case everything has been closed already.
  func send() -> Relay.Action? {
    guard let socket = socketOrNil else { return nil }
    let before = core.counters.bytesCopied
    var copied = 0
    let delivery = outlet.send(socket, core.loop, marks: core.snapshot.relay, copied: &copied)
    core.counters.bytesCopied = before &+ UInt64(copied)
    exchange?.copied(copied)
    return settle(delivery)
  }

  /// Bytes of the answer were read straight into the tail of what waits.
  func commit(_ count: Int) -> Relay.Action? {
    settle(.went(outlet.commit(count, marks: core.snapshot.relay)))
  }

  private func settle(_ delivery: Delivery) -> Relay.Action? {
    guard let socket = socketOrNil else { return nil }
    switch delivery {
    case .failed:
      left()
      return nil
    case .went(let action):
      if outlet.queue.isEmpty {
        if socket.interest.contains(.write) { socket.interest.subtract(.write) }
        stallDeadline = 0
      } else if !socket.interest.contains(.write) {
        socket.interest.formUnion(.write)
        stall()
      }
      return action
    }
  }

  override func socketWritable(_ socket: Socket) {
    let before = outlet.queue.byteCount
    let delivery = outlet.drain(socket, core.loop, marks: core.snapshot.relay)
    if outlet.queue.byteCount < before { stall() }
    guard let action = settle(delivery) else { return }
    if outlet.queue.isEmpty, closesWhenDrained { return close() }
    switch action {
    case .none, .pauseReading: if outlet.queue.isEmpty { exchange?.clientTakesMore() }
    case .resumeReading: exchange?.clientTakesMore()
    case .finish: exchange?.delivered()
    }
  }

  // MARK: Ending

  /// The exchange is over and its answer delivered. `keepsAlive` tells whether the answer allows another.
  func exchangeEnded(keepsAlive: Bool, unread: Framing) {
    exchange = nil
    guard !isClosed else { return }
    if keepsAlive, !core.isDraining {
      switch unread {
      case .none:
        state = .idle
        wait(policy.times.idle)
        resumeInput()
        return
      case .length(let left) where left <= Self.discardBytesMax:
        state = .discarding
        discardsLeft = left
        wait(policy.times.body)
        resumeInput()
        return
      default: break
      }
    }
    if case .none = unread, stash.isEmpty { return close() }
    // Unread bytes at a close would reset the connection, and the answer with it (RFC 9112, 9.6).
    state = .lingering
    discardsLeft = Self.lingerBytesMax
    socketOrNil?.shutdownWrite()
    socketOrNil?.interest = .read
    stash.removeAll()
    wait(Self.lingerTime)
  }

  /// Ends the connection after what is already waiting has been written. The client sees that something is missing:
  /// the answer's framing stays unfinished, or the connection is reset where there is no framing.
  func cutAfterDrain(abortively: Bool) {
    exchange = nil
    guard let socket = socketOrNil else { return }
    if abortively {
      socket.closeAbortively()
      return close()
    }
    if outlet.queue.isEmpty { return close() }
    closesWhenDrained = true
    state = .answering
    stall()
  }

  private func discard(_ bytes: UnsafeRawBufferPointer) -> Int {
    let used = Int(min(discardsLeft, UInt64(bytes.count)))
    discardsLeft -= UInt64(used)
    if discardsLeft == 0 {
      state = .idle
      wait(policy.times.idle)
    }
    return used
  }

  private func linger(_ bytes: UnsafeRawBufferPointer) -> Int {
    if UInt64(bytes.count) >= discardsLeft { close() } else { discardsLeft -= UInt64(bytes.count) }
    return bytes.count
  }

  /// The peer closed its side, or the connection broke: whatever was under way is of no use to anybody any more.
  private func left() {
    guard !isClosed else { return }
    let abandoned = exchange
    if abandoned != nil { core.counters.clientsLeft &+= 1 }
    close()
    abandoned?.clientLeft()
  }

  override func socketFailed(_ socket: Socket, _ error: SocketError) { left() }
  override func socketHungUp(_ socket: Socket) { left() }

  /// Closes at once. Whoever holds the exchange has been told, or is the caller.
  func close() {
    guard let socket = socketOrNil else { return }
    socketOrNil = nil
    state = .closed
    core.loop.atEndOfTurn(self)
    socket.close()
    outlet.close()
    stash.removeAll()
    head.removeAll()
    if let parser { core.giveRequestParser(parser) }
    parser = nil
    if let entry { core.cancel(entry) }
    entry = nil
    exchange = nil
    core.clients.remove(self)
    core.clientLeft()
  }

  /// No new requests: an idle connection closes, a busy one closes after its answer.
  func drain() {
    if state == .idle || state == .lingering || state == .discarding { close() }
  }

  /// The time for draining is over.
  func endForShutdown() {
    if let exchange {
      exchange.endForShutdown()
    } else {
      close()
    }
  }

  // MARK: Time

  /// Bounds the present state of reading by `time` nanoseconds from now; 0 is no bound.
  private func wait(_ time: UInt64) {
    deadline = time == 0 ? 0 : core.loop.now &+ time
    reschedule()
  }

  private func stall() {
    let time = policy.times.writeStall
    stallDeadline = time == 0 ? 0 : core.loop.now &+ time
    reschedule()
  }

  /// Sees to it that the timer fires no later than the nearest deadline. A later one is found when it fires.
  func reschedule() {
    let next = nearest(nearest(deadline, stallDeadline), exchange?.deadline ?? 0)
    guard next != 0, !isClosed else { return }
    if let entry {
      guard next < entryTime else { return }
      entryTime = next
      core.move(entry, to: next)
    } else {
      entryTime = next
      entry = core.schedule(self, at: next)
    }
  }

  /// The timer fired: something is due, or was put off since.
  func deadlineReached(_ now: UInt64) {
    entry = nil
    guard !isClosed else { return }
    if stallDeadline != 0, now >= stallDeadline {
      left()
    } else if deadline != 0, now >= deadline {
      deadline = 0
      timeRanOut()
    } else if let exchange, exchange.deadline != 0, now >= exchange.deadline {
      exchange.deadlineReached(now)
    }
    reschedule()
  }

  private func timeRanOut() {
    switch state {
    case .idle, .discarding, .lingering, .closed, .answering: close()
    case .head:
      guard let parser, parser.started else { return close() }
      let exchange = Exchange(client: self, parser: parser, head: HeadStore(), isPlaced: false)
      self.parser = nil
      self.exchange = exchange
      state = .answering
      exchange.fail(Failure(.downstream, .headTimeout))
    case .body: exchange?.fail(Failure(.downstream, .bodyTimeout))
    }
  }

  private static let readsPerWake = 4
  private static let stashBytesMax = 64 << 10
  private static let discardBytesMax: UInt64 = 256 << 10
  private static let lingerBytesMax: UInt64 = 4 << 20
  private static let lingerTime: UInt64 = 2_000_000_000
}

/// The nearer of two deadlines, where 0 is none.
@inline(__always)
func nearest(_ one: UInt64, _ other: UInt64) -> UInt64 {
  if one == 0 { return other }
  return other == 0 ? one : min(one, other)
}
