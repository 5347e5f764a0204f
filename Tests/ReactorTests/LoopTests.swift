// The loop itself: turns, timers, the inbox, closing; and async code on it.

import Glibc
import Synchronization
import Testing

@testable import Reactor

@Suite struct LoopTests {
  @Test("posts from four threads run on the loop's thread, each thread's in order")
  func inbox() async throws {
    let (inOrder, onLoop) = try await withLoop { loop in
      final class Tally {
        var seen = [0, 0, 0, 0]
        var inOrder = true
        var onLoop = true
        var left = 4000
      }
      nonisolated(unsafe) let tally = Tally()
      nonisolated(unsafe) let loop = loop
      let inbox = loop.inbox
      for poster in 0..<4 {
        try CoreThread.aside {
          for number in 1...1000 {
            inbox.post {
              tally.inOrder = tally.inOrder && tally.seen[poster] == number - 1
              tally.onLoop = tally.onLoop && loop.executor.isOnLoop
              tally.seen[poster] = number
              tally.left -= 1
              if tally.left == 0 { loop.stop() }
            }
          }
        }
      }
      return { (tally.inOrder, tally.onLoop) }
    }
    #expect(inOrder)
    #expect(onLoop)
  }

  @Test("a post to a closed loop is refused")
  func closedInbox() throws {
    let loop = try Loop()
    let inbox = loop.inbox
    #expect(inbox.post {})
    loop.close()
    #expect(!inbox.post {})
    inbox.stop()
    loop.close()
    loop.run()
  }

  @Test("a timer does not fire before its time, nor when it was disarmed or closed")
  func timers() async throws {
    let (early, fired) = try await withLoop { loop in
      var fired: [String] = []
      let start = loop.now
      var early = true
      let disarmed = Timer(loop: loop) { fired.append("disarmed") }
      let closed = Timer(loop: loop) { fired.append("closed") }
      disarmed.arm(afterNanoseconds: 1)
      closed.arm(afterNanoseconds: 1)
      disarmed.disarm()
      closed.close()
      closed.arm(afterNanoseconds: 0)
      var due: Timer?
      due = Timer(loop: loop) {
        early = loop.now - start < 29_000_001
        fired.append("due")
        due?.close()
        due = nil
        loop.stop()
      }
      due?.arm(afterNanoseconds: 29_000_001)
      return { (early, fired) }
    }
    #expect(!early)
    #expect(fired == ["due"])
  }

  @Test("what is kept to the end of the turn dies then, and not before")
  func endOfTurn() async throws {
    let log = try await withLoop { loop in
      final class Log { var lines: [String] = [] }
      final class Mortal {
        let log: Log
        init(_ log: Log) { self.log = log }
        deinit { log.lines.append("died") }
      }
      let log = Log()
      loop.runLater {
        loop.atEndOfTurn(Mortal(log))
        log.lines.append("kept")
        loop.runLater {
          log.lines.append("next turn")
          loop.stop()
        }
      }
      return { log.lines }
    }
    #expect(log == ["kept", "died", "next turn"])
  }

  @Test("closing a loop closes what still lives on it, and its memory goes with it")
  func closing() throws {
    weak var ghost: Loop?
    weak var socketGhost: Socket?
    var end = -1
    do {
      let loop = try Loop()
      ghost = loop
      let (ours, peer) = try tcpPair()
      let owner = Owner()
      let socket = try Socket.accepted(descriptor: ours, loop: loop, tls: nil, owner: owner)
      socket.interest = .read
      socketGhost = socket
      Timer(loop: loop) {}.arm(afterNanoseconds: 1_000_000_000)
      _ = try SignalWatcher(loop: loop, signal: SIGUSR2) {}
      let listening = try ListenSocket.open(.loopback(port: 0), backlog: 1, reusePort: false)
      _ = try Listener(descriptor: listening, loop: loop) { descriptor, _ in close(descriptor) }
      loop.close()
      #expect(socket.isClosed)
      var byte: UInt8 = 0
      end = recv(peer, &byte, 1, Int32(MSG_DONTWAIT))
      close(peer)
    }
    #expect(end == 0)
    #expect(ghost == nil)
    #expect(socketGhost == nil)
  }

