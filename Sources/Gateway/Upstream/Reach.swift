// Whether somebody listens where an endpoint is said to be. A connection that is closed again at once: it costs a backend
// next to nothing, and says nothing about what the backend would answer.

import Reactor

extension Core {
  /// Whether any of `endpoints` can be connected to within `timeMax` nanoseconds.
  public func reachesAny(of endpoints: [Endpoint], within timeMax: UInt64, on loop: isolated LoopActor) async -> Bool {
    guard !endpoints.isEmpty else { return false }
    return await withCheckedContinuation { continuation in
      Reach(endpoints, core: self) { continuation.resume(returning: $0) }.start(timeMax)
    }
  }
}

/// Connections to several endpoints at once, until one of them stands. Its core keeps it until it has told, once.
private final class Reach: Errand {
  private let endpoints: [Endpoint]
  private let core: Core
  private var done: ((Bool) -> Void)?
  private var attempts: [Attempt] = []
  private var left: Int
  private var timer: Timer?

  init(_ endpoints: [Endpoint], core: Core, _ done: @escaping (Bool) -> Void) {
    self.endpoints = endpoints
    self.core = core
    self.done = done
    left = endpoints.count
  }

  func start(_ timeMax: UInt64) {
    core.began(self)
    let timer = Timer(loop: core.loop) { [unowned self] in end(false) }
    self.timer = timer
    timer.arm(afterNanoseconds: max(timeMax, 1_000_000))
    for endpoint in endpoints {
      switch endpoint.place {
      case .unix(let path): connect(SocketAddress(unixPath: path).map { [$0] } ?? [])
      case .host(let host, let port):
        core.resolver.resolve(host: host, port: port) { [self] result in
          connect((try? result.get()) ?? [])
        }
      }
    }
  }

  private func connect(_ addresses: [SocketAddress]) {
    guard done != nil else { return }
    var begun = false
    for address in addresses {
      guard let attempt = Attempt(address, core, self) else { continue }
      attempts.append(attempt)
      if begun { left += 1 }
      begun = true
    }
    if !begun { failed() }
  }

  func abandon() { end(false) }

  fileprivate func failed() {
    left -= 1
    if left <= 0 { end(false) }
  }

  fileprivate func end(_ reached: Bool) {
    guard let done else { return }
    self.done = nil
    timer?.close()
    timer = nil
    for attempt in attempts { attempt.close() }
    attempts = []
    core.ended(self)
    done(reached)
  }
}

private final class Attempt: SocketOwner {
  private let core: Core
  private weak var reach: Reach?
  private var socket: Socket?

  init?(_ address: SocketAddress, _ core: Core, _ reach: Reach) {
    self.core = core
    self.reach = reach
    super.init()
    socket = try? Socket.connect(to: address, loop: core.loop, tls: nil, serverName: nil, owner: self)
    if socket == nil { return nil }
  }

  override func socketOpened(_ socket: Socket) { reach?.end(true) }

  override func socketFailed(_ socket: Socket, _ error: SocketError) {
    close()
    reach?.failed()
  }

  func close() {
    guard let socket else { return }
    self.socket = nil
    core.loop.atEndOfTurn(self)
    socket.close()
  }
}
