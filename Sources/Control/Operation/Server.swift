// The process: reads the configuration, opens the listeners, starts a core per thread, and waits for signals on a loop
// of its own. The only place that knows both the operator's file and the cores.

import DemoBackend
import Gateway
import Glibc
import Plugins
import Reactor

/// A running gateway.
public final class Server {
  private let path: String
  private let plugins: [PluginKind]
  private var configuration: Configuration
  private var builder = SnapshotBuilder()
  private let connections = Tally()
  private var listeners: [OpenListener] = []
  private var cores: [CoreHandle] = []
  private var threads: [CoreThread] = []
  private var demo: DemoBackend?
  private var log: LogWriter?
  private var isDraining = false
  private var lastCall: Timer?

  private init(path: String, configuration: Configuration, plugins: [PluginKind]) {
    self.path = path
    self.configuration = configuration
    self.plugins = plugins
  }

  /// Runs a gateway until it is told to stop; the process's exit status.
  public static func run(configurationPath path: String, plugins: [PluginKind] = []) -> Int32 {
    Terminal.fillStandardDescriptors()
    switch Configuration.load(path: path, environment: Machine.environment, plugins: plugins) {
    case .failure(let errors):
      Terminal.error("\(errors)")
      return ExitStatus.badConfiguration
    case .success(let configuration):
      Terminal.show(from: configuration.log.level)
      let server = Server(path: path, configuration: configuration, plugins: plugins)
      do throws(OperatorError) {
        return try server.run()
      } catch {
        Terminal.error("\(path): \(error)")
        server.close()
        return ExitStatus.unavailable
      }
    }
  }

  private func run() throws(OperatorError) -> Int32 {
    let loop: Loop
    do throws(ReactorError) { loop = try Loop(roomCapacity: 4096) } catch { throw OperatorError("\(error)") }
    // Before anything else: a signal during the start must find somebody.
    let signals: [SignalWatcher]
    do throws(ReactorError) {
      signals = [
        try SignalWatcher(loop: loop, signal: SIGTERM) { [unowned self] in drain(loop) },
        try SignalWatcher(loop: loop, signal: SIGINT) { [unowned self] in drain(loop) },
        try SignalWatcher(loop: loop, signal: SIGHUP) { [unowned self] in reload() },
      ]
    } catch {
      throw OperatorError("signals: \(error)")
    }
    Machine.raiseDescriptorLimit()
    log = try openLog(configuration.log.access)
    if let demo = configuration.demoBackend { self.demo = try startDemo(demo) }
    let snapshot = try builder.build(configuration, kinds: plugins)
    builder.settle()
    let count = coreCount
    for listener in configuration.listeners {
      listeners.append(try Doors.open(listener, cores: count, isFirst: true))
    }
    try startCores(count, snapshot)
    for (index, core) in cores.enumerated() { core.change(closing: [], opening: doors(listeners, index)) }
    let banner = Banner(
      configuration: configuration, listeners: listeners, cores: count, descriptors: Machine.raiseDescriptorLimit(),
      path: path)
    banner.print()

    let inbox = loop.inbox
    joinLater { inbox.stop() }
    loop.run()
    for signal in signals { signal.close() }
    lastCall?.close()
    loop.close()
    log?.finish()
    demo?.stop()
    removeUnixSockets(listeners)
    let counters = cores.reduce(Counters()) { $0 + $1.countersAfterEnd }
    Terminal.info(
      "sluice: stopped after \(counters.exchanges) requests on \(counters.connectionsAccepted) connections, "
        + "\(counters.clientsLeft) left by their clients, \(counters.replays) sent again, "
        + "\(counters.connectionsRefused) connections refused; backends: \(counters.upstreamConnects) connects, "
        + "\(counters.upstreamReuses) reuses, \(counters.pauses) pauses, \(counters.bytesCopied) bytes copied, "
        + "\(counters.bytesSpliced) spliced")
    return ExitStatus.good
  }

  private var coreCount: Int {
    switch configuration.workers {
    case .auto: Machine.coreCount
    case .count(let count): count
    }
  }

  private func doors(_ listeners: [OpenListener], _ core: Int) -> [(descriptor: Int32, door: Door)] {
    listeners.flatMap { listener in listener.descriptors[core].map { ($0, listener.door) } }
  }

  // MARK: Cores

  private func startCores(_ count: Int, _ snapshot: Snapshot) throws(OperatorError) {
    for index in 0..<count {
      do throws(ReactorError) {
        let loop = try Loop()
        // SAFETY: made here and handed to the core's own thread before anybody else can reach it; from then on only its
        // handle is used here.
        nonisolated(unsafe) let core = Core(
          index: index, loop: loop, snapshot: snapshot, accessLog: log.map { AccessLog(loop: loop, sink: $0) },
          connections: connections)
        cores.append(CoreHandle(core))
        threads.append(
          try CoreThread.start(name: "core \(index)") {
            core.loop.run()
            core.loop.close()
          })
      } catch {
        throw OperatorError("core \(index): \(error)")
      }
    }
  }

