// The embedded demo backend: a real HTTP/1.1 server on a thread, a loop and a port of its own, which the gateway reaches
// through sockets like any other. It speaks OpenAI's API without any model behind it, so that the main job can be tried
// with no GPU at hand. Its switches are in DemoSwitches.swift.

import Glibc
import Reactor
import Synchronization

/// A running demo backend.
///
/// ```swift
/// let backend = try DemoBackend.start(DemoSettings())
/// print("http://\(backend.address)/v1")
/// backend.stop()
/// ```
public final class DemoBackend: Sendable {
  /// Where it listens, with the port the kernel chose.
  public let address: SocketAddress
  private let inbox: Inbox
  private let sharedCounters: SharedCounters
  private let thread: Mutex<CoreThread?>

  private init(address: SocketAddress, inbox: Inbox, counters: SharedCounters, thread: CoreThread) {
    self.address = address
    self.inbox = inbox
    sharedCounters = counters
    self.thread = Mutex(thread)
  }

  deinit { stop() }

  /// Starts a backend on a thread of its own. It listens when this returns; keep what is returned, because the backend
  /// stops when it goes away.
  public static func start(_ settings: DemoSettings = DemoSettings()) throws(ReactorError) -> DemoBackend {
    let counters = SharedCounters()
    let (server, address) = try open(settings, counters)
    let inbox = server.loop.inbox
    let handed = Handed(server: server)
    do throws(ReactorError) {
      let thread = try CoreThread.start(name: "sluice-demo") {
        handed.server.loop.run()
        handed.server.close()
      }
      return DemoBackend(address: address, inbox: inbox, counters: counters, thread: thread)
    } catch {
      server.close()
      throw error
    }
  }

  /// What it has done so far.
  public var counters: DemoCounters { sharedCounters.current }

  /// Stops the backend and waits for its thread; open connections are closed. Calls after the first do nothing.
  public func stop() {
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    guard let running else { return }
    inbox.stop()
    running.join()
  }

  /// Runs a backend on the calling thread until the process gets SIGTERM or SIGINT. `ready` is told the address once it
  /// listens.
  public static func run(_ settings: DemoSettings, ready: (SocketAddress) -> Void = { _ in }) throws(ReactorError) {
    let (server, address) = try open(settings, SharedCounters())
    defer { server.close() }
    let loop = server.loop
    var watchers: [SignalWatcher] = []
    for signal in [SIGTERM, SIGINT] { watchers.append(try SignalWatcher(loop: loop, signal: signal) { loop.stop() }) }
    defer { for watcher in watchers { watcher.close() } }
    ready(address)
    loop.run()
  }

  private static func open(
    _ settings: DemoSettings, _ counters: SharedCounters
  ) throws(ReactorError) -> (DemoServer, SocketAddress) {
    let descriptor = try ListenSocket.open(settings.address, backlog: 1024, reusePort: false)
    let address = SocketAddress.local(of: descriptor) ?? settings.address
    let loop: Loop
    do throws(ReactorError) {
      loop = try Loop()
    } catch {
      Glibc.close(descriptor)
      throw error
    }
    do throws(ReactorError) {
      return (try DemoServer(descriptor: descriptor, loop: loop, settings: settings, counters: counters), address)
    } catch {
      loop.close()
      throw error
    }
  }
}

private struct Handed: @unchecked Sendable {
  // SAFETY: the server and its loop are made on the calling thread, handed over before they run, and touched by the new
  // thread alone from then on; only the inbox, which is made for it, stays behind.
  let server: DemoServer
}
