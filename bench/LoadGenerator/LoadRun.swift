// One measurement from its first connection to its last answer. Owns the loop, the lanes and the clock; runs on the
// thread that calls it and is used up afterwards.
//
//   resolving ─▶ opening ─▶ warming ─▶ counting ─▶ over       the counted window is `counting`: counters are set back and
//                   │                     ▲                   processes sampled at its edges, and nowhere else
//                   └─ held, stalled ─────┘ when all streams are open; without a warm-up: at once, or in an open loop
//                                           when all connections are open or have failed to

import CTimer
import Glibc
import Reactor

/// A measurement under way.
final class LoadRun {
  enum Stage {
    case resolving, opening, warming, counting, over
  }

  let loop: Loop
  let settings: LoadSettings
  let secrets: Secrets
  private(set) var lanes: [Lane] = []
  private(set) var stage = Stage.resolving
  private let plan: LanePlan
  private let dialer: Dialer
  private var edge: Timer?
  private var sweeper: Timer?
  private var pacemaker: Pacemaker?
  private var watchers: [SignalWatcher] = []
  private let progress: ((LoadProgress) -> Void)?

  private var heldCount = 0
  /// Clients whose first connection is open, or could not be opened.
  private var settledCount = 0
  private var started = 0
  /// Requests that have ended, however.
  private(set) var endedCount = 0
  private var beganAt: UInt64 = 0
  private var endedAt: UInt64 = 0
  private var watch: Watch
  private(set) var openAtEnd = 0
  /// Nanoseconds for which the most silent connection had waited when the window ended.
  private(set) var longestSilence: UInt64 = 0
  private(set) var fatal: String?
  private(set) var wasInterrupted = false

  init(_ settings: LoadSettings, progress: ((LoadProgress) -> Void)?) throws(ReactorError) {
    self.settings = settings
    self.progress = progress
    secrets = Secrets(settings)
    plan = LanePlan(settings)
    dialer = try Dialer(target: settings.target, authorities: settings.authorities)
    loop = try Loop()
    watch = Watch(settings.watched)
  }

  /// Runs to the end.
  func run() throws(ReactorError) -> LoadResult {
    defer { close() }
    let descriptorsMax = Machine.raiseDescriptorLimit()
    guard plan.clientCount + Self.descriptorsSpare <= descriptorsMax else {
      fatal =
        "\(plan.clientCount) connections need more descriptors than this process may have (\(descriptorsMax)); "
        + "raise the limit with ulimit -n"
      return result()
    }
    lanes = plan.lanes(for: self)
    if plan.isGreedy { _ = sluice_be_patient() }
    for signal in [SIGINT, SIGTERM] {
      watchers.append(
        try SignalWatcher(loop: loop, signal: signal) { [unowned(unsafe) self] in
          // SAFETY, here and below: what calls back is closed in close(), before the run goes away.
          self.wasInterrupted = true
          self.finish()
        })
    }
    edge = Timer(loop: loop) { [unowned(unsafe) self] in self.edgeReached() }
    sweeper = Timer(loop: loop) { [unowned(unsafe) self] in self.sweep() }
    sweeper?.arm(afterNanoseconds: Self.sweepNanoseconds)
    watch.beginMemory()
    Resolver(loop: loop).resolve(host: settings.target.host, port: settings.target.port) {
      [unowned(unsafe) self] answer in
      switch answer {
      case .success(let addresses): self.open(addresses)
      case .failure(let error): self.giveUp("\(self.settings.target.host): \(error)")
      }
    }
    loop.run()
    return result()
  }

  private func close() {
    for watcher in watchers { watcher.close() }
    edge?.close()
    sweeper?.close()
    pacemaker?.close()
    for lane in lanes { lane.close() }
    loop.close()
  }

  // MARK: Stages

  private func open(_ addresses: [SocketAddress]) {
    guard stage == .resolving else { return }
    stage = .opening
    beganAt = loop.now
    if settings.warmup <= 0, !plan.holds, !plan.isScheduled { beginCounting() } else { arm(settings.timeout) }
    dialer.begin(addresses, lanes.flatMap(\.clients))
  }

  private func edgeReached() {
    switch stage {
    case .opening: if plan.holds { beginCounting() } else { beginWarming() }
    case .warming: beginCounting()
    case .counting: finish()
    case .resolving, .over: break
    }
  }

  private func beginWarming() {
    guard stage == .opening else { return }
    guard settings.warmup > 0 else { return beginCounting() }
    stage = .warming
    beganAt = loop.now
    startPacemaker()
    arm(settings.warmup)
  }

  private func beginCounting() {
    guard stage == .opening || stage == .warming else { return }
    stage = .counting
    if !plan.holds { watch.beginMemory() }
    watch.begin()
    for lane in lanes { lane.tally.reset(keepingFirstToken: plan.holds) }
    beganAt = loop.now
    arm(plan.holds ? settings.hold : settings.duration)
    startPacemaker()
  }

