// Listening descriptors and accepting.

import Glibc
import Testing

@testable import Reactor

@Suite struct ListenerTests {
  @Test("a paused listener leaves connections in the backlog and takes them when it resumes")
  func pausing() async throws {
    let (whilePaused, after) = try await withLoop { loop in
      let descriptor = try ListenSocket.open(.loopback(port: 0), backlog: 16, reusePort: false)
      let address = SocketAddress.local(of: descriptor) ?? .loopback(port: 1)
      var listener: Listener?
      var whilePaused: UInt64 = 1
      listener = try Listener(descriptor: descriptor, loop: loop) { descriptor, _ in
        close(descriptor)
        if listener?.acceptedCount == 3 { loop.stop() }
      }
      listener?.pause()
      let clients = try (0..<3).map { _ in try connectBlocking(address) }
      loop.runLater {
        loop.runLater {
          whilePaused = listener?.acceptedCount ?? 1
          listener?.resume()
        }
      }
      return {
        let after = listener?.acceptedCount
        listener?.close()
        for client in clients { close(client) }
        return (whilePaused, after)
      }
    }
    #expect(whilePaused == 0)
    #expect(after == 3)
  }

  @Test("accepted sockets send small pieces at once, as the listening one says (TCP_NODELAY)")
  func noDelay() async throws {
    let found = try await withLoop { loop in
      let descriptor = try ListenSocket.open(.loopback(port: 0), backlog: 16, reusePort: false)
      let address = SocketAddress.local(of: descriptor) ?? .loopback(port: 1)
      var found: Int32 = -1
      let listener = try Listener(descriptor: descriptor, loop: loop) { descriptor, _ in
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &found, &length)
        close(descriptor)
        loop.stop()
      }
      let client = try connectBlocking(address)
      return {
        listener.close()
        close(client)
        return found
      }
    }
    #expect(found == 1)
  }

  @Test("no more connections are accepted at a time than allowed, and none is forgotten")
  func bounded() async throws {
    let turns = try await withLoop { loop in
      let descriptor = try ListenSocket.open(.loopback(port: 0), backlog: 64, reusePort: false)
      let address = SocketAddress.local(of: descriptor) ?? .loopback(port: 1)
      let clients = try (0..<10).map { _ in try connectBlocking(address) }
      var turns: [Int] = []
      var inThisTurn = 0
      let listener = try Listener(descriptor: descriptor, loop: loop, acceptsPerWake: 4) { descriptor, peer in
        close(descriptor)
        if inThisTurn == 0 {
          loop.runLater {
            turns.append(inThisTurn)
            inThisTurn = 0
            if turns.reduce(0, +) == 10 { loop.stop() }
          }
        }
        inThisTurn += peer.host == "127.0.0.1" ? 1 : 0
      }
      return {
        listener.close()
        for client in clients { close(client) }
        return turns
      }
    }
    #expect(turns == [4, 4, 2])
  }

  @Test("two sockets share a port and both get connections")
  func reusePort() async throws {
    let counts = try await withLoop { loop in
      let first = try ListenSocket.open(.loopback(port: 0), backlog: 128, reusePort: true)
      let address = SocketAddress.local(of: first) ?? .loopback(port: 1)
      let second = try ListenSocket.open(address, backlog: 128, reusePort: true)
      var counts = [0, 0]
      let listeners = try [first, second].enumerated().map { index, descriptor in
        try Listener(descriptor: descriptor, loop: loop) { descriptor, _ in
          close(descriptor)
          counts[index] += 1
          if counts[0] + counts[1] == 64 { loop.stop() }
        }
      }
      let clients = try (0..<64).map { _ in try connectBlocking(address) }
      return {
        for listener in listeners { listener.close() }
        for client in clients { close(client) }
        return counts
      }
    }
    #expect(counts.reduce(0, +) == 64)
    #expect(counts.allSatisfy { $0 > 0 }, "the kernel spreads by a hash of the ports")
  }

  @Test("an address in use is an error that says so, and what listens there goes on")
  func inUse() throws {
    let first = try ListenSocket.open(.loopback(port: 0), backlog: 1, reusePort: false)
    defer { close(first) }
    let address = try #require(SocketAddress.local(of: first))
    let error = #expect(throws: ReactorError.self) {
      try ListenSocket.open(address, backlog: 1, reusePort: false)
    }
    #expect(error?.code == EADDRINUSE)
    #expect(error?.description == "bind: address already in use")
  }

  @Test("a dead process's unix socket is replaced; a live one, or a file that is none, is left alone")
  func staleUnixSocket() throws {
    let path = temporaryPath(".socket")
    let address = try #require(SocketAddress(unixPath: path))
    defer { unlink(path) }
    let dead = try ListenSocket.open(address, backlog: 1, reusePort: false, unixMode: 0o600)
    var facts = stat()
    #expect(stat(path, &facts) == 0 && facts.st_mode & 0o777 == 0o600)
    close(dead)
    // Tests beside this one start processes: between fork and exec such a child holds the socket, and it is not dead yet.
    var live: Int32?
    for _ in 0..<10_000 where live == nil {
      live = try? ListenSocket.open(address, backlog: 1, reusePort: false)
      if live == nil { usleep(1000) }
    }
    let opened = try #require(live)
    #expect(throws: ReactorError.self) { try ListenSocket.open(address, backlog: 1, reusePort: false) }
    close(opened)
    unlink(path)
    let file = open(path, O_CREAT | O_WRONLY, 0o600)
    close(file)
    #expect(throws: ReactorError.self) { try ListenSocket.open(address, backlog: 1, reusePort: false) }
    #expect(access(path, F_OK) == 0)
  }

  @Test("without descriptors accepting pauses without spinning, and goes on when there are some")
  func shortage() async throws {
    // In a process of its own: the limit holds for all of it.
    await #expect(processExitsWith: .success) {
      let outcome = try await withLoop { loop in
        let descriptor = try ListenSocket.open(.loopback(port: 0), backlog: 16, reusePort: false)
        let address = SocketAddress.local(of: descriptor) ?? .loopback(port: 1)
        let clients = try (0..<8).map { _ in try connectBlocking(address) }
        var hoard: [Int32] = []
        var released = false
        var start = 0
        var spent = -1
        var acceptedBefore: UInt64 = 8
        var listener: Listener?
        listener = try Listener(descriptor: descriptor, loop: loop) { descriptor, _ in
          // Another thread of this process may give a descriptor back just then; it is used up as well.
          if released { close(descriptor) } else { hoard.append(descriptor) }
          if listener?.acceptedCount == 8 { loop.stop() }
        }
        let watch = Timer(loop: loop) {
          spent = threadNanoseconds() - start
          acceptedBefore = listener?.acceptedCount ?? 8
          released = true
          for descriptor in hoard { close(descriptor) }
        }
        var limit = rlimit(rlim_cur: 256, rlim_max: 256)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        while case let copy = dup(clients[0]), copy >= 0 { hoard.append(copy) }
        start = threadNanoseconds()
        // Retries fail meanwhile; the one after succeeds.
        watch.arm(afterNanoseconds: 250_000_000)
        return {
          let shortages = listener?.shortageCount ?? 0
          return (acceptedBefore, shortages, spent)
        }
      }
      let worked = outcome.0 < 8 && (2...8).contains(outcome.1) && outcome.2 < 30_000_000
      exit(worked ? EXIT_SUCCESS : EXIT_FAILURE)
    }
  }

  @Test("an address where somebody listens is told, and one that nobody has is not")
  func probe() throws {
    let taken = try ListenSocket.open(.loopback(port: 0), backlog: 1, reusePort: true)
    let address = try #require(SocketAddress.local(of: taken))
    #expect(throws: ReactorError.self) { try ListenSocket.probe(address) }
    close(taken)
    try ListenSocket.probe(address)
  }
}

func connectBlocking(_ address: SocketAddress) throws -> Int32 {
  let descriptor = socket(address.domain, Int32(SOCK_STREAM.rawValue), 0)
  guard address.withSockaddr({ connect(descriptor, $0, $1) }) == 0 else {
    let error = ReactorError(code: errno, operation: "connect")
    close(descriptor)
    throw error
  }
  return descriptor
}
