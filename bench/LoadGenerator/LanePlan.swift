// From a mode to its lanes: who asks for what, how often, and what the answers must be.

import Stamp

/// The lanes of a measurement.
struct LanePlan {
  private let settings: LoadSettings
  private let parts: [Part]

  private struct Part {
    let name: String
    let count: Int
    let isStream: Bool
    let pace: Lane.Pace
    var bodyBytes: Int?
    var answerBytes: Int?
  }

  init(_ settings: LoadSettings) {
    self.settings = settings
    let count = max(settings.connections, 1)
    func part(_ name: String, _ count: Int, isStream: Bool, _ pace: Lane.Pace) -> Part {
      Part(
        name: name, count: count, isStream: isStream, pace: pace, bodyBytes: settings.bodyBytes,
        answerBytes: settings.answerBytes)
    }
    switch settings.mode {
    case .requests, .bulk: parts = [part("requests", count, isStream: false, .again)]
    case .fresh: parts = [part("requests", count, isStream: settings.asksForStreams, .afresh)]
    case .rate: parts = [part("requests", count, isStream: settings.asksForStreams, .scheduled)]
    case .streams: parts = [part("streams", count, isStream: true, .again)]
    case .held: parts = [part("streams", count, isStream: true, .hold)]
    case .stalled: parts = [part("streams", count, isStream: true, .stall)]
    case .mixed:
      var requests = part("requests", count, isStream: false, .again)
      requests.bodyBytes = nil
      requests.answerBytes = nil
      var bulk = part("bulk", max(count / 8, 1), isStream: false, .again)
      bulk.answerBytes = settings.answerBytes ?? 1 << 20
      parts = [requests, part("streams", count, isStream: true, .again), bulk]
    }
  }

  /// Whether the window begins when all streams are open.
  var holds: Bool { parts.contains { $0.pace == .hold || $0.pace == .stall } }

  /// Whether requests are due at times of their own: not before there is a connection to send them on.
  var isScheduled: Bool { parts.contains { $0.pace == .scheduled } }

  /// Whether the load takes all it can get, so that delays are those of full queues. The generator then does not push the
  /// others of its core aside for each event: it would wake up for every write of theirs (measured: a quarter of all CPU).
  var isGreedy: Bool {
    switch settings.mode {
    case .bulk: true
    case .streams, .mixed: settings.mockNumber("gap-us") == 0
    default: false
    }
  }

  /// Connections in all lanes.
  var clientCount: Int { parts.reduce(0) { $0 + $1.count } }

  func lanes(for run: LoadRun) -> [Lane] {
    parts.map { part in
      var wanted = settings
      wanted.bodyBytes = part.bodyBytes
      wanted.answerBytes = part.answerBytes
      let request = RequestText.chat(
        wanted, isStream: part.isStream, closes: part.pace == .afresh, mock: wanted.mockText)
      let lane = Lane(
        name: part.name, run: run, count: part.count, isStream: part.isStream, pace: part.pace, request: request,
        keptBytes: settings.asksForUsage && !part.isStream ? 65_536 : 0)
      expect(wanted, lane.expected)
      return lane
    }
  }

  /// What is known about the answers before the first came. The rest is learned from it.
  private func expect(_ wanted: LoadSettings, _ expected: AnswerShape) {
    expected.isMock = wanted.isMock ?? (wanted.mockText != nil ? true : nil)
    guard expected.isMock == true else { return }
    expected.events = wanted.mockNumber("events").map { UInt32(clamping: $0) }
    expected.eventFiller = wanted.mockNumber("event-bytes").map { max($0 - Texts.eventBytesMin, 0) }
    expected.answerFiller = wanted.mockNumber("answer-bytes").map { Texts.fillerCount(answerBytes: $0) }
  }
}
