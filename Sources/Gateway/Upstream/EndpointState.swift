// One endpoint on one core: its addresses, refreshed off the loop, and its idle connections.

import Flow
import Reactor

/// Addresses and idle connections of an endpoint.
final class EndpointState {
  private(set) var endpoint: Endpoint
  private(set) var cluster: Cluster
  private unowned let core: Core
  private var idle: IdlePool<UpstreamConnection>
  private var addresses: [SocketAddress] = []
  private var resolvedAt: UInt64 = 0
  private var isLiteral = false
  private var isResolving = false
  private var isClosed = false
  private var waiting: [(Result<[SocketAddress], ReactorError>) -> Void] = []

  init(_ endpoint: Endpoint, _ cluster: Cluster, core: Core) {
    self.endpoint = endpoint
    self.cluster = cluster
    self.core = core
    idle = IdlePool(idleMax: cluster.idleMax, idleNanosecondsMax: cluster.idleAge)
    switch endpoint.place {
    case .unix(let path):
      addresses = SocketAddress(unixPath: path).map { [$0] } ?? []
      isLiteral = true
    case .host(let host, let port):
      if let address = SocketAddress(literal: host, port: port) {
        addresses = [address]
        isLiteral = true
      }
    }
  }

  /// How to speak TLS with it; nil is plain HTTP.
  var tls: TLSClientContext? { endpoint.usesTLS ? cluster.tls : nil }

  /// A newer configuration reaches the same place.
  func adopt(_ endpoint: Endpoint, _ cluster: Cluster) {
    self.endpoint = endpoint
    self.cluster = cluster
    // A new limit takes effect for what comes back from now on; what is idle now is closed rather than moved over.
    if cluster.idleMax != idle.idleMax || cluster.idleAge != idle.idleNanosecondsMax {
      closeIdle()
      idle = IdlePool(idleMax: cluster.idleMax, idleNanosecondsMax: cluster.idleAge)
    }
  }

  // MARK: Addresses

  /// The addresses to connect to, at once or after a look-up. Old ones serve while newer ones are asked for.
  func withAddresses(_ now: UInt64, _ then: @escaping (Result<[SocketAddress], ReactorError>) -> Void) {
    if isLiteral { return then(.success(addresses)) }
    let isStale = addresses.isEmpty || now &- resolvedAt > core.snapshot.resolveAge
    if !addresses.isEmpty {
      if isStale { resolve() }
      return then(.success(addresses))
    }
    waiting.append(then)
    resolve()
  }

  private func resolve() {
    guard !isResolving, case .host(let host, let port) = endpoint.place else { return }
    isResolving = true
    core.resolver.resolve(host: host, port: port) { [self] result in
      isResolving = false
      // After a failure the old addresses serve for another while: the next request does not ask again at once.
      resolvedAt = core.loop.now
      if case .success(let found) = result, !found.isEmpty { addresses = found }
      let waiters = waiting
      waiting = []
      for waiter in waiters { waiter(result) }
    }
  }

  // MARK: Idle connections

  /// The connection that was used last, if one is idle and young enough.
  func takeIdle(_ now: UInt64) -> UpstreamConnection? { idle.take(now: now) }

  /// Keeps a connection for the next request.
  func putIdle(_ connection: UpstreamConnection, _ now: UInt64) {
    guard !isClosed, !core.isDraining else { return connection.close() }
    if let pushedOut = idle.put(connection, now: now) { pushedOut.close() }
    core.sweepSoon()
  }

  /// An idle connection became readable: the peer closed it, or speaks without being asked. Either way it is dead.
  func idleDied(_ connection: UpstreamConnection) {
    // In this order: the pool's is the last reference, and closing keeps the connection for the rest of the turn.
    connection.close()
    _ = idle.remove(connection)
  }

  func expire(_ now: UInt64) -> Int {
    for connection in idle.expire(now: now) { connection.close() }
    return idle.count
  }

  func close() {
    isClosed = true
    closeIdle()
  }

  private func closeIdle() {
    for connection in idle.removeAll() { connection.close() }
  }
}
