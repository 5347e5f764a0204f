// What to measure. Plain values, checked by whoever reads them from a command line.

/// One measurement.
public struct LoadSettings: Sendable {
  /// How requests follow each other.
  public enum Mode: String, CaseIterable, Sendable {
    /// Closed loop of answers in one piece: each connection asks again when it was answered.
    case requests
    /// Open loop: so many a second, whether the last ones were answered or not.
    case rate
    /// Closed loop of streams.
    case streams
    /// Streams that are opened, held and closed: what an open stream costs.
    case held
    /// Closed loop of large answers or bodies: what a byte costs.
    case bulk
    /// A new connection for each request.
    case fresh
    /// Streams whose reader stops behind the head: what a slow reader costs.
    case stalled
    /// Requests, streams and bulk at once.
    case mixed
  }

  public var target: Target
  public var mode = Mode.requests
  /// Sent as `Authorization: Bearer`.
  public var key: String?
  public var model = "mock"
  /// What is asked; `bodyBytes` makes it longer.
  public var prompt = "Hello"
  public var maxTokens: Int?
  /// Whether `rate` asks for streams.
  public var asksForStreams = false
  /// Whether streams ask for a last event with token counts.
  public var asksForUsage = false
  public var connections = 1
  /// Length of the counted window in seconds.
  public var duration = 10.0
  /// Seconds in front of it that are not counted.
  public var warmup = 1.0
  /// The measurement ends after so many answers, if that is sooner.
  public var requestsMax: Int?
  /// Requests a second, for `rate`.
  public var rate: Double?
  /// Seconds that `held` and `stalled` hold their streams.
  public var hold = 5.0
  /// Longest silence in seconds while an answer is awaited.
  public var timeout = 30.0
  /// Size of the request's body in bytes; nil for as long as it is.
  public var bodyBytes: Int?
  /// Size of the answer that is asked of a mock backend; nil for what it sends.
  public var answerBytes: Int?
  /// Sent as `x-mock`.
  public var mock: String?
  /// Whether a mock backend answers, whose every byte is known. Nil when the first answer shall tell.
  public var isMock: Bool?
  /// More header lines.
  public var headers: [(name: String, value: String)] = []
  /// Processes whose CPU time and memory are taken at the window's edges.
  public var watched: [Int32] = []
  /// PEM file of the authorities to trust instead of the system's.
  public var authorities: String?

  public init(target: Target) { self.target = target }

  /// The value of `x-mock`: what was asked for, and the answer's size.
  var mockText: String? {
    let parts = [mock, answerBytes.map { "answer-bytes=\($0)" }].compactMap { $0 }.filter { !$0.isEmpty }
    return parts.isEmpty ? nil : parts.joined(separator: ",")
  }

  /// A number that `x-mock` names.
  func mockNumber(_ name: String) -> Int? {
    for part in (mockText ?? "").split(separator: ",").reversed() where part.hasPrefix(name + "=") {
      return Int(part.dropFirst(name.utf8.count + 1))
    }
    return nil
  }
}
