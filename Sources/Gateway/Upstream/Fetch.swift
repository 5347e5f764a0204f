// Requests of the gateway's own: what a plugin asks of an auth service, a key server, a deployment. One connection each, on
// the loop of whoever asks, without a thread hop; small answers, read whole, within a time that is always bounded.

import Bytes
import Reactor
import Wire

/// A request that a plugin makes.
public struct FetchRequest: Sendable {
  public var method = "GET"
  /// Path and query.
  public var target: String
  /// Fields beside Host and the framing ones. Values with control bytes are left out.
  public var fields: [(name: String, value: String)] = []
  public var body: [UInt8] = []
  /// The name to ask for and to verify over TLS; nil takes the endpoint's host.
  public var serverName: String?
  /// For all of it, in nanoseconds.
  public var timeMax: UInt64 = 5_000_000_000
  /// Largest answer, in bytes.
  public var bytesMax = 1 << 20

  public init(target: String) { self.target = target }
}

/// Where requests of the gateway's own go again and again: one path of one server.
public struct FetchPlace: Sendable {
  public let endpoint: Endpoint
  public let tls: TLSClientContext?
  public let path: String

  public init(endpoint: Endpoint, tls: TLSClientContext?, path: String) {
    self.endpoint = endpoint
    self.tls = tls
    self.path = path
  }
}

/// A whole answer.
public struct FetchAnswer: Sendable {
  public let status: Int
  /// Names as they came.
  public let fields: [(name: String, value: String)]
  public let body: [UInt8]

  /// The value of the first field called `name`, in any case.
  public func field(_ name: String) -> String? {
    fields.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}

/// Why there is no answer.
public struct FetchError: Error, Sendable, CustomStringConvertible {
  public let description: String
  /// Whether there was no answer in time, so that nothing is known of what was asked.
  public let isTimeout: Bool
}

extension Core {
  /// Asks the server of `place`, and waits for its answer on this core's loop.
  public func fetch(
    _ request: FetchRequest, from place: FetchPlace, on loop: isolated LoopActor
  ) async throws(FetchError) -> FetchAnswer {
    try await fetch(request, from: place.endpoint, tls: place.tls, on: loop)
  }

  /// Asks `endpoint`, and waits for its answer on this core's loop.
  public func fetch(
    _ request: FetchRequest, from endpoint: Endpoint, tls: TLSClientContext? = nil, on loop: isolated LoopActor
  ) async throws(FetchError) -> FetchAnswer {
    let outcomes = await fetch([(request, endpoint, tls)], on: loop)
    guard let outcome = outcomes.first else { throw FetchError(description: "nothing was asked", isTimeout: false) }
    return try outcome.get()
  }

  /// Asks for several things at once; their outcomes, in the same order, when all are there.
  public func fetch(
    _ requests: [(request: FetchRequest, endpoint: Endpoint, tls: TLSClientContext?)], on loop: isolated LoopActor
  ) async -> [Result<FetchAnswer, FetchError>] {
    guard !requests.isEmpty else { return [] }
    return await withCheckedContinuation { continuation in
      let round = FetchRound(requests.count) { continuation.resume(returning: $0) }
      for (index, asked) in requests.enumerated() {
        Fetch(asked.request, asked.endpoint, asked.tls, core: self) { round.take($0, at: index) }.start()
      }
    }
  }
}

/// Fetches that were begun together.
private final class FetchRound {
  private var outcomes: [Result<FetchAnswer, FetchError>?]
  private var left: Int
  private let done: ([Result<FetchAnswer, FetchError>]) -> Void

  init(_ count: Int, _ done: @escaping ([Result<FetchAnswer, FetchError>]) -> Void) {
    outcomes = Array(repeating: nil, count: count)
    left = count
    self.done = done
  }

  func take(_ outcome: Result<FetchAnswer, FetchError>, at index: Int) {
    guard outcomes.indices.contains(index), outcomes[index] == nil else { return }
    outcomes[index] = outcome
    left -= 1
    if left == 0 { done(outcomes.compactMap { $0 }) }
  }
}

/// Something that a plugin waits for, apart from any exchange. Its core keeps it, and has it end before it stops.
protocol Errand: AnyObject {
  /// Ends it now, and tells whoever waits.
  func abandon()
}

/// One request under way. Its core keeps it until it has told its outcome, once.
private final class Fetch: SocketOwner, PayloadSink, Errand {
  private let request: FetchRequest
  private let endpoint: Endpoint
  private let tls: TLSClientContext?
  private let core: Core
  private var done: ((Result<FetchAnswer, FetchError>) -> Void)?
  private var addresses: [SocketAddress] = []
  private var socket: Socket?
  private var timer: Timer?
  private let parser = MessageParser(role: .response)
  private var head = HeadStore()
  private var out: [UInt8] = []
  private var sent = 0
  private var body: [UInt8] = []

  init(
    _ request: FetchRequest, _ endpoint: Endpoint, _ tls: TLSClientContext?, core: Core,
    _ done: @escaping (Result<FetchAnswer, FetchError>) -> Void
  ) {
    self.request = request
    self.endpoint = endpoint
    self.tls = tls
    self.core = core
    self.done = done
  }

