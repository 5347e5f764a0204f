// Plugins that must wait: a real core on a thread of its own, a client over a socket pair.

import Bytes
import Flow
import Glibc
import Reactor
import Synchronization
import Testing
import Wire

@testable import Gateway

@Suite("Plugins that wait")
struct WaitingPluginTests {
  /// Waits in the deciding phases that it declares, on another thread's time, then says `verdict`.
  struct Waits: Plugin {
    let name: String
    let phases: Phases
    let journal: Journal
    var milliseconds: UInt64 = 5
    /// Without a bound: on a busy machine a sleep of milliseconds may take many seconds.
    let waitMax: UInt64 = 0
    let verdict: @Sendable () -> Verdict

    func request(_ exchange: Exchange) -> Verdict { .wait }
    func body(_ exchange: Exchange) -> Verdict { .wait }
    func route(_ exchange: Exchange) -> Verdict { .wait }

    func wait(in phase: Phases, _ exchange: Exchange, on loop: isolated LoopActor) async -> Verdict {
      let thread = pthread_self()
      journal.add("\(name) waits")
      try? await Task.sleep(nanoseconds: milliseconds * 1_000_000)
      journal.add(pthread_equal(thread, pthread_self()) != 0 ? "\(name) goes on" : "\(name) is on another thread")
      if exchange.isOver {
        journal.add("\(name) is too late")
      } else if exchange.field(.host).map({ string($0) }) != "a" {
        // The loop has read other things meanwhile.
        journal.add("\(name) has lost the head")
      }
      return verdict()
    }

    func finished(_ exchange: Exchange) { journal.add("finished \(exchange.record.outcome)") }
  }

  /// Waits for as long as it is told, and then throws.
  struct Breaks: Plugin {
    let name = "breaks"
    let phases: Phases
    let failing: PluginFailing
    var waitMax: UInt64 = 10_000_000_000
    var milliseconds: UInt64 = 0

    func request(_ exchange: Exchange) -> Verdict { .wait }
    func body(_ exchange: Exchange) -> Verdict { .wait }
    func route(_ exchange: Exchange) -> Verdict { .wait }

    func wait(in phase: Phases, _ exchange: Exchange, on loop: isolated LoopActor) async throws -> Verdict {
      if milliseconds > 0 { try await Task.sleep(nanoseconds: milliseconds * 1_000_000) }
      throw NoStage()
    }
  }

  struct Answers: Plugin {
    let phases: Phases = [.request, .finished]
    let name = "answers"
    let journal: Journal
    func request(_ exchange: Exchange) -> Verdict {
      journal.add("answers")
      return .reply(Reply(status: 200, body: Array("yes".utf8)))
    }
    func finished(_ exchange: Exchange) { journal.add("finished \(exchange.record.outcome)") }
  }

