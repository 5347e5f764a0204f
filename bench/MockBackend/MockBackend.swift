// The mock backend's public face: a server that pretends to be a model, costs as little as it can, and stamps what it
// sends so that a generator can tell what was lost on the way and how long it took. For benchmarks and tests only.

import Glibc
import Reactor
import Synchronization

/// A running mock backend.
///
/// ```swift
/// let mock = try MockBackend.start(at: .loopback(port: 0))
/// print("http://\(mock.address)/v1")
/// mock.stop()
/// ```
public final class MockBackend: Sendable {
  /// Where it listens, with the port the kernel chose.
  public let address: SocketAddress
  private let inbox: Inbox
  private let thread: Mutex<CoreThread?>

  private init(address: SocketAddress, inbox: Inbox, thread: CoreThread) {
    self.address = address
    self.inbox = inbox
    self.thread = Mutex(thread)
  }

  deinit { stop() }

  /// Starts a mock on a thread of its own. It listens when this returns, and stops when what is returned goes away.
  public static func start(
    at address: SocketAddress, _ settings: MockSettings = MockSettings()
  ) throws(ReactorError) -> MockBackend {
    let (server, address) = try open(address, settings)
    let inbox = server.loop.inbox
    let handed = Handed(server: server)
    do throws(ReactorError) {
      let thread = try CoreThread.start(name: "mock-backend") {
        handed.server.loop.run()
        handed.server.close()
      }
      return MockBackend(address: address, inbox: inbox, thread: thread)
    } catch {
      server.close()
      throw error
    }
  }

  /// Stops the mock and waits for its thread; open connections are closed. Calls after the first do nothing.
  public func stop() {
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    guard let running else { return }
    inbox.stop()
    running.join()
  }

  /// Runs a mock on the calling thread until the process gets SIGTERM or SIGINT. `ready` is told the address once it
  /// listens.
  public static func run(
    at address: SocketAddress, _ settings: MockSettings, ready: (SocketAddress) -> Void
  ) throws(ReactorError) {
    Machine.raiseDescriptorLimit()
    let (server, address) = try open(address, settings)
    defer { server.close() }
    let loop = server.loop
    var watchers: [SignalWatcher] = []
    for signal in [SIGTERM, SIGINT] { watchers.append(try SignalWatcher(loop: loop, signal: signal) { loop.stop() }) }
    defer { for watcher in watchers { watcher.close() } }
    ready(address)
    loop.run()
  }

  private static func open(
    _ address: SocketAddress, _ settings: MockSettings
  ) throws(ReactorError) -> (MockServer, SocketAddress) {
    let descriptor = try ListenSocket.open(address, backlog: 4096, reusePort: false)
    let address = SocketAddress.local(of: descriptor) ?? address
    let loop: Loop
    do throws(ReactorError) {
      loop = try Loop()
    } catch {
      Glibc.close(descriptor)
      throw error
    }
    do throws(ReactorError) {
      return (try MockServer(descriptor: descriptor, loop: loop, settings: settings), address)
    } catch {
      loop.close()
      throw error
    }
  }
}

private struct Handed: @unchecked Sendable {
  // SAFETY: the server and its loop are made on the calling thread, handed over before they run, and touched by the new
  // thread alone from then on; only the inbox, which is made for it, stays behind.
  let server: MockServer
}
