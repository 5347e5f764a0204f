// Bytes through a socket, its close and what it costs: claims about one end, the other played by blocking calls.

import Bytes
import Glibc
import Testing

@testable import Reactor

@Suite struct SocketBytesTests {
  @Test("what the peer does not take is taken when it reads, to the last byte")
  func backpressure() async throws {
    let size = 16 << 20
    let (received, blocked) = try await withLoop { loop in
      let (ours, peer) = try tcpPair()
      let owner = Owner()
      let socket = try Socket.accepted(descriptor: ours, loop: loop, tls: nil, owner: owner)
      let slab = Slab(capacity: size)
      for index in stride(from: 0, to: size, by: 4) {
        slab.room.storeBytes(of: UInt32(truncatingIfNeeded: index), toByteOffset: index, as: UInt32.self)
      }
      var queue = Chunk(slab: slab, offset: 0, count: size)
      var blocked = 0
      owner.writable = { socket in
        while queue.count > 0 {
          loop.batch.reset()
          loop.batch.add(queue.bytes)
          guard case .wrote(let count) = socket.write(loop.batch), count > 0 else {
            blocked += 1
            return
          }
          queue.dropFirst(count)
        }
        socket.interest = []
        socket.close()
      }
      socket.interest = .write
      nonisolated(unsafe) var received = 0
      let inbox = loop.inbox
      try CoreThread.aside {
        received = receiveNumbers(peer)
        inbox.stop()
      }
      return { (received, blocked) }
    }
    #expect(received == size)
    #expect(blocked > 0)
  }

  @Test("pieces of a batch leave in order, in one write")
  func gathered() async throws {
    let (wrote, received) = try await withLoop { loop in
      let (ours, peer) = try tcpPair()
      let socket = try Socket.accepted(descriptor: ours, loop: loop, tls: nil, owner: Owner())
      let chunks = (0..<70).map { index in
        withUnsafeBytes(of: UInt8(truncatingIfNeeded: index)) { Chunk(copying: $0) }
      }
      loop.batch.reset()
      let added = chunks.filter { loop.batch.add($0.bytes) }.count
      var wrote = -1
      if case .wrote(let count) = socket.write(loop.batch) { wrote = count }
      loop.stop()
      return {
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = recv(peer, &bytes, bytes.count, 0)
        socket.close()
        close(peer)
        return (wrote == added ? wrote : -1, Array(bytes.prefix(max(count, 0))))
      }
    }
    #expect(wrote == WriteBatch.capacity)
    #expect(received == (0..<64).map { UInt8($0) })
  }

  @Test("bytes go from socket to socket through a pipe, and a pipe that is not empty is not lent again")
  func spliced() async throws {
    let (moved, received, ended, kept) = try await withLoop { loop in
      let (from, source) = try tcpPair()
      let (to, sink) = try tcpPair()
      let reading = try Socket.accepted(descriptor: from, loop: loop, tls: nil, owner: Owner())
      let writing = try Socket.accepted(descriptor: to, loop: loop, tls: nil, owner: Owner())
      let pipe = try #require(loop.takePipe())
      var moved: [Int] = []
      var ended = false
      send(source, "0123456789", 10, 0)
      if case .bytes(let count) = reading.splice(into: pipe, limit: 4) { moved += [count, pipe.pending] }
      loop.givePipe(pipe)
      let kept = loop.takePipe() === pipe
      if case .bytes(let count) = reading.splice(into: pipe, limit: 100) { moved += [count, pipe.pending] }
      if case .wouldBlock = reading.splice(into: pipe, limit: 100) { moved.append(0) }
      if case .wrote(let count) = writing.splice(from: pipe) { moved += [count, pipe.pending] }
      if case .wrote(let count) = writing.splice(from: pipe) { moved.append(count) }
      close(source)
      if case .end = reading.splice(into: pipe, limit: 100) { ended = true }
      loop.stop()
      return {
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = recv(sink, &bytes, bytes.count, 0)
        reading.close()
        writing.close()
        close(sink)
        return (moved, Array(bytes.prefix(max(count, 0))), ended, kept)
      }
    }
    #expect(moved == [4, 4, 6, 10, 0, 10, 0, 0])
    #expect(received == Array("0123456789".utf8))
    #expect(ended && !kept)
  }

