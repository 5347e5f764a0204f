// What load balancers and orchestrators ask: is the process alive, and does it take work. No key, no limit.

import Gateway
import Reactor
import Wire

/// Answers `GET /health` and `GET /ready`.
public struct Probes: Plugin {
  public init() {}

  public var name: String { "probes" }
  public var phases: Phases { .request }

  public func request(_ exchange: Exchange) -> Verdict {
    guard exchange.route == .outside else { return .pass }
    let isHealth = exchange.path.elementsEqual("/health".utf8)
    guard isHealth || exchange.path.elementsEqual("/ready".utf8) else { return .pass }
    guard exchange.method == .get || exchange.method == .head else {
      return .fail(Failure(.downstream, .method(allowed: "GET, HEAD")))
    }
    // Readiness flips first at a shutdown; the process stays healthy while its streams finish.
    if isHealth { return .reply(state("healthy", 200)) }
    return .reply(exchange.core.isDraining ? state("draining", 503) : state("ready", 200))
  }

  private func state(_ word: String, _ status: Int) -> Reply {
    let time = Timestamp.text(Machine.wallClockNanoseconds())
    return Reply(
      status: status, body: Array(#"{"status":"\#(word)","timestamp":"\#(time)"}"#.utf8),
      fields: [("Cache-Control", "no-store")])
  }
}