  func start() {
    core.began(self)
    parser.reset(bodiless: request.method == "HEAD")
    // A request of one's own is one request, whatever went into its target.
    guard (request.method + request.target).utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }), request.target.hasPrefix("/")
    else {
      return fail("the request's target has bytes that no target has")
    }
    out = bytes()
    let timer = Timer(loop: core.loop) { [unowned self] in
      fail("no answer within \(request.timeMax / 1_000_000) ms", isTimeout: true)
    }
    self.timer = timer
    timer.arm(afterNanoseconds: max(request.timeMax, 1_000_000))
    switch endpoint.place {
    case .unix(let path):
      addresses = SocketAddress(unixPath: path).map { [$0] } ?? []
      connect("not a path of a socket")
    case .host(let host, let port):
      core.resolver.resolve(host: host, port: port) { [self] result in
        switch result {
        case .success(let found):
          addresses = found.reversed()
          connect("no address")
        case .failure(let error): fail("\(error)")
        }
      }
    }
  }

  private func bytes() -> [UInt8] {
    var head =
      "\(request.method) \(request.target) HTTP/1.1\r\nHost: \(String(decoding: endpoint.authority, as: UTF8.self))"
    head += "\r\nConnection: close\r\nUser-Agent: sluice\r\n"
    for (name, value) in request.fields where !(name + value).utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
      head += "\(name): \(value)\r\n"
    }
    if !request.body.isEmpty { head += "Content-Length: \(request.body.count)\r\n" }
    return Array(head.utf8) + Array("\r\n".utf8) + request.body
  }

  private func connect(_ last: String) {
    guard done != nil else { return }
    var last = last
    while let address = addresses.popLast() {
      var name = request.serverName
      if name == nil, case .host(let host, _) = endpoint.place { name = host }
      do throws(SocketError) {
        socket = try Socket.connect(to: address, loop: core.loop, tls: tls, serverName: name, owner: self)
        return
      } catch {
        last = "\(error)"
      }
    }
    fail(last)
  }

  // MARK: Events

  override func socketOpened(_ socket: Socket) {
    socket.interest = .read
    write(socket)
  }

  override func socketWritable(_ socket: Socket) { write(socket) }

  override func socketFailed(_ socket: Socket, _ error: SocketError) {
    guard sent == 0, !addresses.isEmpty else { return fail("\(error)") }
    closeSocket()
    connect("\(error)")
  }

  override func socketReadable(_ socket: Socket) {
    let room = core.loop.readRoom
    switch socket.read(into: room) {
    case .wouldBlock: break
    case .failed(let error): fail("\(error)")
    case .end:
      if parser.headIsComplete, parser.finish() { finish() } else { fail("closed before the answer was whole") }
    case .bytes(let count): take(UnsafeRawBufferPointer(rebasing: room[..<min(max(count, 0), room.count)]))
    }
  }

  private func write(_ socket: Socket) {
    let batch = core.loop.batch
    batch.reset()
    let outcome = out.withUnsafeBytes { bytes in
      batch.add(UnsafeRawBufferPointer(rebasing: bytes[min(sent, bytes.count)...]))
      return socket.write(batch)
    }
    switch outcome {
    case .failed(let error): fail("\(error)")
    case .wrote(let count):
      sent += count
      if sent < out.count { socket.interest.insert(.write) } else { socket.interest.remove(.write) }
    }
  }

  // MARK: The answer

  private func take(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes
    while !parser.headIsComplete, rest.count > 0 {
      switch parser.parseHead(rest) {
      case .failed(let error): return fail("\(error.reason)")
      case .more:
        head.append(rest, limit: HeadLimits().headBytesMax)
        return
      case .complete(let consumed):
        let used = min(max(consumed, 0), rest.count)
        head.append(UnsafeRawBufferPointer(rebasing: rest[..<used]), limit: HeadLimits().headBytesMax)
        rest = UnsafeRawBufferPointer(rebasing: rest[used...])
        guard parser.head.status < 200 else { break }
        head.removeAll()
        parser.reset(bodiless: request.method == "HEAD")
      }
    }
    if parser.isComplete { return finish() }
    guard rest.count > 0 else { return }
    switch parser.parseBody(rest, to: self) {
    case .failed: fail("broken chunk framing")
    case .more: if body.count > request.bytesMax { fail("an answer of more than \(request.bytesMax) bytes") }
    case .complete: finish()
    }
  }

  func payload(_ bytes: UnsafeRawBufferPointer) {
    if body.count <= request.bytesMax { body.append(contentsOf: bytes) }
  }

  private func finish() {
    guard body.count <= request.bytesMax else { return fail("an answer of more than \(request.bytesMax) bytes") }
    let parsed = parser.head
    parsed.base = head.base(of: parsed)
    func text(_ span: Span) -> String { String(decoding: parsed.bytes(span), as: UTF8.self) }
    let fields = (0..<parsed.fieldCount).map {
      (name: text(parsed.field($0).name), value: text(parsed.field($0).value))
    }
    end(.success(FetchAnswer(status: parsed.status, fields: fields, body: body)))
  }

  func abandon() { fail("the gateway stops") }

  private func fail(_ reason: String, isTimeout: Bool = false) {
    end(.failure(FetchError(description: "\(endpoint.name): \(reason)", isTimeout: isTimeout)))
  }

  private func end(_ result: Result<FetchAnswer, FetchError>) {
    guard let done else { return }
    self.done = nil
    closeSocket()
    timer?.close()
    timer = nil
    core.ended(self)
    done(result)
  }

  private func closeSocket() {
    guard let socket else { return }
    self.socket = nil
    core.loop.atEndOfTurn(self)
    socket.close()
  }
}
