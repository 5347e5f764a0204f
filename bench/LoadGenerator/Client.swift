// One connection of a load: sends a request, reads its answer, tells its lane how it went. Owned by its lane, lives on
// one loop; what it does next is the lane's decision.
//
//   closed ─▶ connecting ─▶ idle ─▶ awaiting ─▶ idle …        held: the head came, and nothing more is read
//      ▲                                │
//      └──── failed, or not kept alive ─┘

import Bytes
import Glibc
import Reactor
import Wire

/// How an exchange failed.
enum Failure {
  case connect(SocketError)
  case closed
  case timeout
  case framing
  /// Bytes came on an idle connection.
  case unasked
}

/// A client with one connection at a time.
final class Client: SocketOwner {
  enum Phase {
    case closed, connecting, idle, awaiting, held
  }

  private let lane: Lane
  private let loop: Loop
  private let parser = MessageParser(role: .response)
  private let events: EventReader
  private let body: BodyReader
  private var socket: Socket?
  private(set) var phase = Phase.closed
  /// Bytes of the request that are out.
  private var sent = 0
  /// When the request was sent, or was due.
  private var startedAt: UInt64 = 0
  /// When anything happened last; what timeouts are counted from.
  private(set) var progressAt: UInt64 = 0
  /// The status of an answer whose body is under way.
  private var status = 0
  /// Whether this stream has its first event, or was stalled; for lanes that hold.
  private(set) var isOpen = false
  /// Whether its first connection was opened, or could not be. The run's.
  var isSettled = false

  init(lane: Lane, loop: Loop) {
    self.lane = lane
    self.loop = loop
    events = EventReader(tally: lane.tally, expected: lane.expected)
    body = BodyReader(expected: lane.expected)
  }

  // MARK: Deeds of the lane

  /// Opens a connection. The lane hears `opened` or `failed` later.
  func connect(to address: SocketAddress, tls: TLSClientContext?, serverName: String?) {
    close()
    phase = .connecting
    progressAt = loop.now
    do {
      socket = try Socket.connect(to: address, loop: loop, tls: tls, serverName: serverName, owner: self)
    } catch {
      phase = .closed
      lane.failed(self, .connect(error))
    }
  }

  /// Sends a request that was due at `time`, in nanoseconds on the loop's clock. False when it cannot: it is still due.
  func ask(at time: UInt64) -> Bool {
    guard phase == .idle else { return false }
    phase = .awaiting
    startedAt = time
    progressAt = loop.now
    sent = 0
    isOpen = false
    parser.reset()
    if lane.isStream { events.begin(at: time) }
    send()
    return true
  }

  /// Ends the connection, whatever is under way.
  func close() {
    guard phase != .closed else { return }
    phase = .closed
    socket?.close()
    socket = nil
    // It may be inside one of its socket's calls; the lane keeps the client itself.
    isOpen = false
  }

  private func fail(_ failure: Failure) {
    close()
    lane.failed(self, failure)
  }

  /// What is wrong with the stream under way, as far as it came: a window that ends in mid-stream knows it too.
  var faultsSoFar: Faults { phase == .awaiting && lane.isStream && parser.headIsComplete ? events.faultsSoFar : [] }

  /// When the request under way was due, and whether anything of its answer is there; nil when there is none.
  var underWay: (dueAt: UInt64, hasContent: Bool)? {
    phase == .awaiting ? (startedAt, lane.isStream && events.eventCount > 0) : nil
  }

  /// Whether something must happen soon. Streams that are held may be silent.
  var isAwaited: Bool { (phase == .awaiting && !isOpen) || phase == .connecting }

  /// Whether a stream is held and read: its events go on.
  var isHeld: Bool { phase == .awaiting && isOpen }

  /// Nothing has happened for too long.
  func timeOut() {
    fail(phase == .connecting ? .connect(SocketError(code: ETIMEDOUT, operation: "connect")) : .timeout)
  }

  // MARK: Events

  override func socketOpened(_ socket: Socket) {
    phase = .idle
    // Reading is never switched off: no request costs a call to tell the kernel so.
    socket.interest = .read
    lane.opened(self)
  }

  override func socketFailed(_ socket: Socket, _ error: SocketError) {
    if phase == .connecting { fail(.connect(error)) } else { ended() }
  }

  override func socketHungUp(_ socket: Socket) { ended() }

  override func socketWritable(_ socket: Socket) { send() }