  @Test("claimed room is not read into again until it is free, also when the room is handed over")
  func claimed() throws {
    let loop = try Loop(roomCapacity: 8192)
    defer { loop.close() }
    let whole = loop.readRoom
    whole[0] = 7
    loop.claimRoom(through: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(whole)[..<100]))
    #expect(loop.readRoom.count == 8092 && loop.readRoom.baseAddress == whole.baseAddress.map { $0 + 100 })
    loop.claimRoom(through: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(whole)[..<50]))
    #expect(loop.readRoom.count == 8092, "what lies in front is claimed already")
    let elsewhere = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 16)
    defer { elsewhere.deallocate() }
    loop.claimRoom(through: UnsafeRawBufferPointer(elsewhere))
    loop.claimRoom(through: UnsafeRawBufferPointer(start: nil, count: 0))
    #expect(loop.readRoom.count <= 8092)
    loop.freeRoom()
    #expect(loop.readRoom.count == 8192)
    loop.claimRoom(through: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(whole)[..<100]))
    _ = loop.handOverRoom()
    #expect(loop.readRoom.count == 8192)
    #expect(whole[0] == 7, "the old room lives to the end of the turn")
  }

  @Test("whoever claimed room is told before the loop sleeps")
  func toldOfClaims() throws {
    let loop = try Loop(roomCapacity: 8192)
    defer { loop.close() }
    var told = 0
    loop.whenRoomWasClaimed = {
      told += 1
      loop.freeRoom()
      loop.stop()
    }
    loop.runLater {
      loop.claimRoom(through: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(loop.readRoom)[..<10]))
    }
    loop.run()
    #expect(told == 1 && loop.readRoom.count == 8192)
  }

  @Test("the read room changes hands and the loop has another")
  func handOver() throws {
    let loop = try Loop(roomCapacity: 8192)
    let before = loop.room
    let given = loop.handOverRoom()
    #expect(given === before)
    #expect(loop.room !== given)
    #expect(loop.readRoom.count == 8192)
    #expect(loop.readRoom.baseAddress == loop.room.base)
    loop.close()
  }

  @Test("a signal arrives on the loop, each time")
  func signals() async throws {
    let (count, onLoop) = try await withLoop { loop in
      var count = 0
      var onLoop = false
      let watcher = try SignalWatcher(loop: loop, signal: SIGUSR1) {
        count += 1
        onLoop = loop.executor.isOnLoop
        if count == 2 { loop.stop() } else { kill(getpid(), SIGUSR1) }
      }
      kill(getpid(), SIGUSR1)
      return {
        watcher.close()
        return (count, onLoop)
      }
    }
    #expect(count == 2)
    #expect(onLoop)
  }
}

@Suite struct LoopExecutorTests {
  @Test("a task isolated to the loop's actor never leaves its thread")
  func staysOnThread() async throws {
    let (threads, here) = try await withLoop { loop in
      final class Notes: @unchecked Sendable { var threads: [pthread_t] = [] }
      let notes = Notes()
      let inbox = loop.inbox
      let here = pthread_self()
      loop.runLater {
        loop.actor.assumeIsolated { actor in
          let task = Task.immediate {
            _ = actor
            notes.threads.append(pthread_self())
            await Task.yield()
            notes.threads.append(pthread_self())
            try? await Task.sleep(nanoseconds: 1_000_000)
            notes.threads.append(pthread_self())
            await withCheckedContinuation { continuation in
              try? CoreThread.aside { continuation.resume() }
            }
            notes.threads.append(pthread_self())
            await Task {
              _ = actor
              notes.threads.append(pthread_self())
            }.value
            inbox.stop()
          }
          _ = task
        }
      }
      return { (notes.threads, here) }
    }
    #expect(threads.count == 5)
    #expect(Set(threads) == [here])
  }

  @Test("tasks that never stop yielding do not keep sockets and timers from their turn")
  func fair() async throws {
    let fired = try await withLoop { loop in
      let inbox = loop.inbox
      var fired = false
      let timer = Timer(loop: loop) {
        fired = true
        inbox.stop()
      }
      timer.arm(afterNanoseconds: 20_000_000)
      loop.runLater {
        loop.actor.assumeIsolated { actor in
          _ = Task {
            _ = actor
            while !Task.isCancelled, inbox.isOpen { await Task.yield() }
          }
        }
      }
      return { fired }
    }
    #expect(fired)
  }

  @Test("code elsewhere is not taken for isolated")
  func elsewhere() throws {
    let loop = try Loop()
    #expect(loop.executor.isIsolatingCurrentContext() == false)
    loop.close()
  }
}

@Suite struct ResolverTests {
  @Test("a name is answered with the addresses of this machine, later and on the loop")
  func localhost() async throws {
    let (addresses, insideCall) = try await withLoop { loop in
      let resolver = Resolver(loop: loop)
      var addresses: [SocketAddress] = []
      var answered = false
      resolver.resolve(host: "localhost", port: 8080) { result in
        answered = true
        addresses = (try? result.get()) ?? []
        loop.stop()
      }
      let insideCall = answered
      return { (addresses, insideCall) }
    }
    #expect(!insideCall)
    #expect(!addresses.isEmpty)
    #expect(addresses.allSatisfy { ["127.0.0.1:8080", "[::1]:8080"].contains($0.description) })
  }

  @Test("a literal is its own answer")
  func literal() async throws {
    let addresses = try await withLoop { loop in
      let resolver = Resolver(loop: loop)
      var addresses: [SocketAddress] = []
      resolver.resolve(host: "[::1]", port: 1) { result in
        addresses = (try? result.get()) ?? []
        loop.stop()
      }
      return { addresses }
    }
    #expect(addresses.map(\.description) == ["[::1]:1"])
  }

  @Test("a name that no resolver can know is unreachable")
  func unknown() async throws {
    let error = try await withLoop { loop in
      let resolver = Resolver(loop: loop)
      var error: ReactorError?
      // An empty label is not a name, so that nobody's name server is asked.
      resolver.resolve(host: "no..such..name", port: 1) { result in
        if case .failure(let failure) = result { error = failure }
        loop.stop()
      }
      return { error }
    }
    let found = try #require(error)
    #expect(found.kind == .unreachable, "\(found)")
  }
}
