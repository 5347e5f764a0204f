// A small server that has a loop to itself, as the demo backend and the bench's mock have: it listens at one address, and
// runs on a thread of its own or on the caller's. What it serves is the business of the `LoopServer`.

import Glibc
import Synchronization

/// What lives on the loop of a small server.
public protocol LoopServer: AnyObject {
  /// The loop, which is the server's until it is closed.
  var loop: Loop { get }
  /// Closes everything, the loop as well. After the loop has stopped.
  func close()
}

/// A small server that runs on a thread of its own.
public final class RunningServer: Sendable {
  /// Makes the server for a socket that listens already, and for its loop. The descriptor is the server's, also when this
  /// throws; the loop is closed by whoever asked then.
  public typealias Making<Server: LoopServer> = (Int32, Loop) throws(ReactorError) -> Server

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

  /// Starts a server on a thread named `name`. It listens when this returns, and stops when what is returned goes away.
  public static func start<Server: LoopServer>(
    name: String, at address: SocketAddress, backlog: Int, _ make: Making<Server>
  ) throws(ReactorError) -> RunningServer {
    let (server, address) = try open(address, backlog, make)
    let inbox = server.loop.inbox
    let handed = Handed(server: server)
    do throws(ReactorError) {
      let thread = try CoreThread.start(name: name) {
        handed.server.loop.run()
        handed.server.close()
      }
      return RunningServer(address: address, inbox: inbox, thread: thread)
    } catch {
      server.close()
      throw error
    }
  }

  /// Runs a server on the calling thread until the process gets SIGTERM or SIGINT. `ready` is told the address once it
  /// listens.
  public static func run<Server: LoopServer>(
    at address: SocketAddress, backlog: Int, ready: (SocketAddress) -> Void, _ make: Making<Server>
  ) throws(ReactorError) {
    let (server, address) = try open(address, backlog, make)
    defer { server.close() }
    let loop = server.loop
    var watchers: [SignalWatcher] = []
    for signal in [SIGTERM, SIGINT] { watchers.append(try SignalWatcher(loop: loop, signal: signal) { loop.stop() }) }
    defer { for watcher in watchers { watcher.close() } }
    ready(address)
    loop.run()
  }

  /// Stops the server and waits for its thread; open connections are closed. Calls after the first do nothing.
  public func stop() {
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    guard let running else { return }
    inbox.stop()
    running.join()
  }

  private static func open<Server: LoopServer>(
    _ address: SocketAddress, _ backlog: Int, _ make: Making<Server>
  ) throws(ReactorError) -> (Server, SocketAddress) {
    let descriptor = try ListenSocket.open(address, backlog: backlog, reusePort: false)
    let address = SocketAddress.local(of: descriptor) ?? address
    let loop: Loop
    do throws(ReactorError) {
      loop = try Loop()
    } catch {
      Glibc.close(descriptor)
      throw error
    }
    do throws(ReactorError) {
      return (try make(descriptor, loop), address)
    } catch {
      loop.close()
      throw error
    }
  }
}

private struct Handed: @unchecked Sendable {
  // SAFETY: the server and its loop are made on the calling thread, handed over before they run, and touched by the new
  // thread alone from then on; only the inbox, which is made for it, stays behind.
  let server: any LoopServer
}
