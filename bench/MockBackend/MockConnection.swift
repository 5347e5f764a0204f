// One connection of a mock backend: reads requests, throws their bodies away, answers. Owned by its server. How an
// answer is sent is in Sending.swift.
//
//   head ─▶ body ─▶ pausing (delay) ─▶ sending ─▶ head …        stalled: a lie, nothing comes any more

import Reactor
import Stamp
import Wire

/// A client's connection.
final class MockConnection: SocketOwner, PayloadSink {
  enum Phase {
    case head, body, pausing, sending, stalled, closed
  }

  enum Kind {
    case chat, models, health, unknown
  }

  let server: MockServer
  private let parser = MessageParser(role: .request)
  private var scanner = JSONMemberScanner()
  private var socket: Socket?
  var phase = Phase.head
  /// The head as far as it came, when it did not come in one piece.
  private var headBytes: [UInt8] = []
  /// What came while an answer was under way: the next request.
  private var pipelined: [UInt8] = []
  private var keepAlive = true
  private var kind = Kind.unknown
  var profile: Profile
  var sending = Sending()
  /// Set by the pacer.
  var dueSlot: UInt64 = 0

  var isClosed: Bool { phase == .closed }

  /// Takes over `descriptor`, which is closed when this throws.
  init(descriptor: Int32, server: MockServer) throws(SocketError) {
    self.server = server
    profile = server.defaultProfile
    super.init()
    let socket = try Socket.accepted(descriptor: descriptor, loop: server.loop, tls: nil, owner: self)
    // Reading is never switched off: bytes in the middle of an answer are the end, or a request that comes early.
    socket.interest = .read
    self.socket = socket
  }

  // MARK: Events

  override func socketReadable(_ socket: Socket) {
    let room = server.loop.readRoom
    switch socket.read(into: room) {
    case .wouldBlock: break
    case .end, .failed: close()
    case .bytes(let count):
      take(UnsafeRawBufferPointer(rebasing: room[..<min(max(count, 0), room.count)]))
    }
  }

  override func socketWritable(_ socket: Socket) {
    if phase == .sending { advance(server.loop.now) }
  }

  override func socketFailed(_ socket: Socket, _ error: SocketError) { close() }

  /// The pacer's call: a pause is over.
  func due(now: UInt64) {
    switch phase {
    case .pausing:
      phase = .sending
      advance(now)
    case .sending: advance(now)
    case .head, .body, .stalled, .closed: break
    }
  }

  func close() {
    guard phase != .closed else { return }
    phase = .closed
    socket?.close()
    server.forget(self)
  }

  // MARK: Reading

  func payload(_ bytes: UnsafeRawBufferPointer) { scanner.scan(bytes) }

  private func take(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes
    while !rest.isEmpty {
      let consumed: Int?
      switch phase {
      case .head: consumed = takeHead(rest)
      case .body: consumed = takeBody(rest)
      case .pausing, .sending, .stalled:
        pipelined.append(contentsOf: rest)
        return
      case .closed: return
      }
      guard let consumed else {
        close()
        return
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[min(consumed, rest.count)...])
    }
  }

  /// How many bytes belong to the head; nil when it can not be read.
  private func takeHead(_ bytes: UnsafeRawBufferPointer) -> Int? {
    switch parser.parseHead(bytes) {
    case .failed: return nil
    case .more:
      headBytes.append(contentsOf: bytes)
      return bytes.count
    case .complete(let consumed):
      let isWhole = parser.head.base != nil
      if isWhole {
        readFields()
      } else {
        headBytes.append(contentsOf: bytes[..<min(consumed, bytes.count)])
        headBytes.withUnsafeBytes {
          parser.head.base = $0.baseAddress.map { $0 + parser.headOffset }
          readFields()
          parser.head.base = nil
        }
        headBytes = []
      }
      if parser.isComplete {
        answer()
      } else {
        phase = .body
        if parser.head.lists(.expect, "100-continue"), consumed == bytes.count { sayContinue() }
      }
      return consumed
    }
  }

  private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int? {
    switch parser.parseBody(bytes, to: self) {
    case .failed: return nil
    case .more: return bytes.count
    case .complete(let consumed):
      answer()
      return consumed
    }
  }

  private func readFields() {
    let head = parser.head
    let path = head.bytes(head.path)
    keepAlive = parser.keepAlive
    kind =
      switch head.method {
      case .post where ByteRun.ends(path, with: "/chat/completions"): .chat
      case .get where ByteRun.ends(path, with: "/models"): .models
      case .get where ByteRun.ends(path, with: "/health"): .health
      default: .unknown
      }
    // Nearly all heads have no more than a handful of lines.
    profile = head.first(named: "x-mock").map { server.profile(for: head.bytes($0)) } ?? server.defaultProfile
  }

  private func sayContinue() {
    guard let socket else { return }
    _ = Self.proceed.withUnsafeBytes { proceed in
      server.loop.batch.reset()
      server.loop.batch.add(proceed)
      return socket.write(server.loop.batch)
    }
  }

  // MARK: Answering

  private func answer() {
    let isStream = scanner.stream == true
    let wantsUsage = scanner.includeUsage == true
    scanner = JSONMemberScanner()
    let now = server.loop.now
    switch kind {
    case .chat: sending.begin(isStream ? .stream : .answer, profile, usage: wantsUsage, now: now)
    case .models: sending.begin(.fixed(server.modelList), profile, usage: false, now: now)
    case .health: sending.begin(.fixed(server.healthy), profile, usage: false, now: now)
    case .unknown: sending.begin(.fixed(server.notFound), profile, usage: false, now: now)
    }
    phase = .sending
    if profile.settings.delayMicroseconds > 0, kind == .chat, !sending.isStream {
      phase = .pausing
      server.pacer.wake(self, at: now &+ UInt64(profile.settings.delayMicroseconds) &* 1_000, now: now)
    } else {
      advance(now)
    }
  }

  /// Sends what is due.
  private func advance(_ now: UInt64) {
    guard let socket else { return }
    switch sending.advance(profile, socket, server.loop, now: now, noise: server.noise()) {
    case .blocked:
      socket.interest = [.read, .write]
    case .wait(let due):
      socket.interest = .read
      server.pacer.wake(self, at: due, now: now)
    case .finished:
      socket.interest = .read
      finish()
    case .stalled:
      socket.interest = .read
      phase = .stalled
    case .cut, .failed: close()
    }
  }

  private func finish() {
    guard keepAlive else { return close() }
    parser.reset()
    phase = .head
    guard !pipelined.isEmpty else { return }
    let early = pipelined
    pipelined = []
    early.withUnsafeBytes { take($0) }
  }

  private static let proceed = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
}
