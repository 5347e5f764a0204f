// One connection of a client: reads requests, asks the routes, sends what the delivery says at the pace it says. Owned
// by its server; never waits and never holds more than one reply.
//
//   head ─▶ body ─▶ answering ─▶ head …          nothing is read while a reply is under way, so that pipelined requests
//     │       │         │                        wait in the kernel; a client that leaves is noticed all the same
//     └───────┴─────────┴──▶ lingering ─▶ closed

import Reactor
import Wire

/// A client's connection.
final class DemoConnection: SocketOwner {
  private enum Phase {
    case head, body, answering
    /// The last reply is out; what the client still sends is dropped, so that it can read the reply.
    case lingering
    case closed
  }

  private let server: DemoServer
  private let parser = MessageParser(role: .request)
  private let collector: BodyCollector
  private var socket: Socket?
  private var timer: Timer?
  private var phase = Phase.head
  /// Bytes that came and were not taken yet; while a head is incomplete, all of its bytes.
  private var input: [UInt8] = []
  /// Bytes of `input` the parser has seen.
  private var fed = 0
  private var request = DemoRequest()
  private var delivery: Delivery?
  /// Set once the delivery has said its last.
  private var ending: Delivery.Step?
  private var isPausing = false
  private var outbox = Outbox()

  /// Takes over `descriptor`, which is closed when this throws.
  init(descriptor: Int32, server: DemoServer) throws(SocketError) {
    self.server = server
    collector = BodyCollector(bytesMax: server.settings.bodyBytesMax)
    super.init()
    socket = try Socket.accepted(descriptor: descriptor, loop: server.loop, tls: nil, owner: self)
    listen()
  }

  // MARK: Events

  override func socketReadable(_ socket: Socket) {
    let room = server.loop.readRoom
    switch socket.read(into: room) {
    case .wouldBlock: break
    case .end, .failed: close()
    case .bytes(let count):
      guard phase != .lingering else { return }
      input.append(contentsOf: room[..<min(max(count, 0), room.count)])
      drive()
    }
  }

  override func socketWritable(_ socket: Socket) { drive() }

  override func socketFailed(_ socket: Socket, _ error: SocketError) { close() }

  /// The client left, before its reply or in the middle of it: nobody needs the rest.
  override func socketHungUp(_ socket: Socket) { close() }

  private func timerFired() {
    isPausing = false
    if phase == .lingering { close() } else { drive() }
  }

  /// Closes the connection and everything that belongs to it.
  func close() {
    guard phase != .closed else { return }
    if phase == .answering {
      server.counters.count {
        $0.answering -= 1
        $0.abandoned += 1
      }
    }
    phase = .closed
    timer?.close()
    timer = nil
    delivery = nil
    socket?.close()
    server.forget(self)
  }

  // MARK: Progress

  /// Does what can be done now. A loop, not a recursion: a client may pipeline any number of requests.
  private func drive() {
    var goesOn = true
    while goesOn {
      switch phase {
      case .head: goesOn = flush() && readHead()
      case .body: goesOn = flush() && readBody()
      case .answering: goesOn = answer()
      case .lingering, .closed: goesOn = false
      }
    }
    listen()
  }

  /// Tells the socket what is of interest in this phase.
  private func listen() {
    guard let socket, phase != .closed else { return }
    var interest: Socket.Interest = phase == .answering ? .hangup : .read
    if !outbox.isEmpty { interest.insert(.write) }
    socket.interest = interest
  }

  private func after(_ nanoseconds: UInt64) {
    let timer = self.timer ?? Timer(loop: server.loop) { self.timerFired() }
    // The timer holds the connection; close() closes the timer, which drops the closure.
    self.timer = timer
    isPausing = true
    timer.arm(afterNanoseconds: nanoseconds)
  }

  // MARK: Reading

  private func readHead() -> Bool {
    guard fed < input.count else { return false }
    let from = fed
    let progress = input.withUnsafeBytes { parser.parseHead(UnsafeRawBufferPointer(rebasing: $0[from...])) }
    switch progress {
    case .more:
      fed = input.count
      return false
    case .failed(let error):
      refuse(DemoReply(framing: error))
    case .complete(let consumed):
      let end = min(from + consumed, input.count)
      readFields(end)
      input.removeFirst(end)
      fed = 0
      if case .length(let length) = parser.framing, length > UInt64(clamping: collector.bytesMax) {
        refuse(DemoReply(error: .bodyTooLarge))
      } else if parser.isComplete {
        beginAnswer()
      } else {
        phase = .body
      }
    }
    return true
  }

