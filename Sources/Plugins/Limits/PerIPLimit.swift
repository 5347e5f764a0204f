// How often one client address may ask: GCRA in a table that all cores share, so that the limit is exact whatever core a
// connection lands on.

import Flow
import Gateway
import Wire

/// Limits requests below the API's prefixes per client address; IPv6 counts by /64.
public struct PerIPLimit: Plugin {
  private let table: RateTable
  private let rate: Rate
  private let exempt: [AddressPrefix]

  /// - Parameter table: shared by all cores, and kept over a reload, so that nobody's count begins anew.
  public init(table: RateTable, rate: Rate, exempt: [AddressPrefix]) {
    self.table = table
    self.rate = rate
    self.exempt = exempt
  }

  public var name: String { "per_ip_limit" }
  public var phases: Phases { .request }

  public func request(_ exchange: Exchange) -> Verdict {
    guard exchange.route != .outside, let address = exchange.clientAddress else { return .pass }
    for prefix in exempt where prefix.contains(address) { return .pass }
    let now = exchange.core.loop.now
    let key = RateTable.key(scope: address.isIPv4 ? 4 : 6, high: 0, low: address.limiterKeyBits)
    let verdict = table.take(key: key, now: now, rate: rate)
    // Whoever uses the table also tidies it: two slots for each request keep up with any number of addresses.
    table.sweep(now: now, slots: 2)
    exchange.note(requests: verdict)
    if verdict.allowed { return .pass }
    let reached = LimitReached(.requests(rate), of: .address, retryAfter: verdict.retryAfterNanoseconds)
    return .fail(Failure(.downstream, .limited(reached)))
  }
}
