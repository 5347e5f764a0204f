// What was counted. One for each lane; the counted window begins by setting it back, faults excepted: an answer that was
// wrong during the warm-up is wrong all the same.

/// What can be wrong with an answer.
public struct Faults: OptionSet, Sendable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Events did not come in their order.
  public static let order = Faults(rawValue: 1)
  /// Events are missing, or there are too many.
  public static let count = Faults(rawValue: 2)
  /// A stream ended without `[DONE]`, or went on behind it.
  public static let done = Faults(rawValue: 4)
  /// Bytes of the content are missing or wrong.
  public static let bytes = Faults(rawValue: 8)
  /// The message is no HTTP, or its events are no events.
  public static let framing = Faults(rawValue: 16)
  /// The stream itself says that it failed.
  public static let failed = Faults(rawValue: 32)
}

/// Answers that were not right, by what was wrong. An answer counts once for each kind.
public struct ErrorCounts: Equatable, Sendable {
  /// Connections that could not be opened.
  public var connect = 0
  /// Connections that closed in front of an answer or inside it.
  public var closed = 0
  /// Answers that stayed away for too long.
  public var timeout = 0
  /// Answers with a status other than 200.
  public var status: [Int: Int] = [:]
  public var order = 0
  public var count = 0
  public var done = 0
  public var bytes = 0
  public var framing = 0
  /// Streams that said themselves that they failed.
  public var failed = 0

  public init() {}

  public var total: Int {
    connect + closed + timeout + order + count + done + bytes + framing + failed + status.values.reduce(0, +)
  }

  mutating func add(_ faults: Faults) {
    if faults.contains(.order) { order += 1 }
    if faults.contains(.count) { count += 1 }
    if faults.contains(.done) { done += 1 }
    if faults.contains(.bytes) { bytes += 1 }
    if faults.contains(.framing) { framing += 1 }
    if faults.contains(.failed) { failed += 1 }
  }

  mutating func add(_ other: ErrorCounts) {
    connect += other.connect
    closed += other.closed
    timeout += other.timeout
    order += other.order
    count += other.count
    done += other.done
    bytes += other.bytes
    framing += other.framing
    failed += other.failed
    status.merge(other.status, uniquingKeysWith: +)
  }
}

/// Counters and histograms of one lane.
final class Tally {
  /// Answers that ended in the window, right ones only.
  var requests: UInt64 = 0
  /// Events with content: numbered ones of a mock, deltas with text of others.
  var events: UInt64 = 0
  /// Bytes that were read from sockets, heads and framing included.
  var bytes: UInt64 = 0
  /// Bytes that were written to sockets.
  var bytesSent: UInt64 = 0
  /// Tokens that answers claim, and answers that claim any.
  var tokens: UInt64 = 0
  var answersWithUsage: UInt64 = 0
  var eventsWithUsage: UInt64 = 0
  /// From the request, or the time at which it was due, to the end of the answer.
  let latency = Recorder()
  /// From the same to the first event with content.
  let firstToken = Recorder()
  /// Between two events of a stream as they arrive.
  let gap = Recorder()
  /// From the mock's stamp to the arrival.
  let eventDelay = Recorder()
  /// Requests of an open loop that are in `latency` though they were not answered.
  var unanswered = 0
  /// Longest silence of a connection, in nanoseconds, that was waited for and ended with bytes. Never set back.
  var longestPause: UInt64 = 0
  var errors = ErrorCounts()
  /// What the first answer that was no 200 said, and the first connection that failed.
  var firstComplaint: String?

  /// The counted window begins. Streams that are held got their first tokens in front of it, and keep them.
  func reset(keepingFirstToken: Bool = false) {
    requests = 0
    events = 0
    bytes = 0
    bytesSent = 0
    tokens = 0
    answersWithUsage = 0
    eventsWithUsage = 0
    unanswered = 0
    for recorder in [latency, gap, eventDelay] { recorder.reset() }
    if !keepingFirstToken { firstToken.reset() }
  }
}