  /// Takes out of the head what the routes need. `end` is where it ends in the input.
  private func readFields(_ end: Int) {
    input.withUnsafeBytes { bytes in
      let head = parser.head
      let start = min(max(end - head.byteCount, 0), end)
      // SAFETY: the head's bytes are the last ones before `end`; the address is taken back before the buffer may move.
      head.base = bytes.baseAddress.map { $0 + start }
      defer { head.base = nil }
      func text(_ span: Span?) -> String? { span.map { String(decoding: head.bytes($0), as: UTF8.self) } }
      request = DemoRequest(
        method: text(head.methodSpan) ?? "", path: text(head.path) ?? "",
        // A longer one is nobody's id, and would not fit into our head.
        requestID: text(head.first(.xRequestID).flatMap { $0.count <= 200 ? $0 : nil }),
        wishes: text(head.first(named: "x-demo")) ?? "", versionMinor: head.versionMinor,
        keepAlive: parser.keepAlive)
      // RFC 9110 10.1.1: only when the client is really waiting.
      if !parser.isComplete, end == bytes.count, head.versionMinor > 0, head.lists(.expect, "100-continue") {
        outbox.bytes.append(contentsOf: "HTTP/1.1 100 Continue\r\n\r\n".utf8)
      }
    }
  }

  private func readBody() -> Bool {
    guard !input.isEmpty else { return false }
    let progress = input.withUnsafeBytes { parser.parseBody($0, to: collector) }
    guard !collector.overflowed else {
      refuse(DemoReply(error: .bodyTooLarge))
      return true
    }
    switch progress {
    case .more:
      input.removeAll(keepingCapacity: true)
      return false
    case .failed(let error): refuse(DemoReply(framing: error))
    case .complete(let consumed):
      input.removeFirst(min(consumed, input.count))
      request.body = collector.take()
      beginAnswer()
    }
    return true
  }

  // MARK: Answering

  private func beginAnswer() {
    server.counters.count { $0.requests += 1 }
    begin(server.routes.reply(to: request, counters: server.counters.current))
  }

  /// Answers a message whose end is not known, so that nothing can follow it.
  private func refuse(_ reply: DemoReply) {
    input = []
    fed = 0
    request.keepAlive = false
    begin(reply)
  }

  private func begin(_ reply: DemoReply) {
    phase = .answering
    server.counters.count { $0.answering += 1 }
    delivery = Delivery(reply, to: request, settings: server.settings)
    request.body = []
  }

  /// Sends what is due. True when the reply is over and the connection goes on.
  private func answer() -> Bool {
    var produced = 0
    while phase == .answering {
      guard flush() else { return false }
      if let ending { return end(ending) }
      guard !isPausing else { return false }
      guard produced < Self.turnBytesMax else {
        // A client that reads as fast as we write must not keep the loop from the others.
        after(0)
        return false
      }
      produce()
      produced += outbox.bytes.count
    }
    return false
  }

  /// Lets the delivery write until it pauses, ends, or there is enough for one write.
  private func produce() {
    while outbox.bytes.count < Self.highMark {
      guard let step = delivery?.next(into: &outbox.bytes) else { return }
      switch step {
      case .more: continue
      case .wait(let nanoseconds): after(nanoseconds)
      case .finished, .cut, .reset, .stalled: ending = step
      }
      return
    }
  }

  private func end(_ step: Delivery.Step) -> Bool {
    switch step {
    case .finished(let keepAlive):
      server.counters.count {
        $0.answering -= 1
        $0.answered += 1
      }
      delivery = nil
      ending = nil
      guard keepAlive else {
        linger()
        return false
      }
      request = DemoRequest()
      collector.reset()
      parser.reset()
      phase = .head
      return true
    case .cut, .reset:
      server.counters.count {
        $0.answering -= 1
        $0.cut += 1
      }
      phase = .lingering
      if step == .reset { socket?.closeAbortively() }
      close()
    case .stalled, .more, .wait: break
    }
    return false
  }

  /// Closes as RFC 9112 9.6 wants it: what the client still sends would otherwise make the kernel throw the reply away.
  private func linger() {
    phase = .lingering
    input = []
    socket?.shutdownWrite()
    after(Self.lingerNanoseconds)
  }

  // MARK: Writing

  /// Sends what was written. False when the socket is full, or gone.
  private func flush() -> Bool {
    guard let socket else { return false }
    switch outbox.flush(to: socket, server.loop.batch) {
    case .empty: return true
    case .full: return false
    case .failed:
      close()
      return false
    }
  }

  /// Bytes of a stream that are written together at most.
  private static let highMark = 16_384
  /// Bytes sent for one connection in one turn of the loop.
  private static let turnBytesMax = 1_048_576
  private static let lingerNanoseconds: UInt64 = 1_000_000_000
}
