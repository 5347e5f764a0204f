// Plain sockets: bytes, interest, ends and failures, over real loopback connections.

import Bytes
import Glibc
import Testing

@testable import Reactor

@Suite struct SocketTests {
  @Test(
    "bytes travel both ways through a connection of each family",
    arguments: [SocketAddress.loopback(port: 0), SocketAddress(ipv6High: 0, low: 1, port: 0), nil])
  func echo(_ given: SocketAddress?) async throws {
    let path = temporaryPath(".socket")
    defer { unlink(path) }
    let address = try #require(given ?? SocketAddress(unixPath: path))
    let (answer, log, peer) = try await withLoop { loop in
      let descriptor = try ListenSocket.open(address, backlog: 16, reusePort: false)
      let bound = SocketAddress.local(of: descriptor) ?? address
      let server = Owner()
      let client = Owner()
      var sockets: [Socket] = []
      var answer = ""
      var peer: SocketAddress?
      let listener = try Listener(descriptor: descriptor, loop: loop) { descriptor, _ in
        guard let socket = try? Socket.accepted(descriptor: descriptor, loop: loop, tls: nil, owner: server) else {
          return
        }
        socket.interest = .read
        sockets.append(socket)
      }
      server.readable = { $0.writeText("<" + $0.readText() + ">") }
      client.opened = { socket in
        socket.interest = .read
        socket.writeText("hello")
        peer = socket.peerAddress
      }
      client.readable = { socket in
        answer = socket.readText()
        loop.stop()
      }
      sockets.append(try Socket.connect(to: bound, loop: loop, tls: nil, serverName: nil, owner: client))
      return {
        for socket in sockets { socket.close() }
        listener.close()
        return (answer, client.log, peer)
      }
    }
    #expect(answer == "<hello>")
    #expect(log == ["opened", "readable"])
    #expect(peer?.family == address.family)
  }

  @Test("a refused connect is told as refused, and not from inside the call")
  func refused() async throws {
    let (kind, insideCall) = try await withLoop { loop in
      let descriptor = try ListenSocket.open(.loopback(port: 0), backlog: 1, reusePort: false)
      let address = SocketAddress.local(of: descriptor) ?? .loopback(port: 1)
      close(descriptor)
      let owner = Owner()
      var kind: SocketError.Kind?
      owner.failed = { _, error in
        kind = error.kind
        loop.stop()
      }
      let socket = try Socket.connect(to: address, loop: loop, tls: nil, serverName: nil, owner: owner)
      let insideCall = !owner.log.isEmpty
      return {
        socket.close()
        return (kind, insideCall)
      }
    }
    #expect(kind == .refused)
    #expect(!insideCall)
  }

  @Test("a unix socket that is not there is refused at once")
  func noSuchPath() async throws {
    let kind = try await withLoop { loop in
      let address = try #require(SocketAddress(unixPath: temporaryPath(".none")))
      var kind: SocketError.Kind?
      do throws(SocketError) {
        _ = try Socket.connect(to: address, loop: loop, tls: nil, serverName: nil, owner: Owner())
      } catch {
        kind = error.kind
      }
      loop.stop()
      return { kind }
    }
    #expect(kind == .refused)
  }

  @Test("bytes that came before a reset are read first, then the failure, then nothing more")
  func resetBehindBytes() async throws {
    let (texts, log, again) = try await withLoop(roomCapacity: 4096) { loop in
      let (ours, peer) = try tcpPair()
      let owner = Owner()
      let socket = try Socket.accepted(descriptor: ours, loop: loop, tls: nil, owner: owner)
      var texts: [String] = []
      var again = ""
      owner.readable = { socket in
        let text = socket.readText()
        texts.append(text.count > 10 ? "\(text.count)" : text)
        if text == "failed" {
          again = socket.readText()
          loop.stop()
        }
      }
      // Longer than the room: the rest has to be delivered although the kernel announces a broken socket only once.
      sendText(peer, String(repeating: "x", count: 10_000))
      reset(peer)
      socket.interest = .read
      return {
        socket.close()
        return (texts, owner.log, again)
      }
    }
    #expect(texts == ["4096", "4096", "1808", "failed"])
    #expect(!log.contains("failed"))
    #expect(again == "failed")
  }

