// A connection to an endpoint: a socket, what waits for it, and whom it serves. It lives in its endpoint's pool while
// idle and belongs to one exchange otherwise.

import Flow
import Reactor

/// One upstream connection.
final class UpstreamConnection: SocketOwner {
  let endpoint: EndpointState
  private let core: Core
  private var socketOrNil: Socket?
  /// Whom it serves; nil while it is idle.
  var exchange: Exchange?
  /// Bytes of a streamed request that the endpoint has not taken.
  var outlet = Outlet()

  private init(endpoint: EndpointState, core: Core) {
    self.endpoint = endpoint
    self.core = core
    super.init()
  }

  /// Begins to connect. `exchange` hears of the outcome: `upstreamOpened` or `upstreamFailed`.
  static func connect(
    to address: SocketAddress, endpoint: EndpointState, for exchange: Exchange, core: Core
  ) throws(SocketError) -> UpstreamConnection {
    let connection = UpstreamConnection(endpoint: endpoint, core: core)
    var serverName = endpoint.cluster.serverName
    if serverName == nil, case .host(let host, _) = endpoint.endpoint.place { serverName = host }
    connection.socketOrNil = try Socket.connect(
      to: address, loop: core.loop, tls: endpoint.tls, serverName: serverName, owner: connection)
    connection.exchange = exchange
    core.counters.upstreamConnects &+= 1
    return connection
  }

  var socket: Socket? { socketOrNil }
  var isClosed: Bool { socketOrNil == nil }

  override func socketConnected(_ socket: Socket) { exchange?.upstreamConnected(self) }
  override func socketOpened(_ socket: Socket) { exchange?.upstreamOpened(self) }

  override func socketReadable(_ socket: Socket) {
    guard let exchange else { return endpoint.idleDied(self) }
    exchange.upstreamReadable(self)
  }

  override func socketWritable(_ socket: Socket) { exchange?.upstreamWritable(self) }

  override func socketFailed(_ socket: Socket, _ error: SocketError) {
    guard let exchange else { return endpoint.idleDied(self) }
    exchange.upstreamFailed(self, error)
  }

  override func socketHungUp(_ socket: Socket) {
    if exchange == nil { endpoint.idleDied(self) }
  }

  /// Closes at once: whatever the endpoint is still doing for this connection is of no use.
  func close() {
    guard let socket = socketOrNil else { return }
    socketOrNil = nil
    exchange = nil
    core.loop.atEndOfTurn(self)
    socket.close()
    outlet.close()
  }
}
