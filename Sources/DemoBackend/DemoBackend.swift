// The embedded demo backend: a real HTTP/1.1 server on a thread, a loop and a port of its own, which the gateway reaches
// through sockets like any other. It speaks OpenAI's API without any model behind it, so that the main job can be tried
// with no GPU at hand. Its switches are in DemoSwitches.swift.

import Reactor

/// A running demo backend.
///
/// ```swift
/// let backend = try DemoBackend.start(DemoSettings())
/// print("http://\(backend.address)/v1")
/// backend.stop()
/// ```
public final class DemoBackend: Sendable {
  private let server: RunningServer
  private let sharedCounters: SharedCounters

  private init(server: RunningServer, counters: SharedCounters) {
    self.server = server
    sharedCounters = counters
  }

  /// Starts a backend on a thread of its own. It listens when this returns; keep what is returned, because the backend
  /// stops when it goes away.
  public static func start(_ settings: DemoSettings = DemoSettings()) throws(ReactorError) -> DemoBackend {
    let counters = SharedCounters()
    let server = try RunningServer.start(name: "sluice-demo", at: settings.address, backlog: backlog) {
      descriptor, loop throws(ReactorError) in
      try DemoServer(descriptor: descriptor, loop: loop, settings: settings, counters: counters)
    }
    return DemoBackend(server: server, counters: counters)
  }

  /// Runs a backend on the calling thread until the process gets SIGTERM or SIGINT. `ready` is told the address once it
  /// listens.
  public static func run(_ settings: DemoSettings, ready: (SocketAddress) -> Void = { _ in }) throws(ReactorError) {
    try RunningServer.run(at: settings.address, backlog: backlog, ready: ready) {
      descriptor, loop throws(ReactorError) in
      try DemoServer(descriptor: descriptor, loop: loop, settings: settings, counters: SharedCounters())
    }
  }

  /// Where it listens, with the port the kernel chose.
  public var address: SocketAddress { server.address }

  /// What it has done so far.
  public var counters: DemoCounters { sharedCounters.current }

  /// Stops the backend and waits for its thread; open connections are closed. Calls after the first do nothing.
  public func stop() { server.stop() }

  private static let backlog = 1024
}
