// How many retries a cluster may see: a share of its requests, so that a cluster that fails as a whole is not asked
// several times as much. Owned by one cluster on one core; plain integers, `now` as an argument.

/// A budget that each request pays a share of a retry into, and each retry takes a whole one from.
///
/// A trickle per second keeps retries possible when requests are rare; the cap keeps a quiet hour from paying for a storm.
public struct RetryBudget: Sendable {
  /// Retries per hundred requests.
  public let percent: Int
  /// Retries that are given each second whatever the load.
  public let perSecond: Int
  /// Retries that can be saved up. At least 1.
  public let savedMax: Int

  /// One retry, in the units in which the balance is kept.
  private static let retry: UInt64 = 1_000_000_000
  private var balance: UInt64
  private var paidUntil: UInt64

  /// A full budget. Numbers are cut to sensible bounds: `percent` to 0...1000, the others to at most a million.
  public init(percent: Int = 20, perSecond: Int = 3, savedMax: Int = 30, now: UInt64) {
    self.percent = min(max(percent, 0), 1000)
    self.perSecond = min(max(perSecond, 0), 1_000_000)
    self.savedMax = min(max(savedMax, 1), 1_000_000)
    balance = UInt64(self.savedMax) * Self.retry
    paidUntil = now
  }

  /// Whole retries that could be made at `now`.
  public func available(now: UInt64) -> Int { Int(clamping: balanced(at: now) / Self.retry) }

  /// A request (not a retry) was sent upstream.
  public mutating func deposit(now: UInt64) {
    pay(until: now)
    balance = min(balance + UInt64(percent) * (Self.retry / 100), cap)
  }

  /// Takes one retry; false when there is none.
  public mutating func withdraw(now: UInt64) -> Bool {
    pay(until: now)
    guard balance >= Self.retry else { return false }
    balance -= Self.retry
    return true
  }

  private var cap: UInt64 { UInt64(savedMax) * Self.retry }

  private mutating func pay(until now: UInt64) {
    balance = balanced(at: now)
    paidUntil = max(paidUntil, now)
  }

  private func balanced(at now: UInt64) -> UInt64 {
    guard now > paidUntil else { return balance }
    // A nanosecond pays `perSecond` units.
    let (pay, overflow) = (now - paidUntil).multipliedReportingOverflow(by: UInt64(perSecond))
    return overflow ? cap : min(balance + min(pay, cap), cap)
  }
}