  override func socketReadable(_ socket: Socket) {
    let room = loop.readRoom
    switch socket.read(into: room) {
    case .wouldBlock: break
    case .end, .failed: ended()
    case .bytes(let count):
      let now = loop.now
      if phase == .awaiting, now > progressAt, now &- progressAt > lane.tally.longestPause {
        lane.tally.longestPause = now &- progressAt
      }
      progressAt = now
      lane.tally.bytes &+= UInt64(count)
      take(UnsafeRawBufferPointer(rebasing: room[..<min(max(count, 0), room.count)]), now)
    }
  }

  // MARK: Sending

  private func send() {
    guard let socket, phase == .awaiting else { return }
    let request = lane.request.bytes
    guard sent < request.count else {
      socket.interest = .read
      return
    }
    let batch = loop.batch
    batch.reset()
    batch.add(sent == 0 ? request : UnsafeRawBufferPointer(rebasing: request[sent...]))
    switch socket.write(batch) {
    // What the server said before it closed can still be read.
    case .failed: socket.interest = .read
    case .wrote(let count):
      sent += count
      lane.tally.bytesSent &+= UInt64(count)
      if count > 0 { progressAt = loop.now }
      socket.interest = sent < request.count ? [.read, .write] : .read
    }
  }

  // MARK: Reading

  /// The server closed.
  private func ended() {
    switch phase {
    case .awaiting:
      if parser.headIsComplete, !parser.isComplete, parser.finish() {
        complete(loop.now)
      } else {
        fail(.closed)
      }
    case .idle:
      // Nobody waits for an answer: servers may close what is idle.
      close()
      lane.lost(self)
    case .held: fail(.closed)
    case .connecting, .closed: break
    }
  }

  private func take(_ bytes: UnsafeRawBufferPointer, _ now: UInt64) {
    guard phase == .awaiting else { return fail(.unasked) }
    var rest = bytes
    if !parser.headIsComplete {
      guard case .complete(let consumed) = readHead(rest) else { return }
      rest = UnsafeRawBufferPointer(rebasing: rest[min(consumed, rest.count)...])
      if lane.pace == .stall, status == 200 { return stall() }
    }
    if !parser.isComplete {
      guard !rest.isEmpty else { return }
      let isStream = lane.isStream && status == 200
      if isStream { events.beginRead(at: now) }
      let progress = isStream ? parser.parseBody(rest, to: events) : parser.parseBody(rest, to: body)
      if isStream { events.endRead() }
      switch progress {
      case .more:
        if lane.pace == .hold, !isOpen, events.eventCount > 0 {
          isOpen = true
          lane.held(self)
        }
        return
      case .failed: return fail(.framing)
      case .complete(let consumed): rest = UnsafeRawBufferPointer(rebasing: rest[min(consumed, rest.count)...])
      }
    }
    // Nothing was asked that this could be the answer to.
    guard rest.isEmpty else { return fail(.framing) }
    complete(now)
  }

  private func readHead(_ bytes: UnsafeRawBufferPointer) -> MessageParser.HeadProgress {
    let progress = parser.parseHead(bytes)
    switch progress {
    case .more: break
    case .failed: fail(.framing)
    case .complete(let consumed):
      status = parser.head.status
      if status < 200 {
        // 100 Continue and its like: the answer is still to come.
        parser.reset()
        let rest = UnsafeRawBufferPointer(rebasing: bytes[min(consumed, bytes.count)...])
        guard case .complete(let more) = rest.isEmpty ? .more : readHead(rest) else { return .more }
        return .complete(consumed: consumed + more)
      }
      if status != 200 || !lane.isStream { body.begin(keeping: status == 200 ? lane.keptBytes : 512) }
    }
    return progress
  }

  private func stall() {
    phase = .held
    isOpen = true
    socket?.interest = .hangup
    lane.held(self)
  }

  private func complete(_ now: UInt64) {
    let keepsAlive = parser.keepAlive && sent == lane.request.count
    let latency = now > startedAt ? now &- startedAt : 0
    if keepsAlive { phase = .idle } else { close() }
    if status != 200 {
      lane.refused(self, status: status, body.kept)
    } else {
      let faults = lane.isStream ? events.end() : body.end()
      let tokens =
        lane.isStream ? events.tokens : lane.keptBytes > 0 ? body.kept.withUnsafeBytes(Delta.completionTokens) : nil
      lane.answered(
        self, latency: latency, faults: faults, tokens: tokens, events: lane.isStream ? events.eventCount : 0)
    }
  }
}
