// What a measurement found, as values. How it is told is in Report.swift, JSONReport.swift and Plot.swift.

import Reactor

/// The outcome of a measurement.
public struct LoadResult: Sendable {
  /// One lane's share.
  public struct Part: Sendable {
    public let name: String
    public let isStream: Bool
    public let requests: UInt64
    public let events: UInt64
    public let bytes: UInt64
    public let bytesSent: UInt64
    /// Tokens that answers claimed in their usage, and how many answers did.
    public let tokens: UInt64
    public let answersWithUsage: UInt64
    /// Events with content in the answers that told their usage.
    public let eventsWithUsage: UInt64
    /// From the request to the end of its answer; in an open loop, from when it was due, and requests that were not
    /// answered are in it as long as they have waited.
    public let latency: Durations
    public let firstToken: Durations
    public let gap: Durations
    public let eventDelay: Durations
    public let errors: ErrorCounts
    public let firstComplaint: String?
    /// Requests of an open loop that are in `latency` and were not answered when the window ended. Those that had not
    /// waited for longer than half of the answers took are not among them.
    public let unanswered: Int
    /// Requests of an open loop that were due and could not be sent.
    public let unsent: Int
  }

  /// A process that was watched.
  public struct Watched: Sendable {
    public let pid: Int32
    public let cpuMicroseconds: Double
    /// Memory in KiB; nil when the process was not there.
    public let before: ProcessSample?
    public let after: ProcessSample?
  }

  public let settings: LoadSettings
  /// Length of the counted window in seconds.
  public let seconds: Double
  public let parts: [Part]
  public let watched: [Watched]
  /// Streams that were open when the window ended, for modes that hold them.
  public let streamsOpen: Int
  /// For how long the most silent connection that waited for something had waited when the window ended, in seconds. One
  /// that was silent for too long, by `Patience`, is among the errors as timed out.
  public let longestSilence: Double
  /// CPU time of the generator in the window.
  public let ownCPUMicroseconds: Double
  /// Why nothing could be measured.
  public let fatal: String?
  /// Whether a signal ended it early.
  public let wasInterrupted: Bool

  init(run: LoadRun, seconds: Double, watch: Watch) {
    settings = run.settings
    self.seconds = seconds
    parts = run.lanes.map { Part($0) }
    watched = watch.processes.map {
      Watched(pid: $0.pid, cpuMicroseconds: Double($0.cpuNanoseconds) / 1e3, before: $0.before, after: $0.after)
    }
    streamsOpen = run.openAtEnd
    longestSilence = Double(run.longestSilence) / 1e9
    ownCPUMicroseconds = Double(watch.ownCPUNanoseconds) / 1e3
    fatal = run.fatal
    wasInterrupted = run.wasInterrupted
  }

  /// What went wrong, warm-up included.
  public var errors: ErrorCounts {
    parts.reduce(into: ErrorCounts()) { $0.add($1.errors) }
  }

  /// Whether something was measured and every answer was right.
  public var isGood: Bool {
    fatal == nil && errors.total == 0 && (holds ? streamsOpen == settings.connections : requests + events > 0)
  }

  private var holds: Bool { settings.mode == .held || settings.mode == .stalled }

  public var requests: UInt64 { sum(\.requests) }
  public var events: UInt64 { sum(\.events) }
  public var bytes: UInt64 { sum(\.bytes) }
  public var bytesSent: UInt64 { sum(\.bytesSent) }

  /// Tokens that were made in the window. Of streams, events with content, each for as many tokens as the usage of whole
  /// answers says; streams that are cut by the window's end count as far as they came. Nil when nobody knows.
  public var tokens: Double? {
    var sum = 0.0
    for part in parts {
      if part.isStream {
        let perEvent = part.eventsWithUsage > 0 ? Double(part.tokens) / Double(part.eventsWithUsage) : 1
        sum += Double(part.events) * perEvent
      } else {
        sum += Double(part.tokens)
      }
    }
    return sum > 0 ? sum : nil
  }

  /// The part whose durations stand for the whole: answers in one piece, and streams where there are any.
  public var main: Part? { parts.first }
  public var streaming: Part? { parts.first { $0.isStream } }

  private func sum(_ path: KeyPath<Part, UInt64>) -> UInt64 { parts.reduce(0) { $0 &+ $1[keyPath: path] } }
}

extension LoadResult.Part {
  init(_ lane: Lane) {
    let tally = lane.tally
    name = lane.name
    isStream = lane.isStream
    requests = tally.requests
    events = tally.events
    bytes = tally.bytes
    bytesSent = tally.bytesSent
    tokens = tally.tokens
    answersWithUsage = tally.answersWithUsage
    eventsWithUsage = tally.eventsWithUsage
    latency = tally.latency.durations
    firstToken = tally.firstToken.durations
    gap = tally.gap.durations
    eventDelay = tally.eventDelay.durations
    errors = tally.errors
    firstComplaint = tally.firstComplaint
    unanswered = tally.unanswered
    unsent = lane.lateCount
  }
}

/// How far a measurement is.
public struct LoadProgress: Sendable {
  public enum Stage: Sendable {
    case opening, warming, counting
  }

  public let stage: Stage
  /// Part of the stage that is over, 0 to 1.
  public let fraction: Double
  public let requests: UInt64
  public let events: UInt64
  public let errors: Int
  /// Seconds since the stage began.
  public let seconds: Double

  init(_ run: LoadRun, now: UInt64) {
    seconds = Double(run.elapsed(now)) / 1e9
    let length: Double
    switch run.stage {
    case .resolving, .opening, .over:
      stage = .opening
      length = run.settings.timeout
    case .warming:
      stage = .warming
      length = run.settings.warmup
    case .counting:
      stage = .counting
      length = [.held, .stalled].contains(run.settings.mode) ? run.settings.hold : run.settings.duration
    }
    let answered = run.settings.requestsMax.map { Double(run.endedCount) / Double(max($0, 1)) } ?? 0
    fraction = min(max(seconds / max(length, 0.001), answered, 0), 1)
    requests = run.lanes.reduce(0) { $0 &+ $1.tally.requests }
    events = run.lanes.reduce(0) { $0 &+ $1.tally.events }
    errors = run.lanes.reduce(0) { $0 + $1.tally.errors.total }
  }
}

/// Runs measurements.
public enum Measurement {
  /// Runs one on the calling thread until it is over, or SIGINT or SIGTERM ends it early.
  ///
  /// - Parameter progress: called some ten times a second.
  public static func run(
    _ settings: LoadSettings, progress: ((LoadProgress) -> Void)? = nil
  ) throws(ReactorError) -> LoadResult {
    try LoadRun(settings, progress: progress).run()
  }
}
