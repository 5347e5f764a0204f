// The mock backend's public face: a server that pretends to be a model, costs as little as it can, and stamps what it
// sends so that a generator can tell what was lost on the way and how long it took. For benchmarks and tests only.

import Reactor

/// A mock backend.
///
/// ```swift
/// let mock = try MockBackend.start(at: .loopback(port: 0))
/// print("http://\(mock.address)/v1")
/// mock.stop()
/// ```
public enum MockBackend {
  /// Starts a mock on a thread of its own. It listens when this returns, and stops when what is returned goes away.
  public static func start(
    at address: SocketAddress, _ settings: MockSettings = MockSettings()
  ) throws(ReactorError) -> RunningServer {
    try RunningServer.start(name: "mock-backend", at: address, backlog: backlog) {
      descriptor, loop throws(ReactorError) in
      try MockServer(descriptor: descriptor, loop: loop, settings: settings)
    }
  }

  /// Runs a mock on the calling thread until the process gets SIGTERM or SIGINT. `ready` is told the address once it
  /// listens.
  public static func run(
    at address: SocketAddress, _ settings: MockSettings, ready: (SocketAddress) -> Void
  ) throws(ReactorError) {
    Machine.raiseDescriptorLimit()
    try RunningServer.run(at: address, backlog: backlog, ready: ready) {
      descriptor, loop throws(ReactorError) in
      try MockServer(descriptor: descriptor, loop: loop, settings: settings)
    }
  }

  private static let backlog = 4096
}
