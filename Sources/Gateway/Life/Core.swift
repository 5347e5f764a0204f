// One core: a thread's loop and everything that lives on it. Cores share nothing on the byte path; what they share is
// the snapshot (immutable) and the limiter's table (atomic), both reached through the snapshot's plugins.

import Bytes
import Flow
import Reactor
import Wire

/// A loop, its connections, its pools, its timers and its scratch memory.
public final class Core {
  /// Which core this is, from 0.
  public let index: Int
  /// The loop that everything of this core runs on.
  public let loop: Loop
  /// The configuration that new exchanges begin with.
  public private(set) var snapshot: Snapshot
  /// Finished exchanges, as lines on their way to the log's own thread.
  public let accessLog: AccessLog?
  /// What happened here since the start.
  public internal(set) var counters = Counters()
  /// Whether the core takes no new work.
  public var isDraining: Bool { !drainState.isReady }

  private(set) var clusters: [ClusterState] = []
  var clients = Roster<ClientConnection>()
  private let connections: Tally
  var random: Xoshiro256
  /// Scratch for the heads that leave.
  private(set) var headRoom: Slab
  let departures: Departures
  let resolver: Resolver
  private var dateSecond: UInt64 = 0
  private var dateText = ""
  private let chunkRoom = Slab(capacity: 32)

  private var listeners: [(door: Door, listener: Listener)] = []
  private var requestParsers: [MessageParser] = []
  private var responseParsers: [MessageParser] = []
  private var scanners: [BodyScanner] = []
  private var outgoings: [Outgoing] = []
  /// What exchanges have whose request is out: always empty.
  let spent = Outgoing()
  var routes = RouteMemo()
  /// What became of the piece of an answer that is edited just now.
  var edited: [UInt8] = []
  private var wheel: TimerWheel<Unmanaged<ClientConnection>>
  private var wheelTimer: Timer?
  private var wakesAt: UInt64 = .max
  private var sweepTimer: Timer?
  private var isSweepDue = false
  private var drainState = Drain()
  private var drainTimer: Timer?
  private var errands: [ObjectIdentifier: any Errand] = [:]

  /// - Parameter connections: counts the clients of all cores that share it.
  public init(index: Int, loop: Loop, snapshot: Snapshot, accessLog: AccessLog?, connections: Tally = Tally()) {
    self.connections = connections
    self.index = index
    self.loop = loop
    self.snapshot = snapshot
    self.accessLog = accessLog
    var seed: UInt64 = 0
    withUnsafeMutableBytes(of: &seed) { Machine.entropy(into: $0) }
    random = Xoshiro256(seed: seed)
    headRoom = Slab(capacity: Self.headRoomBytes(snapshot))
    departures = Departures(loop: loop)
    resolver = Resolver(loop: loop)
    wheel = TimerWheel(now: loop.now)
    clusters = snapshot.clusters.map { ClusterState($0, core: self) }
    wheelTimer = Timer(loop: loop) { [unowned self] in wheelTurned() }
    sweepTimer = Timer(loop: loop) { [unowned self] in sweep() }
    loop.whenRoomWasClaimed = { [departures] in departures.leave() }
  }

  /// Accepts clients from `descriptor`, which becomes the core's.
  public func listen(_ descriptor: Int32, door: Door) throws(ReactorError) {
    let listener = try Listener(descriptor: descriptor, loop: loop, acceptsPerWake: 64) { [unowned self] client, peer in
      accept(client, from: peer, door: door)
    }
    listeners.append((door, listener))
  }

  /// Exchanges that begin from now on use `snapshot`. Pools of endpoints that are in both go on.
  public func adopt(_ snapshot: Snapshot) {
    self.snapshot = snapshot
    let old = clusters
    clusters = snapshot.clusters.map { ClusterState($0, core: self, inheriting: old) }
    for state in old { state.retire(unlessIn: clusters) }
    requestParsers.removeAll()
    routes = RouteMemo()
    let headBytes = Self.headRoomBytes(snapshot)
    if headRoom.capacity < headBytes { headRoom = Slab(capacity: headBytes) }
  }

  /// The state of `cluster`, be it of this snapshot or of the one that an older exchange keeps.
  func state(of cluster: Cluster) -> ClusterState {
    if cluster.index < clusters.count, clusters[cluster.index].cluster === cluster { return clusters[cluster.index] }
    // For this exchange alone: nothing of the old configuration comes back into the new one's endpoints, and no
    // connection stays behind in a pool that nobody sweeps.
    let state = ClusterState(cluster, core: self)
    state.close()
    return state
  }

  private func accept(_ descriptor: Int32, from peer: SocketAddress, door: Door) {
    guard connections.enter(max: snapshot.client.connectionsMax) else {
      counters.connectionsRefused &+= 1
      Machine.close(descriptor, saying: door.refusal)
      return
    }
    counters.connectionsAccepted &+= 1
    ClientConnection.open(descriptor, from: peer, door: door, core: self)
  }