  private func startPacemaker() {
    guard pacemaker == nil, let rate = settings.rate, let lane = lanes.first(where: { $0.pace == .scheduled }) else {
      return
    }
    do throws(ReactorError) {
      pacemaker = try Pacemaker(loop: loop, rate: rate) { lane.due(at: $0) }
    } catch {
      giveUp("\(error)")
    }
  }

  /// Ends the window, whatever is under way.
  func finish() {
    guard stage != .over else { return }
    if fatal == nil, !wasInterrupted, dialer.openedCount == 0 {
      // Attempts may all be under way still: a network that drops them says nothing.
      fatal = "\(settings.target.text): no connection could be opened"
    }
    endedAt = loop.now
    openAtEnd = lanes.reduce(0) { $0 + $1.openCount }
    let patience = Patience(settings, seconds: patienceSeconds)
    for lane in lanes { longestSilence = max(longestSilence, lane.end(at: endedAt, patience)) }
    // Interrupted in front of its window, a run has counted nothing.
    if stage != .counting { for lane in lanes { lane.tally.reset() } }
    stage = .over
    dialer.stop()
    watch.end()
    loop.stop()
  }

  /// Length of the window by which silences are judged: the whole one when a signal has cut it short.
  private var patienceSeconds: Double {
    if stage == .counting, !wasInterrupted, endedAt > beganAt { return Double(endedAt - beganAt) / 1e9 }
    return plan.holds ? settings.hold : settings.duration
  }

  private func giveUp(_ reason: String) {
    guard stage != .over else { return }
    fatal = reason
    finish()
  }

  private func arm(_ seconds: Double) {
    edge?.arm(afterNanoseconds: UInt64(max(seconds, 0) * 1e9))
  }

  // MARK: Connections

  /// Connects `client` as soon as there is room.
  func connect(_ client: Client) { if stage != .over { dialer.connect(client) } }

  /// The same, but not at once: something went wrong.
  func retry(_ client: Client) {
    client.close()
    dialer.retry(client)
  }

  func opened(_ client: Client) {
    dialer.opened()
    settle(client)
  }

  private func settle(_ client: Client) {
    guard !client.isSettled else { return }
    client.isSettled = true
    settledCount += 1
    if stage == .opening, !plan.holds, settledCount == plan.clientCount { beginWarming() }
  }

  /// A connection could not be opened. False when nothing is lost yet.
  func failedToConnect(_ client: Client, _ error: SocketError) -> Bool {
    switch dialer.failed(client) {
    case .counts:
      settle(client)
      return true
    case .elsewhere: return false
    case .nobody:
      giveUp("\(settings.target.text): \(LoadRun.words(for: error))")
      return true
    }
  }

  private static func words(for error: SocketError) -> String {
    switch error.kind {
    case .refused: "nobody listens there (\(error))"
    case .timedOut: "no answer to the attempt to connect (\(error))"
    case .unreachable: "there is no way to it (\(error))"
    case .tlsVerification: "its certificate is not to be trusted (\(error))"
    case .tls: "it does not speak TLS as we do (\(error))"
    default: "\(error)"
    }
  }

  // MARK: Requests

  /// Whether another request may be sent; counts it.
  func mayStart() -> Bool {
    guard stage != .over else { return false }
    if let most = settings.requestsMax, started >= most { return false }
    started += 1
    return true
  }

  /// A request has ended, however.
  func ended() {
    endedCount += 1
    if let most = settings.requestsMax, endedCount >= most { finish() }
  }

  /// A stream is open, in a lane that holds.
  func held() {
    heldCount += 1
    if stage == .opening, heldCount == plan.clientCount { beginCounting() }
  }

  // MARK: Housekeeping

  private func sweep() {
    guard stage != .over else { return }
    let now = loop.now
    let limit = UInt64(settings.timeout * 1e9)
    for lane in lanes {
      for client in lane.clients where client.isAwaited {
        if now > client.progressAt, now &- client.progressAt > limit { client.timeOut() }
      }
    }
    dialer.sweep()
    if let progress { progress(LoadProgress(self, now: now)) }
    sweeper?.arm(afterNanoseconds: Self.sweepNanoseconds)
  }

  /// Nanoseconds since the stage began.
  func elapsed(_ now: UInt64) -> UInt64 { now &- beganAt }

  private func result() -> LoadResult {
    LoadResult(
      run: self, seconds: endedAt > beganAt && fatal == nil ? Double(endedAt - beganAt) / 1e9 : 0, watch: watch)
  }

  /// Descriptors for other things than connections.
  private static let descriptorsSpare = 32
  private static let sweepNanoseconds: UInt64 = 100_000_000
}