  @Test("closing abortively reaches the peer as a reset")
  func abortive() async throws {
    let code = try await withLoop { loop in
      let (ours, peer) = try tcpPair()
      let socket = try Socket.accepted(descriptor: ours, loop: loop, tls: nil, owner: Owner())
      socket.closeAbortively()
      loop.stop()
      return {
        var byte: UInt8 = 0
        let count = recv(peer, &byte, 1, 0)
        let code = count < 0 ? errno : 0
        close(peer)
        return code
      }
    }
    #expect(code == ECONNRESET)
  }

  @Test("a socket closed inside a call gets no other call, and writing to it is harmless")
  func closedInside() async throws {
    let (log, wrote, text) = try await withLoop { loop in
      let (ours, peer) = try tcpPair()
      let owner = Owner()
      let socket = try Socket.accepted(descriptor: ours, loop: loop, tls: nil, owner: owner)
      var wrote = -1
      var text = ""
      owner.writable = { socket in
        socket.close()
        socket.close()
        wrote = socket.writeText("x")
        text = socket.readText()
        socket.interest = [.read, .write, .hangup]
        loop.runLater { loop.runLater { loop.stop() } }
      }
      sendText(peer, "bytes")
      close(peer)
      socket.interest = [.read, .write, .hangup]
      return { (owner.log, wrote, text) }
    }
    #expect(log == ["writable"])
    #expect(wrote == 0)
    #expect(text == "nothing")
  }

  @Test("a socket passes to another owner")
  func changesOwner() async throws {
    let (first, second) = try await withLoop { loop in
      let (ours, peer) = try tcpPair()
      let first = Owner()
      let second = Owner()
      let socket = try Socket.accepted(descriptor: ours, loop: loop, tls: nil, owner: first)
      first.readable = { socket in
        _ = socket.readText()
        socket.setOwner(second)
        sendText(peer, "two")
      }
      second.readable = { socket in
        _ = socket.readText()
        loop.stop()
      }
      socket.interest = .read
      sendText(peer, "one")
      return {
        socket.close()
        close(peer)
        return (first.log, second.log)
      }
    }
    #expect(first == ["readable"])
    #expect(second == ["readable"])
  }

  @Test("a pause in which nothing arrives does not reach the kernel, and one in which something does tells it once")
  func lazyPause() async throws {
    let (short, long, spent) = try await withLoop { loop in
      let (ours, peer) = try tcpPair()
      let owner = Owner()
      let socket = try Socket.accepted(descriptor: ours, loop: loop, tls: nil, owner: owner)
      var masks: [Int32] = []
      var start = 0
      var spent = 0
      socket.interest = [.read, .hangup]
      masks.append(socket.armed)
      socket.interest = .hangup
      masks.append(socket.armed)
      socket.interest = [.read, .hangup]
      masks.append(socket.armed)
      socket.interest = .hangup
      sendText(peer, "nobody reads this yet")
      start = threadNanoseconds()
      let watch = Timer(loop: loop) {
        spent = threadNanoseconds() - start
        loop.stop()
      }
      watch.arm(afterNanoseconds: 100_000_000)
      return {
        let long = socket.armed
        socket.close()
        close(peer)
        return (masks, long, spent)
      }
    }
    #expect(Set(short).count == 1)
    #expect(long == PollMask.hangup)
    #expect(spent < 20_000_000)
  }

  @Test("an idle plain socket costs less than 350 bytes")
  func memory() async throws {
    let size = try await withLoop { loop in
      let (ours, peer) = try tcpPair()
      let socket = try Socket.accepted(descriptor: ours, loop: loop, tls: nil, owner: Owner())
      let object = allocatedSize(Unmanaged.passUnretained(socket).toOpaque())
      loop.stop()
      return {
        socket.close()
        close(peer)
        return object
      }
    }
    let pollHandle = 160
    let allocatorHeads = 16
    #expect(size + pollHandle + allocatorHeads < 350)
  }
}

/// Reads until the end; how many bytes came as long as they were the numbers that were expected.
private func receiveNumbers(_ descriptor: Int32) -> Int {
  var bytes = [UInt32](repeating: 0, count: 16_384)
  var total = 0
  while true {
    let count = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_WAITALL)) }
    guard count > 0 else { break }
    for index in 0..<(count / 4) where bytes[index] != UInt32(truncatingIfNeeded: total + 4 * index) { return -1 }
    total += count
  }
  close(descriptor)
  return total
}

/// What the allocator really gave: malloc.h is not part of the Glibc module.
@_silgen_name("malloc_usable_size")
private func allocatedSize(_ memory: UnsafeMutableRawPointer) -> Int
