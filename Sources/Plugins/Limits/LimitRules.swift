// Limits beside the one per address: of a key, of a route, of a model, or of all clients together. Each rule counts by
// itself, and the first that is used up refuses.

import Flow
import Gateway
import Wire

/// One rule.
public struct LimitRule: Sendable {
  /// Whose requests are counted together.
  public enum Subject: String, Sendable, CaseIterable {
    /// Each client address.
    case ip
    /// Each key.
    case key
    /// Everybody.
    case all
  }

  public let name: String
  public let rate: Rate
  /// For the message.
  public let requestsPerMinute: Int
  public let subject: Subject
  /// Paths behind the prefix that it is about; empty is all.
  public let routes: [[UInt8]]
  /// Models that it is about, as clients name them; empty is all.
  public let models: Set<String>
  /// Names of keys that it is about; empty is all.
  public let keys: Set<String>

  public init(
    name: String, rate: Rate, requestsPerMinute: Int, subject: Subject, routes: [String] = [], models: Set<String> = [],
    keys: Set<String> = []
  ) {
    self.name = name
    self.rate = rate
    self.requestsPerMinute = requestsPerMinute
    self.subject = subject
    self.routes = routes.map { Array($0.utf8) }
    self.models = models
    self.keys = keys
  }
}

/// Counts requests by rules. Stands behind auth, which says whose key it is.
public struct LimitRules: Plugin {
  private let table: RateTable
  /// Those that can be asked with the head, and those that need the model.
  private let early: [Counted]
  private let late: [Counted]

  private struct Counted: Sendable {
    let rule: LimitRule
    /// Tells its counts from those of all others in the table, and is the same after a reload.
    let scope: UInt64
  }

  /// - Parameter table: shared by all cores, and kept over a reload.
  public init(table: RateTable, rules: [LimitRule]) {
    self.table = table
    let counted = rules.map { Counted(rule: $0, scope: Self.hash($0.name) | 1 << 63) }
    early = counted.filter(\.rule.models.isEmpty)
    late = counted.filter { !$0.rule.models.isEmpty }
  }

  public var name: String { "limit_rules" }
  public var phases: Phases {
    var phases: Phases = []
    if !early.isEmpty { phases.insert(.request) }
    if !late.isEmpty { phases.insert(.body) }
    return phases
  }

  public func request(_ exchange: Exchange) -> Verdict { ask(early, exchange) }
  public func body(_ exchange: Exchange) -> Verdict { ask(late, exchange) }

  private func ask(_ rules: [Counted], _ exchange: Exchange) -> Verdict {
    if case .outside = exchange.route { return .pass }
    let now = exchange.core.loop.now
    for counted in rules where isAbout(counted.rule, exchange) {
      let subject = subject(counted.rule, exchange)
      let key = RateTable.key(scope: counted.scope, high: subject.high, low: subject.low)
      let verdict = table.take(key: key, now: now, rate: counted.rule.rate)
      table.sweep(now: now, slots: 2)
      guard verdict.allowed else {
        exchange.rate = verdict
        let words: Failure.LimitSubject =
          switch counted.rule.subject {
          case .ip: .address
          case .key: .key
          case .all: .everybody
          }
        let cause = Failure.Cause.limited(verdict, requestsPerMinute: counted.rule.requestsPerMinute, of: words)
        return .fail(Failure(.downstream, cause, detail: "limits.rules.\(counted.rule.name)"))
      }
    }
    return .pass
  }

  private func isAbout(_ rule: LimitRule, _ exchange: Exchange) -> Bool {
    if !rule.keys.isEmpty {
      guard let principal = exchange.principal, rule.keys.contains(principal.name) else { return false }
    }
    if !rule.models.isEmpty {
      guard let model = exchange.members.model, rule.models.contains(model) else { return false }
    }
    guard !rule.routes.isEmpty else { return true }
    if case .inference(let route) = exchange.route {
      return rule.routes.contains { $0.elementsEqual(route.rawValue.utf8) }
    }
    let path = exchange.path.dropFirst(exchange.surface.prefixCount)
    return rule.routes.contains { path.elementsEqual($0) }
  }

  private func subject(_ rule: LimitRule, _ exchange: Exchange) -> (high: UInt64, low: UInt64) {
    switch rule.subject {
    case .ip: (exchange.clientAddress?.isIPv4 ?? true ? 4 : 6, exchange.clientAddress?.limiterKeyBits ?? 0)
    case .key: (1, exchange.principal.map { Self.hash($0.name) } ?? 0)
    case .all: (0, 0)
    }
  }

  /// FNV-1a, finished by the table's own mixing: names are the operator's, nobody else chooses them.
  private static func hash(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
