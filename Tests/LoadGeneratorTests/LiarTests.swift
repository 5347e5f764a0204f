// A load against a mock backend over real sockets: one that tells the truth, and one for each lie. A generator that
// overlooks a lie measures nothing. Loads run on threads of their own: they would hold those of all other tests.

import Glibc
import MockBackend
import Reactor
import Testing

@testable import LoadGenerator

@Suite("Loads and liars", .serialized)
struct LiarTests {
  /// Runs a load against a mock with `lie`.
  private func run(
    _ mode: LoadSettings.Mode, lie: Lie = .none, _ change: (inout LoadSettings) -> Void = { _ in }
  ) async throws -> LoadResult {
    var mock = MockSettings()
    mock.events = 20
    mock.gapMicroseconds = 0
    mock.batch = 3
    mock.lie = lie
    let backend = try MockBackend.start(at: .loopback(port: 0), mock)
    defer { backend.stop() }
    var settings = LoadSettings(target: try #require(Target("http://\(backend.address)/v1")))
    settings.mode = mode
    settings.connections = 4
    settings.requestsMax = 40
    settings.warmup = 0
    settings.duration = 20
    settings.timeout = 0.3
    settings.hold = 0.2
    change(&settings)
    return try await measure(settings)
  }

  @Test("a mock that tells the truth is right in every mode", arguments: LoadSettings.Mode.allCases)
  func truth(mode: LoadSettings.Mode) async throws {
    let result = try await run(mode) {
      if mode == .rate { $0.rate = 500 }
      if mode == .held || mode == .stalled { $0.requestsMax = nil }
      if mode == .held { $0.mock = "gap-us=100000000" }
      if mode == .stalled { $0.mock = "events=1000000" }
      if mode == .bulk { $0.answerBytes = 3_000_000 }
    }
    #expect(result.isGood, "\(TableReport.errors(result.errors)) \(result.fatal ?? "")")
    switch mode {
    case .held, .stalled: #expect(result.streamsOpen == 4)
    case .mixed: #expect(result.parts.count == 3 && result.requests > 0)
    case .streams:
      #expect(result.requests == 40 && result.events >= 800 && result.streaming?.eventDelay.count ?? 0 >= 800)
    case .requests, .rate, .bulk, .fresh: #expect(result.requests == 40 && result.main?.latency.count == 40)
    }
    if mode == .bulk { #expect(result.bytes > 120_000_000) }
  }

  static let lies: [(Lie, isStream: Bool, KeyPath<ErrorCounts, Int> & Sendable)] = [
    (.drop(7), true, \.order), (.drop(1), true, \.order), (.drop(20), true, \.count), (.swap(3), true, \.order),
    (.double(5), true, \.order), (.cut(7), true, \.closed), (.cut(0), true, \.closed), (.stall(7), true, \.timeout),
    (.garble, true, \.bytes), (.noDone, true, \.done), (.short, true, \.count), (.framing, true, \.framing),
    (.cut(0), false, \.closed), (.stall(0), false, \.timeout), (.garble, false, \.bytes), (.short, false, \.bytes),
    (.framing, false, \.framing),
  ]

  @Test("a lie is caught, and told as what it is", arguments: lies.indices)
  func lie(index: Int) async throws {
    let (lie, isStream, kind) = Self.lies[index]
    let result = try await run(isStream ? .streams : .requests, lie: lie) {
      // The truth has to be known: what all answers have wrong cannot be learned from the first.
      $0.mock = "events=20,event-bytes=300,answer-bytes=2000"
      $0.requestsMax = 4
    }
    #expect(!result.isGood)
    #expect(result.errors[keyPath: kind] > 0, "\(lie): \(TableReport.errors(result.errors))")
    #expect(result.requests == 0)
  }

  @Test("an answer that refuses is told by its status", arguments: [true, false])
  func status(isStream: Bool) async throws {
    let result = try await run(isStream ? .streams : .requests, lie: .status(503)) { $0.requestsMax = 4 }
    #expect(!result.isGood && result.errors.status == [503: 4])
    #expect(result.parts.first?.firstComplaint?.hasPrefix("HTTP 503 {\"error\"") == true)
  }

  @Test("a stream that is wrong before the window ends is wrong, though it did not end")
  func unfinished() async throws {
    let result = try await run(.streams, lie: .swap(2)) {
      $0.mock = "events=10000000,batch=8"
      $0.requestsMax = nil
      $0.duration = 0.2
    }
    #expect(result.requests == 0 && result.events > 0 && result.errors.order == 4 && !result.isGood)
  }

  static let hanging: [LoadSettings.Mode] = [.streams, .requests, .bulk, .fresh, .rate, .held]

  @Test(
    "who hangs when the window ends has timed out, though the timeout is longer than the window",
    arguments: hanging)
  func hang(mode: LoadSettings.Mode) async throws {
    let result = try await run(mode, lie: .stall(3)) {
      $0.timeout = 30
      $0.requestsMax = nil
      $0.duration = 0.8
      $0.hold = 0.8
      if mode == .rate { $0.rate = 100 }
      if mode == .held { $0.mock = "gap-us=10000" }
    }
    #expect(!result.isGood && result.errors.timeout == 4 && result.errors.total == 4)
    #expect(result.longestSilence > 0.5 && result.longestSilence < 5)
    #expect(TableReport.text(result).contains("longest silence"))
  }

  @Test("who is as silent as the mock was asked to be does not hang")
  func askedGaps() async throws {
    let result = try await run(.streams) {
      $0.mock = "gap-us=1500000,batch=1"
      $0.requestsMax = nil
      $0.duration = 1
      $0.timeout = 30
    }
    #expect(result.isGood && result.events > 0, "\(TableReport.errors(result.errors))")
  }

  @Test("who is as silent as before does not hang")
  func usualGaps() async throws {
    let backend = try ScriptedBackend { connection in
      guard connection.readRequest() else { return }
      connection.send(ScriptedConnection.streamHead)
      for _ in 0..<5 {
        connection.sendEvent()
        usleep(700_000)
      }
    }
    defer { backend.stop() }
    var settings = try LoadSettings(url: backend.target, headers: [])
    settings.mode = .streams
    settings.warmup = 1
    settings.duration = 1
    let result = try await measure(settings)
    // The last event has come 1.4 seconds after the start.
    #expect(result.isGood && result.longestSilence > 0.5, "\(TableReport.errors(result.errors))")
  }

  @Test("where nobody listens, nothing is measured and the reason is told")
  func nobody() async throws {
    let backend = try MockBackend.start(at: .loopback(port: 0))
    let address = backend.address
    backend.stop()
    let result = try await measure(LoadSettings(target: try #require(Target("http://\(address)/v1"))))
    #expect(!result.isGood && result.fatal?.contains("nobody listens there") == true)
  }

  @Test(
    "where attempts to connect are dropped, nothing is measured and the reason is told",
    arguments: LoadSettings.Mode.allCases)
  func dropped(mode: LoadSettings.Mode) async throws {
    let backend = try ScriptedBackend(backlog: 0)
    defer { backend.stop() }
    let filling = backend.fill()
    defer { for descriptor in filling { close(descriptor) } }
    var settings = try LoadSettings(url: backend.target, headers: [])
    settings.mode = mode
    settings.rate = mode == .rate ? 100 : nil
    settings.connections = 4
    settings.warmup = 0
    settings.duration = 0.1
    settings.hold = 0.1
    settings.timeout = mode == .held || mode == .stalled || mode == .rate ? 0.2 : 30
    let result = try await measure(settings)
    #expect(!result.isGood && result.fatal?.hasPrefix(settings.target.text) == true, "\(result.fatal ?? "")")
  }

  @Test("more connections than descriptors are refused before the first")
  func descriptors() async throws {
    let limit = Machine.raiseDescriptorLimit()
    let result = try await run(.held) { $0.connections = limit }
    #expect(!result.isGood && result.fatal?.contains("(\(limit))") == true && result.parts.isEmpty)
  }

  @Test("counts are exact: what the mock sent is what was read")
  func exact() async throws {
    let result = try await run(.streams) { $0.mock = "events=100,event-bytes=300" }
    #expect(result.events >= 4_000)
    // Head, 300 bytes and a chunk's framing for each event, and the end of the stream.
    #expect(result.bytes > result.events * 306 && result.bytes < result.events * 315)
  }

  @Test("an open loop counts from when a request was due, and tells what it could not send")
  func openLoop() async throws {
    let result = try await run(.rate) {
      $0.connections = 1
      $0.rate = 100
      $0.mock = "delay-us=50000"
      $0.requestsMax = nil
      $0.duration = 1
      $0.timeout = 5
    }
    // One connection answers twenty a second; the others wait, and their waiting counts.
    #expect(result.requests >= 10 && result.requests <= 21)
    #expect(result.main?.unsent ?? 0 > 50)
    #expect(result.main?.latency.max ?? 0 > 400_000)
    // So does that of those who still wait.
    #expect(result.main?.latency.count == result.requests + UInt64(result.main?.unanswered ?? 0))
    #expect(result.main?.unanswered ?? 0 > 20)
  }
}
