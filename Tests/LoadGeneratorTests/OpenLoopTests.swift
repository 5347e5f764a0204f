// Loads at a fixed rate: every request that was due is in the result, whatever became of it.

import Glibc
import Reactor
import Testing

@testable import LoadGenerator

@Suite("Open loops", .serialized)
struct OpenLoopTests {
  private func settings(_ url: String) throws -> LoadSettings {
    var settings = try LoadSettings(url: url, headers: [])
    settings.mode = .rate
    settings.rate = 15
    settings.warmup = 0
    settings.duration = 20
    settings.timeout = 10
    return settings
  }

  @Test("a request that is due while an idle connection breaks is sent on the next one")
  func broken() async throws {
    let backend = try ScriptedBackend { connection in
      if connection.index == 0 {
        // Nobody has asked yet: the first request is due 67 milliseconds after the start.
        connection.send("nonsense")
        usleep(300_000)
      } else {
        while connection.readRequest() { connection.send(ScriptedConnection.answer) }
      }
    }
    defer { backend.stop() }
    var settings = try settings(backend.target)
    settings.requestsMax = 6
    let result = try await measure(settings)
    #expect(result.requests == 6 && result.main?.latency.count == 6)
    #expect(result.errors.framing == 1 && result.errors.total == 1)
  }

  @Test(
    "requests that are not answered when the window ends count as long as they have waited",
    arguments: [true, false])
  func unanswered(isStream: Bool) async throws {
    let backend = try ScriptedBackend { connection in
      for _ in 0..<5 {
        guard connection.readRequest() else { return }
        if isStream {
          connection.send(ScriptedConnection.streamHead)
          connection.sendEvent()
          connection.sendStreamEnd()
        } else {
          connection.send(ScriptedConnection.answer)
        }
      }
      while connection.readRequest() {}
    }
    defer { backend.stop() }
    var settings = try settings(backend.target)
    settings.duration = 1.025
    settings.asksForStreams = isStream
    let result = try await measure(settings)
    let part = try #require(result.main)
    // The sixth was sent, some nine more were due.
    #expect(part.requests == 5 && part.unsent >= 7 && part.unanswered >= 8)
    #expect(part.latency.count == 5 + UInt64(part.unanswered))
    #expect(part.latency.max > 500_000 && part.latency.percentile(50) > 100_000)
    #expect(part.firstToken.count == (isStream ? part.latency.count : 0))
    #expect(TableReport.text(result).contains("due, not answered"))
    #expect(JSONReport.text(result).contains("\"unanswered\":\(part.unanswered),\"unsent\":\(part.unsent)"))
  }

  @Test("nothing is due before the connections are open")
  func opening() async throws {
    let backend = try ScriptedBackend(backlog: 0)
    let filling = backend.fill()
    defer { backend.stop() }
    try CoreThread.start(name: "opening") {
      // The attempt to connect is dropped meanwhile; the kernel makes its second one after a second.
      usleep(300_000)
      for descriptor in filling { close(descriptor) }
      try? backend.accept { connection in
        while connection.readRequest() { connection.send(ScriptedConnection.answer) }
      }
    }.detach()
    var settings = try settings(backend.target)
    settings.requestsMax = 6
    let result = try await measure(settings)
    #expect(result.isGood && result.requests == 6)
    #expect(result.main?.latency.max ?? .infinity < 500_000 && result.seconds < 0.9)
  }
}
