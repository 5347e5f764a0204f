// Clients that do the same thing, and what they have in common: the request, what its answer must be, the counters, and
// the rule by which requests follow each other. A load has one lane; `mixed` has three.

import Bytes
import Reactor

/// A group of connections.
final class Lane {
  /// What a client does when it was answered.
  enum Pace {
    /// Asks again.
    case again
    /// Asks when a request is due.
    case scheduled
    /// Opens another connection first.
    case afresh
    /// Streams are held open.
    case hold
    /// Streams are not read behind their head.
    case stall
  }

  let name: String
  let isStream: Bool
  let pace: Pace
  let request: Chunk
  let expected = AnswerShape()
  let tally = Tally()
  /// Bytes of each answer that are kept, for its token counts; 0 when nobody wants them.
  let keptBytes: Int
  private(set) var clients: [Client] = []
  private unowned(unsafe) let run: LoadRun
  /// Clients that wait for a request to be due, for `scheduled`.
  private var free: [Client] = []
  /// When requests were due that no client was free for, oldest first, from `lateFirst` on.
  private var late: [UInt64] = []
  private var lateFirst = 0

  init(
    name: String, run: LoadRun, count: Int, isStream: Bool, pace: Pace, request: Chunk, keptBytes: Int
  ) {
    self.name = name
    self.run = run
    self.isStream = isStream
    self.pace = pace
    self.request = request
    self.keptBytes = keptBytes
    // SAFETY of `run`: the run owns its lanes and closes their clients before it goes away.
    clients = (0..<count).map { _ in Client(lane: self, loop: run.loop) }
  }

  /// Streams that are held.
  var openCount: Int { clients.reduce(0) { $0 + ($1.isOpen ? 1 : 0) } }

  /// Ends all connections, and the circle of lane and clients.
  func close() {
    for client in clients { client.close() }
    clients = []
    free = []
  }

  // MARK: What clients tell

  func opened(_ client: Client) {
    run.opened(client)
    next(client)
  }

  func held(_ client: Client) { run.held() }

  /// An idle connection was closed by the server.
  func lost(_ client: Client) {
    free.removeAll { $0 === client }
    run.connect(client)
  }

  func answered(_ client: Client, latency: UInt64, faults: Faults, tokens: Int?, events: UInt32) {
    if faults.isEmpty {
      tally.requests &+= 1
      tally.latency.record(latency)
      if let tokens {
        tally.tokens &+= UInt64(max(tokens, 0))
        tally.answersWithUsage &+= 1
        tally.eventsWithUsage &+= UInt64(events)
      }
    } else {
      tally.errors.add(faults)
    }
    run.ended()
    goOn(client)
  }

  func refused(_ client: Client, status: Int, _ body: [UInt8]) {
    tally.errors.status[status, default: 0] += 1
    if tally.firstComplaint == nil {
      tally.firstComplaint = "HTTP \(status) " + run.secrets.hidden(in: body, bytesMax: 300)
    }
    run.ended()
    // A server that refuses is not asked again at once: a refusal is cheap, and a storm of them no measurement.
    run.retry(client)
  }

  func failed(_ client: Client, _ failure: Failure) {
    if pace == .scheduled { free.removeAll { $0 === client } }
    switch failure {
    case .connect(let error):
      guard run.failedToConnect(client, error) else { return }
      tally.errors.connect += 1
      if tally.firstComplaint == nil { tally.firstComplaint = "\(error)" }
      return
    case .closed: tally.errors.closed += 1
    case .timeout: tally.errors.timeout += 1
    case .framing: tally.errors.framing += 1
    case .unasked:
      tally.errors.framing += 1
      // No request has ended.
      return run.retry(client)
    }
    run.ended()
    run.retry(client)
  }

  // MARK: What follows

  private func goOn(_ client: Client) {
    if pace == .afresh || client.phase == .closed {
      run.connect(client)
    } else {
      next(client)
    }
  }

  /// The client is connected and has nothing to do.
  func next(_ client: Client) {
    guard client.phase == .idle else { return }
    if pace == .scheduled {
      guard lateFirst < late.count else { return free.append(client) }
      guard client.ask(at: late[lateFirst]) else { return }
      lateFirst += 1
      if lateFirst == late.count {
        late.removeAll(keepingCapacity: true)
        lateFirst = 0
      }
    } else if run.mayStart() {
      _ = client.ask(at: run.loop.now)
    }
  }

  /// A request is due.
  func due(at time: UInt64) {
    guard run.mayStart() else { return }
    // The client that was used last: its memory is warm.
    while let client = free.popLast() {
      if client.ask(at: time) { return }
    }
    late.append(time)
  }

  // MARK: The end

  /// The window ends: counts what is wrong with what is under way, and returns the longest silence in nanoseconds of a
  /// connection that waited for something.
  func end(at time: UInt64, _ patience: Patience) -> UInt64 {
    var longest: UInt64 = 0
    for client in clients {
      tally.errors.add(client.faultsSoFar)
      let limit = client.isAwaited ? patience.whileAwaited(seen: tally.longestPause) : patience.whileHeld
      guard let limit, client.isAwaited || client.isHeld, time > client.progressAt else { continue }
      let silence = time &- client.progressAt
      longest = max(longest, silence)
      guard silence > limit else { continue }
      if client.phase == .connecting { tally.errors.connect += 1 } else { tally.errors.timeout += 1 }
    }
    if pace == .scheduled { countUnanswered(at: time) }
    return longest
  }

  /// Requests that were due and are not answered have waited at least as long as until now: without them the worst ones
  /// would be missing.
  private func countUnanswered(at time: UInt64) {
    var withoutContent = late[lateFirst...].map { max(time, $0) - $0 }
    var all = withoutContent
    for case let request? in clients.map(\.underWay) {
      let age = max(time, request.dueAt) - request.dueAt
      all.append(age)
      if !request.hasContent { withoutContent.append(age) }
    }
    tally.unanswered = tally.latency.record(unfinished: all)
    if isStream { _ = tally.firstToken.record(unfinished: withoutContent) }
  }

  /// Requests that are due and were not sent.
  var lateCount: Int { late.count - lateFirst }
}
