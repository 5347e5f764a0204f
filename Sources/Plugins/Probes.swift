// What load balancers and orchestrators ask: is the process alive, and can it do its work. No key, no limit.

import Gateway
import Reactor
import Synchronization
import Wire

/// Answers `GET /health` and `GET /ready`.
///
/// The process is healthy while it runs. It is ready while it takes new work and somebody listens at one of the backends at
/// least: a gateway is not taken out because of one backend, and one that has none can serve nobody.
public struct Probes: Plugin {
  private let endpoints: [Endpoint]
  private let memo: ReadyMemo

  /// - Parameters:
  ///   - endpoints: those of all clusters. Where there are none the gateway is ready by itself.
  ///   - memo: shared by all cores, and kept over a reload.
  public init(endpoints: [Endpoint] = [], memo: ReadyMemo = ReadyMemo()) {
    self.endpoints = endpoints
    self.memo = memo
  }

  public var name: String { "probes" }
  public var phases: Phases { .request }

  public func request(_ exchange: Exchange) -> Verdict {
    guard case .outside = exchange.route else { return .pass }
    let isHealth = exchange.path.elementsEqual("/health".utf8)
    guard isHealth || exchange.path.elementsEqual("/ready".utf8) else { return .pass }
    guard exchange.method == .get || exchange.method == .head else {
      return .fail(Failure(.downstream, .method(allowed: "GET, HEAD")))
    }
    // Readiness flips first at a shutdown; the process stays healthy while its streams finish.
    if isHealth { return .reply(state("healthy", 200)) }
    if exchange.core.isDraining { return .reply(state("draining", 503)) }
    guard !endpoints.isEmpty else { return .reply(state("ready", 200)) }
    switch memo.ask(exchange.core.loop.now) {
    case .known(let isUp): return .reply(readiness(isUp))
    case .lookAgain: return .wait
    }
  }

  public func wait(in phase: Phases, _ exchange: Exchange, on loop: isolated LoopActor) async throws -> Verdict {
    let isUp = await exchange.core.reachesAny(of: endpoints, within: Self.timeMax, on: loop)
    memo.learn(isUp, exchange.core.loop.now)
    return .reply(readiness(isUp))
  }

  private func readiness(_ isUp: Bool) -> Reply { isUp ? state("ready", 200) : state("no_backend", 503) }

  private func state(_ word: String, _ status: Int) -> Reply {
    let time = Timestamp.text(Machine.wallClockNanoseconds())
    return Reply(
      status: status, body: Array(#"{"status":"\#(word)","timestamp":"\#(time)"}"#.utf8),
      fields: [("Cache-Control", "no-store")])
  }

  private static let timeMax: UInt64 = 2_000_000_000
}

/// What was found last, so that nobody can make the gateway knock at its backends more than once a second.
public final class ReadyMemo: Sendable {
  enum Answer {
    case known(Bool)
    case lookAgain
  }

  /// Time of the last look, on the loops' clock, which all cores share; 0 is never.
  private let lookedAt = Atomic<UInt64>(0)
  /// 0 is not known, 1 is down, 2 is up.
  private let found = Atomic<UInt8>(0)

  public init() {}

  /// The last finding, while it is young; the first who asks later is to look again, and others hear the old one meanwhile.
  /// Whoever asks while the very first look is under way hears that nothing is there yet.
  func ask(_ now: UInt64) -> Answer {
    let last = lookedAt.load(ordering: .relaxed)
    let isUp = found.load(ordering: .relaxed) == 2
    if last != 0, now &- last < Self.age || last > now { return .known(isUp) }
    let (isMine, _) = lookedAt.compareExchange(expected: last, desired: max(now, 1), ordering: .relaxed)
    return isMine ? .lookAgain : .known(isUp)
  }

  func learn(_ isUp: Bool, _ now: UInt64) {
    found.store(isUp ? 2 : 1, ordering: .relaxed)
    lookedAt.store(max(now, 1), ordering: .relaxed)
  }

  private static let age: UInt64 = 1_000_000_000
}