  final class Journal: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }

    /// Whether `line` comes within five seconds.
    func hears(_ line: String) -> Bool {
      for _ in 0..<60_000 where !all.contains(line) { usleep(1000) }
      return all.contains(line)
    }
  }

  /// Runs a core with `plugins`, and `peer` with the client's descriptor. Both on threads of their own: what waits here
  /// must not wait on a thread that tasks need.
  static func withCore<Result: Sendable>(
    _ plugins: [any Plugin], _ peer: @escaping @Sendable (Int32) -> Result
  ) async throws -> Result {
    var pair: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0 else { throw NoStage() }
    let (inner, outer) = (pair[0], pair[1])
    _ = fcntl(inner, F_SETFL, O_NONBLOCK)
    var patience = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(outer, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    let snapshot = Snapshot(
      client: ClientPolicy(), surfaces: [SurfacePlan(prefix: "/v1")], clusters: [], plugins: plugins, relay: .standard,
      resolveAge: 0, logsAccess: false, drain: 0)
    // SAFETY: handed to its thread here; only the inbox, which any thread may use, is kept.
    nonisolated(unsafe) let loop = try Loop()
    let inbox = loop.inbox
    let core = try CoreThread.start(name: "test core") {
      let core = Core(index: 0, loop: loop, snapshot: snapshot, accessLog: nil)
      if let address = SocketAddress(literal: "192.0.2.1", port: 1) {
        let door = Door(name: "test", isUnix: false, tls: nil)
        ClientConnection.open(inner, from: address, door: door, core: core)
      }
      loop.run()
      for client in core.clients.members { client.close() }
      loop.close()
      withExtendedLifetime(core) {}
    }
    return try await withCheckedThrowingContinuation { continuation in
      do {
        let client = try CoreThread.start(name: "test peer") {
          let result = peer(outer)
          inbox.stop()
          core.join()
          close(outer)
          continuation.resume(returning: result)
        }
        client.detach()
      } catch {
        continuation.resume(throwing: error)
      }
    }
  }

  static func send(_ text: String, _ descriptor: Int32) {
    #expect(lending(text) { write(descriptor, $0.baseAddress, $0.count) } == text.utf8.count)
  }

  static func readToEnd(_ descriptor: Int32) -> String {
    var all: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(descriptor, &room, room.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return string(all) }
      all += room[..<count]
    }
  }

  static let request = "GET /v1/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

  static func answer(_ plugins: [any Plugin]) async throws -> String {
    try await withCore(plugins) { peer in
      send(request, peer)
      return readToEnd(peer)
    }
  }

  @Test("a plugin waits and answers, on the loop's own thread")
  func replies() async throws {
    let journal = Journal()
    let waits = Waits(name: "a", phases: [.request, .finished], journal: journal) {
      .reply(Reply(status: 200, body: Array("later".utf8)))
    }
    let answer = try await Self.answer([waits])
    #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\nlater"))
    #expect(journal.all == ["a waits", "a goes on", "finished done"])
  }

  @Test("the phase goes on behind a plugin that has waited, with the next one")
  func passes() async throws {
    let journal = Journal()
    let answer = try await Self.answer([
      Waits(name: "a", phases: .request, journal: journal) { .pass },
      Waits(name: "b", phases: .request, journal: journal, milliseconds: 0) { .pass }, Answers(journal: journal),
    ])
    #expect(answer.hasSuffix("\r\n\r\nyes"))
    #expect(journal.all == ["a waits", "a goes on", "b waits", "b goes on", "answers", "finished done"])
  }

  @Test("the other deciding phases can wait as well")
  func otherPhases() async throws {
    let journal = Journal()
    let answer = try await Self.answer([
      Waits(name: "b", phases: .body, journal: journal) { .pass },
      Waits(name: "r", phases: .route, journal: journal) { .fail(Failure(.downstream, .unknownPath)) },
    ])
    #expect(answer.hasPrefix("HTTP/1.1 404 Not Found\r\n"))
    #expect(journal.all == ["b waits", "b goes on", "r waits", "r goes on"])
  }

  @Test(
    "a plugin that throws, or takes longer than it may, closes the way or leaves it open, as it says",
    arguments: [0, 60_000] as [UInt64], [Phases.request, .body, .route])
  func breaks(_ milliseconds: UInt64, _ phase: Phases) async throws {
    // The plugin behind it answers in the phase after the first, so that all phases have one behind them.
    let behind = Waits(name: "behind", phases: [phase], journal: Journal()) {
      .reply(Reply(status: 200, body: Array("went on".utf8)))
    }
    func broken(_ failing: PluginFailing) -> Breaks {
      Breaks(phases: phase, failing: failing, waitMax: 50_000_000, milliseconds: milliseconds)
    }
    #expect(try await Self.answer([broken(.closed), behind]).hasPrefix("HTTP/1.1 500 "))
    #expect(try await Self.answer([broken(.open), behind]).hasSuffix("\r\n\r\nwent on"))
  }

  @Test("a plugin that waits for ever is a fault of the gateway")
  func waitsAgain() async throws {
    let answer = try await Self.answer([Waits(name: "a", phases: .request, journal: Journal()) { .wait }])
    #expect(answer.hasPrefix("HTTP/1.1 500 "))
  }

  @Test("a client that leaves meanwhile ends the exchange once, and the verdict is dropped")
  func clientLeaves() async throws {
    let journal = Journal()
    let waits = Waits(name: "a", phases: [.request, .finished], journal: journal, milliseconds: 100) {
      .reply(Reply(status: 200, body: []))
    }
    try await Self.withCore([waits]) { peer in
      Self.send(Self.request, peer)
      #expect(journal.hears("a waits"))
      shutdown(peer, Int32(SHUT_RDWR))
      #expect(journal.hears("a is too late"))
    }
    #expect(journal.all == ["a waits", "finished client_left", "a goes on", "a is too late"])
  }

  @Test("requests that come in behind one that waits are answered after it, in order")
  func pipelined() async throws {
    let journal = Journal()
    let waits = Waits(name: "a", phases: .request, journal: journal) { .pass }
    let answer = try await Self.withCore([waits, Answers(journal: journal)]) { peer in
      Self.send("GET /v1/1 HTTP/1.1\r\nHost: a\r\n\r\n" + Self.request, peer)
      return Self.readToEnd(peer)
    }
    #expect(answer.split(separator: "HTTP/1.1 200 OK").count == 2)
    let once = ["a waits", "a goes on", "answers", "finished done"]
    #expect(journal.all == once + once)
  }
}