  /// The line in front of a chunk of `count` bytes, in scratch of its own: one at a time.
  func chunkHead(_ count: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: chunkRoom.room[..<ChunkedWriter.chunkHead(count, into: chunkRoom.room)])
  }

  /// The value of a Date field, written anew each second (RFC 9110, 5.6.7).
  func date() -> String {
    let second = Machine.wallClockNanoseconds() / 1_000_000_000
    if second != dateSecond { (dateSecond, dateText) = (second, Timestamp.http(second)) }
    return dateText
  }

  // MARK: Parsers

  func takeRequestParser() -> MessageParser {
    requestParsers.popLast() ?? MessageParser(role: .request, limits: snapshot.client.limits)
  }

  func giveRequestParser(_ parser: MessageParser) {
    // One that was under way during a reload has the old limits, and is not for the new one's requests.
    guard requestParsers.count < Self.parsersKept, parser.obeys(snapshot.client.limits) else { return }
    parser.reset()
    requestParsers.append(parser)
  }

  func takeResponseParser(bodiless: Bool) -> MessageParser {
    let parser = responseParsers.popLast() ?? MessageParser(role: .response, limits: HeadLimits())
    parser.reset(bodiless: bodiless)
    return parser
  }

  func giveResponseParser(_ parser: MessageParser) {
    guard responseParsers.count < Self.parsersKept else { return }
    responseParsers.append(parser)
  }

  func takeScanner() -> BodyScanner { scanners.popLast() ?? BodyScanner() }

  func giveScanner(_ scanner: BodyScanner) {
    guard scanners.count < Self.parsersKept else { return }
    scanners.append(scanner)
  }

  func takeOutgoing() -> Outgoing { outgoings.popLast() ?? Outgoing() }

  func giveOutgoing(_ outgoing: Outgoing) {
    outgoing.reset()
    guard outgoings.count < Self.parsersKept else { return }
    outgoings.append(outgoing)
  }

  private static let parsersKept = 64
  /// The longest head a client may send, and what is added to it on its way.
  private static func headRoomBytes(_ snapshot: Snapshot) -> Int { snapshot.client.limits.headBytesMax + (32 << 10) }

  // MARK: Time

  /// Calls `client.deadlineReached` at `time` or a little later.
  func schedule(_ client: ClientConnection, at time: UInt64) -> TimerWheel<Unmanaged<ClientConnection>>.Entry {
    // SAFETY: a client cancels its entry when it closes, before it can go away.
    let entry = wheel.add(Unmanaged.passUnretained(client), at: time)
    wakeNoLater(than: time)
    return entry
  }

  func move(_ entry: TimerWheel<Unmanaged<ClientConnection>>.Entry, to time: UInt64) {
    wheel.move(entry, to: time)
    wakeNoLater(than: time)
  }

  func cancel(_ entry: TimerWheel<Unmanaged<ClientConnection>>.Entry) { wheel.cancel(entry) }

  private func wakeNoLater(than time: UInt64) {
    guard time < wakesAt else { return }
    armWheel()
  }

  private func armWheel() {
    let now = loop.now
    guard let next = wheel.nextWake(after: now) else {
      wakesAt = .max
      wheelTimer?.disarm()
      return
    }
    wakesAt = next
    wheelTimer?.arm(afterNanoseconds: next > now ? next - now : 0)
  }

  private func wheelTurned() {
    let now = loop.now
    wakesAt = .max
    wheel.advance(to: now) { client in
      // SAFETY: as in `schedule`: an entry in the wheel means that its client is alive.
      client.takeUnretainedValue().deadlineReached(now)
    }
    armWheel()
  }

  /// Idle connections grow old whether or not anything happens; one sweep a second sees to all pools.
  func sweepSoon() {
    guard !isSweepDue else { return }
    isSweepDue = true
    sweepTimer?.arm(afterNanoseconds: 1_000_000_000)
  }

  private func sweep() {
    isSweepDue = false
    let now = loop.now
    var left = 0
    for cluster in clusters { left += cluster.expire(now) }
    if left > 0 { sweepSoon() }
  }

  // MARK: Errands

  /// Keeps `errand` for as long as it is under way.
  func began(_ errand: any Errand) { errands[ObjectIdentifier(errand)] = errand }

  func ended(_ errand: any Errand) { errands[ObjectIdentifier(errand)] = nil }

  // MARK: Shutdown

  /// Stops accepting, lets streams finish for the snapshot's drain time, then ends them; `loop.run` returns after.
  public func drain() {
    act(on: drainState.begin(now: loop.now, grace: snapshot.drain, exchanges: clients.count))
    drainTicked()
  }

  /// Called whenever a client connection has gone.
  func clientLeft() {
    connections.leave()
    if isDraining, clients.count == 0 { drainTicked() }
  }

  private func drainTicked() { act(on: drainState.ticked(now: loop.now, exchanges: clients.count)) }

  private func act(on action: Drain.Action) {
    switch action {
    case .none: break
    case .closeListeners:
      for entry in listeners { entry.listener.close() }
      listeners = []
      for client in clients.members { client.drain() }
      let timer = Timer(loop: loop) { [unowned self] in drainTicked() }
      timer.arm(afterNanoseconds: snapshot.drain)
      drainTimer = timer
    case .cutExchanges:
      for client in clients.members { client.endForShutdown() }
      stop()
    case .stop: stop()
    }
  }

  /// Stops accepting through `doors`; the connections that came through them go on.
  public func closeListeners(of doors: [Door]) {
    for entry in listeners where doors.contains(where: { $0 === entry.door }) { entry.listener.close() }
    listeners.removeAll { entry in doors.contains { $0 === entry.door } }
  }

  private func stop() {
    drainTimer?.close()
    drainTimer = nil
    wheelTimer?.close()
    wheelTimer = nil
    sweepTimer?.close()
    sweepTimer = nil
    for cluster in clusters { cluster.close() }
    for errand in errands.values { errand.abandon() }
    accessLog?.flush()
    loop.stop()
  }
}

@available(*, unavailable)
extension Core: Sendable {}