  @Test("a peer that closes is an end, and the other direction still works")
  func halfClose() async throws {
    let (texts, received) = try await withLoop { loop in
      let (ours, peer) = try tcpPair()
      let owner = Owner()
      let socket = try Socket.accepted(descriptor: ours, loop: loop, tls: nil, owner: owner)
      var texts: [String] = []
      owner.readable = { socket in
        texts.append(socket.readText())
        guard texts.last == "end" else { return }
        socket.writeText("late answer")
        socket.shutdownWrite()
        loop.stop()
      }
      socket.interest = [.read, .hangup]
      sendText(peer, "question")
      shutdown(peer, Int32(SHUT_WR))
      return {
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = recv(peer, &bytes, bytes.count, Int32(MSG_WAITALL))
        socket.close()
        close(peer)
        return (texts, String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self))
      }
    }
    #expect(texts == ["question", "end"])
    #expect(received == "late answer")
  }

  @Test("a hang-up while nothing is read is told once, costs no further turns, and the bytes are still there")
  func hangUpWhilePaused() async throws {
    let (log, texts, spent) = try await withLoop { loop in
      let (ours, peer) = try tcpPair()
      let owner = Owner()
      let socket = try Socket.accepted(descriptor: ours, loop: loop, tls: nil, owner: owner)
      var texts: [String] = []
      var start = 0
      var spent = 0
      owner.readable = { socket in
        texts.append(socket.readText())
        if texts.last == "end" { loop.stop() }
      }
      let watch = Timer(loop: loop) {
        spent = threadNanoseconds() - start
        socket.interest = .read
      }
      owner.hungUp = { _ in
        start = threadNanoseconds()
        watch.arm(afterNanoseconds: 150_000_000)
      }
      socket.interest = .hangup
      sendText(peer, "last words")
      close(peer)
      return {
        socket.close()
        return (owner.log, texts, spent)
      }
    }
    #expect(log == ["hung up", "readable", "readable"])
    #expect(texts == ["last words", "end"])
    #expect(spent < 20_000_000, "the loop spun: \(spent) ns of processor time in 150 ms")
  }

  @Test("a reset while nothing is read is told once as a hang-up, and as a failure to who then reads")
  func resetWhilePaused() async throws {
    let (log, kind) = try await withLoop { loop in
      let (ours, peer) = try tcpPair()
      let owner = Owner()
      let socket = try Socket.accepted(descriptor: ours, loop: loop, tls: nil, owner: owner)
      var kind: SocketError.Kind?
      owner.hungUp = { socket in socket.interest = .read }
      owner.readable = { socket in
        kind = socket.kind
        loop.stop()
      }
      socket.interest = .hangup
      reset(peer)
      return {
        socket.close()
        return (owner.log, kind)
      }
    }
    #expect(log == ["hung up", "readable"])
    #expect(kind == .reset)
  }

  @Test("a reset while only writing is of interest is a failure, told once")
  func resetWhileWriting() async throws {
    let (log, kind) = try await withLoop { loop in
      let (ours, peer) = try tcpPair()
      let owner = Owner()
      let socket = try Socket.accepted(descriptor: ours, loop: loop, tls: nil, owner: owner)
      var kind: SocketError.Kind?
      let text = String(repeating: "x", count: 1 << 20)
      while socket.writeText(text) > 0 {}
      owner.failed = { _, error in
        kind = error.kind
        loop.runLater { loop.runLater { loop.stop() } }
      }
      socket.interest = .write
      reset(peer)
      return {
        socket.close()
        return (owner.log, kind)
      }
    }
    #expect(log == ["failed"])
    #expect(kind == .reset)
  }

  @Test("a socket that broke while nothing was of interest tells when something is")
  func brokeUnwatched() async throws {
    let log = try await withLoop { loop in
      let (ours, peer) = try tcpPair()
      let owner = Owner()
      let socket = try Socket.accepted(descriptor: ours, loop: loop, tls: nil, owner: owner)
      owner.hungUp = { socket in
        socket.interest = []
        loop.runLater { socket.interest = .read }
      }
      owner.readable = { socket in
        if socket.readText() == "failed" { loop.stop() }
      }
      socket.interest = .hangup
      reset(peer)
      return {
        socket.close()
        return owner.log
      }
    }
    #expect(log == ["hung up", "readable"])
  }
}
