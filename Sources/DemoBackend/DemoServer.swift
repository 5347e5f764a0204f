// The listener and the connections of one demo backend. Lives on one loop, which it owns until it is closed.

import Glibc
import Reactor

/// A demo backend on the loop's side.
final class DemoServer: LoopServer {
  let loop: Loop
  let settings: DemoSettings
  let routes: DemoRoutes
  let counters: SharedCounters
  private var listener: Listener?
  private var connections: [ObjectIdentifier: DemoConnection] = [:]

  /// A server for a socket that listens already. The descriptor is the server's, also when this throws.
  init(descriptor: Int32, loop: Loop, settings: DemoSettings, counters: SharedCounters) throws(ReactorError) {
    self.loop = loop
    self.settings = settings
    self.counters = counters
    routes = DemoRoutes(settings: settings, startedAt: DemoID.now())
    listener = try Listener(descriptor: descriptor, loop: loop) { [unowned(unsafe) self] descriptor, _ in
      // SAFETY: the listener is closed, and its closure dropped, in close(), before the server goes away.
      self.accept(descriptor)
    }
  }

  private func accept(_ descriptor: Int32) {
    guard let connection = try? DemoConnection(descriptor: descriptor, server: self) else { return }
    connections[ObjectIdentifier(connection)] = connection
    counters.count { $0.connections += 1 }
  }

  /// A connection has closed its socket. It is in one of its own calls, so it is handed to the loop before the last
  /// reference goes: sockets do not retain their owners.
  func forget(_ connection: DemoConnection) {
    loop.atEndOfTurn(connection)
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    counters.count { $0.connections -= 1 }
    // Descriptors may have been short.
    listener?.resume()
  }

  /// Closes everything, the loop as well. After the loop has stopped.
  func close() {
    listener?.close()
    listener = nil
    for connection in Array(connections.values) { connection.close() }
    loop.close()
  }
}
