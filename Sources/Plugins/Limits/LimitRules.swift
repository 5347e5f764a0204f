// Limits beside the one per address: of a key, an account type, a route, a model, or of all clients together. Each rule
// counts by itself, and the first that is used up refuses.

import Flow
import Gateway
import Wire

/// Counts by rules. Stands in the chain twice: behind auth, which says who asks, for rules that the head is enough for; and
/// behind the catalog, which says what model is meant, for all others.
public struct LimitRules: Plugin {
  private let rates: RateTable
  private let concurrency: ConcurrencyTable
  private let rules: [LimitRule]
  private let phase: Phases
  private let exempt: [AddressPrefix]

  /// - Parameters:
  ///   - rates, concurrency: shared by all cores, and kept over a reload.
  ///   - phase: `request` or `route`; the rules that cannot be asked in it are left to the other one.
  ///   - exempt: addresses that rules of addresses do not count.
  public init(
    _ rules: [LimitRule], rates: RateTable, concurrency: ConcurrencyTable, phase: Phases, exempt: [AddressPrefix] = []
  ) {
    self.exempt = exempt
    self.rates = rates
    self.concurrency = concurrency
    self.phase = phase
    self.rules = rules.filter { $0.needsModel == (phase == .route) }
  }

  public var name: String { "limit_rules" }
  public var phases: Phases {
    guard !rules.isEmpty else { return [] }
    let settles = rules.contains { rule in
      if case .requests = rule.measure { false } else { true }
    }
    return settles ? [phase, .finished] : phase
  }

  public func request(_ exchange: Exchange) -> Verdict { ask(exchange) }
  public func route(_ exchange: Exchange) -> Verdict { ask(exchange) }

  private func ask(_ exchange: Exchange) -> Verdict {
    if case .outside = exchange.route { return .pass }
    let now = exchange.core.loop.now
    for rule in rules where rule.isAbout(exchange) && !isExempt(rule, exchange) {
      let key = rule.tableKey(exchange)
      let reached: LimitReached? =
        switch rule.measure {
        case .requests(let rate): request(rule, key, rate, now, exchange)
        case .tokens(let rate): reserve(rule, key, rate, now, exchange)
        case .concurrent(let max): enter(rule, key, max, exchange)
        }
      if let reached {
        return .fail(Failure(.downstream, .limited(reached), detail: "limits.rules.\(rule.name)"))
      }
    }
    return .pass
  }

  private func isExempt(_ rule: LimitRule, _ exchange: Exchange) -> Bool {
    guard rule.subject == .ip, let address = exchange.clientAddress else { return false }
    return exempt.contains { $0.contains(address) }
  }

  private func request(
    _ rule: LimitRule, _ key: UInt64, _ rate: Rate, _ now: UInt64, _ exchange: Exchange
  ) -> LimitReached? {
    let verdict = rates.take(key: key, now: now, rate: rate)
    rates.sweep(now: now, slots: 2)
    exchange.note(requests: verdict)
    guard !verdict.allowed else { return nil }
    return LimitReached(
      .requests(rate), of: rule.subject.words, about: rule.about(exchange), retryAfter: verdict.retryAfterNanoseconds)
  }

  /// Takes the most that the answer may cost; a request that gives no bound takes one token, and pays when it is over.
  private func reserve(
    _ rule: LimitRule, _ key: UInt64, _ rate: Rate, _ now: UInt64, _ exchange: Exchange
  ) -> LimitReached? {
    let cost = max(exchange.members.tokensMax ?? 1, 1)
    let verdict = rates.take(key: key, cost: cost, now: now, rate: rate)
    rates.sweep(now: now, slots: 2)
    exchange.note(tokens: verdict)
    guard verdict.allowed else {
      return LimitReached(
        .tokens(rate, requested: cost), of: rule.subject.words, about: rule.about(exchange),
        retryAfter: cost > rate.burst ? nil : verdict.retryAfterNanoseconds)
    }
    LimitCharges.of(exchange).tokens.append(.init(key: key, rate: rate, reserved: cost))
    exchange.needsUsage = true
    return nil
  }

  private func enter(_ rule: LimitRule, _ key: UInt64, _ max: Int, _ exchange: Exchange) -> LimitReached? {
    guard concurrency.enter(key, max: max) else {
      return LimitReached(
        .concurrent(max), of: rule.subject.words, about: rule.about(exchange), retryAfter: 1_000_000_000)
    }
    LimitCharges.of(exchange).entered.append(key)
    return nil
  }

  public func finished(_ exchange: Exchange) {
    LimitCharges.settle(exchange, rates: rates, concurrency: concurrency)
  }
}

extension LimitRule.Subject {
  fileprivate var words: LimitReached.Subject {
    switch self {
    case .ip: .address
    case .key: .key
    case .all: .everybody
    }
  }
}