  /// Calls `done` when all cores have ended.
  private func joinLater(_ done: @escaping @Sendable () -> Void) {
    let threads = threads
    _ = try? CoreThread.start(name: "joins") {
      for thread in threads { thread.join() }
      done()
    }
  }

  // MARK: Signals

  private func drain(_ loop: Loop) {
    guard !isDraining else {
      // Asked twice: whoever asks does not want to wait.
      Terminal.warning("sluice: stopped at once")
      log?.finish()
      Self.endNow()
    }
    isDraining = true
    let seconds = Banner.seconds(configuration.shutdown.drainNanoseconds)
    Terminal.info("sluice: draining, streams have \(seconds) seconds to finish")
    for core in cores { core.drain() }
    // A core's loop ends with the last of its name look-ups, which nobody can stop: a name server that does not answer
    // is not waited for.
    let timer = Timer(loop: loop) { [unowned self] in
      Terminal.error("sluice: stopped, though a name look-up is still under way")
      log?.finish()
      removeUnixSockets(listeners)
      Self.endNow()
    }
    timer.arm(afterNanoseconds: configuration.shutdown.drainNanoseconds &+ Self.closingNanoseconds)
    lastCall = timer
  }

  /// Ends the process without its last rites: libuv's own would wait for the look-ups.
  private static func endNow() -> Never { _exit(ExitStatus.good) }

  /// What the cores may take to close when the time for draining is over.
  private static let closingNanoseconds: UInt64 = 2_000_000_000

  private func reload() {
    guard !isDraining else { return }
    switch Configuration.load(path: path, environment: Machine.environment, plugins: plugins) {
    case .failure(let errors): Terminal.error("\(errors)\nsluice: reload refused, nothing was changed")
    case .success(let new):
      do throws(OperatorError) {
        try adopt(new)
        Terminal.info("sluice: reloaded \(path)")
      } catch {
        Terminal.error("\(path): \(error)\nsluice: reload refused, nothing was changed")
      }
    }
  }

  private func adopt(_ new: Configuration) throws(OperatorError) {
    for (what, differs) in [
      ("workers", new.workers != configuration.workers), ("demo_backend", new.demoBackend != configuration.demoBackend),
      ("log.access", new.log.access != configuration.log.access),
    ] where differs { throw OperatorError("\(what): changed, which needs a restart") }
    let snapshot = try builder.build(new, kinds: plugins)
    // A log file that was moved away is made anew.
    if case .file(let path) = new.log.access { log?.reopen(try openFile(path)) }
    var kept: [OpenListener] = []
    var opened: [OpenListener] = []
    do throws(OperatorError) {
      for listener in new.listeners {
        if let same = listeners.first(where: { $0.listener == listener }) {
          kept.append(same)
        } else {
          let isKnown = listeners.contains { $0.listener.address == listener.address }
          opened.append(try Doors.open(listener, cores: cores.count, isFirst: !isKnown))
        }
      }
    } catch {
      for listener in opened { listener.close() }
      throw error
    }
    let gone = listeners.filter { old in !kept.contains { $0.listener == old.listener } }
    // In front of the cores: a key that is new in the file may manage keys with its first request.
    builder.settle()
    for (index, core) in cores.enumerated() {
      core.adopt(snapshot)
      core.change(closing: gone.map(\.door), opening: doors(opened, index))
    }
    removeUnixSockets(gone)
    Terminal.show(from: new.log.level)
    listeners = kept + opened
    configuration = new
  }

  // MARK: What stands around

  private func openLog(_ access: Configuration.Log.Access) throws(OperatorError) -> LogWriter? {
    switch access {
    case .off: return nil
    case .stdout: return try logWriter(1)
    case .stderr: return try logWriter(2)
    case .file(let path): return try logWriter(try openFile(path))
    }
  }

  private func logWriter(_ descriptor: Int32) throws(OperatorError) -> LogWriter {
    do throws(ReactorError) {
      return try LogWriter(descriptor: descriptor)
    } catch {
      throw OperatorError("log.access: \(error)")
    }
  }

  private func openFile(_ path: String) throws(OperatorError) -> Int32 {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else {
      throw OperatorError("log.access: cannot write to \(path): \(String(cString: strerror(errno)))")
    }
    return descriptor
  }

  private func startDemo(_ demo: Configuration.DemoBackend) throws(OperatorError) -> DemoBackend {
    do throws(ReactorError) {
      return try DemoBackend.start(DemoSettings(demo))
    } catch {
      throw OperatorError("demo_backend: cannot listen on \(demo.address): \(error)")
    }
  }

  private func removeUnixSockets(_ listeners: [OpenListener]) {
    for case .unix(let path) in listeners.map(\.listener.address) { unlink(path) }
  }

  private func close() {
    for core in cores { core.drain() }
    for listener in listeners { listener.close() }
    demo?.stop()
  }
}
