// What every test of this room stands on: a loop on a thread of its own, an owner made of closures, and raw
// descriptors that play the other side.

import Glibc
import Synchronization

@testable import Reactor

struct TimedOut: Error {}

/// Runs `scene` on a new thread with a new loop, runs the loop until somebody stops it, and returns what the closure
/// that `scene` returned says then. Ten seconds are the end of patience.
func withLoop<Outcome: Sendable>(
  roomCapacity: Int = 65_536,
  _ scene: @escaping @Sendable (Loop) throws -> () -> Outcome
) async throws -> Outcome {
  try await withCheckedThrowingContinuation { continuation in
    do {
      let thread = try CoreThread.start(name: "test-loop") {
        continuation.resume(with: Result { try play(roomCapacity, scene) })
      }
      thread.detach()
    } catch {
      continuation.resume(throwing: error)
    }
  }
}

private func play<Outcome>(_ roomCapacity: Int, _ scene: (Loop) throws -> () -> Outcome) throws -> Outcome {
  let loop = try Loop(roomCapacity: roomCapacity)
  defer { loop.close() }
  var timedOut = false
  let patience = Timer(loop: loop) {
    timedOut = true
    loop.stop()
  }
  // Long, because what a scene awaits may need a thread of the pool that all tests share, and some of them block theirs.
  patience.arm(afterNanoseconds: 60_000_000_000)
  let outcome = try scene(loop)
  loop.run()
  guard !timedOut else { throw TimedOut() }
  return outcome()
}

extension CoreThread {
  /// Runs `body` on a thread and leaves it alone.
  static func aside(_ body: @escaping @Sendable () -> Void) throws {
    try start(name: "test-peer", body: body).detach()
  }
}

/// An owner whose overrides are closures, and which notes in which order it was called.
final class Owner: SocketOwner {
  var log: [String] = []
  var opened: (Socket) -> Void = { _ in }
  var readable: (Socket) -> Void = { _ in }
  var writable: (Socket) -> Void = { _ in }
  var failed: (Socket, SocketError) -> Void = { _, _ in }
  var hungUp: (Socket) -> Void = { _ in }

  override init() {
    super.init()
    // Sockets do not keep their owner. A test has better things to do than that, so its owners live for ever.
    _ = Unmanaged.passRetained(self)
  }

  override func socketOpened(_ socket: Socket) {
    log.append("opened")
    opened(socket)
  }

  override func socketReadable(_ socket: Socket) {
    log.append("readable")
    readable(socket)
  }

  override func socketWritable(_ socket: Socket) {
    log.append("writable")
    writable(socket)
  }

  override func socketFailed(_ socket: Socket, _ error: SocketError) {
    log.append("failed")
    failed(socket, error)
  }

  override func socketHungUp(_ socket: Socket) {
    log.append("hung up")
    hungUp(socket)
  }
}

extension Socket {
  /// Reads once; the bytes as text, or "end", "nothing", "failed".
  func readText() -> String {
    switch read(into: loop.readRoom) {
    case .bytes(let count):
      String(decoding: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(loop.readRoom)[..<count]), as: UTF8.self)
    case .wouldBlock: "nothing"
    case .end: "end"
    case .failed: "failed"
    }
  }

  /// Writes `text`; how many bytes were taken, -1 on failure.
  @discardableResult
  func writeText(_ text: String) -> Int {
    var text = text
    return text.withUTF8 { bytes in
      loop.batch.reset()
      loop.batch.add(UnsafeRawBufferPointer(bytes))
      guard case .wrote(let count) = write(loop.batch) else { return -1 }
      return count
    }
  }

  var kind: SocketError.Kind? {
    if case .failed(let error) = read(into: loop.readRoom) { error.kind } else { nil }
  }
}

/// The two ends of a TCP connection over loopback, blocking, as bare descriptors.
func tcpPair() throws -> (ours: Int32, peer: Int32) {
  let listener = try ListenSocket.open(.loopback(port: 0), backlog: 1, reusePort: false)
  defer { close(listener) }
  guard let address = SocketAddress.local(of: listener) else {
    throw ReactorError(code: errno, operation: "getsockname")
  }
  let peer = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  guard address.withSockaddr({ connect(peer, $0, $1) }) == 0 else {
    throw ReactorError(code: errno, operation: "connect")
  }
  var one = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
  poll(&one, 1, 5000)
  let ours = accept(listener, nil, nil)
  guard ours >= 0 else { throw ReactorError(code: errno, operation: "accept") }
  return (ours, peer)
}

func sendText(_ descriptor: Int32, _ text: String) {
  var text = text
  text.withUTF8 { _ = send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
}

/// Closes with RST.
func reset(_ descriptor: Int32) {
  var rule = linger(l_onoff: 1, l_linger: 0)
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &rule, socklen_t(MemoryLayout<linger>.size))
  close(descriptor)
}

/// Processor time of this thread in nanoseconds: a loop that spins cannot hide it.
func threadNanoseconds() -> Int {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// A path below the temporary directory that nobody else uses.
func temporaryPath(_ suffix: String) -> String {
  let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
  var random = SystemRandomNumberGenerator()
  return directory + "/sluice-" + String(random.next(), radix: 36) + suffix
}
