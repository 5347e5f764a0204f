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
    // The first ones have waited for the second connection.
    #expect(result.main?.latency.max ?? 0 > 20_000)
  }
}
