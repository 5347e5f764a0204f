// What a limit is and what it answers: plain values in the terms of GCRA, the generic cell rate algorithm. They hold no
// state; the one number per key that GCRA keeps lives in a RateTable.

/// So many takes in a period, and so many at once.
///
/// GCRA keeps a single time per key, the *theoretical arrival time*: until then the key is in debt. A take moves it on by
/// one emission interval, and is refused when that would put it farther ahead than `burst` intervals.
public struct Rate: Sendable, Hashable {
  /// Takes in one period, as configured. At least 1.
  public let count: Int
  /// The period in nanoseconds. At least 1.
  public let perNanoseconds: UInt64
  /// Takes that a key which rested long enough may do at once. At least 1.
  public let burst: Int
  /// Nanoseconds that give back one take: the period divided by `count`, rounded up so that never more than `count` are
  /// given in a period.
  public let emissionNanoseconds: UInt64
  /// `burst` emission intervals: how far ahead of now the arrival time may be.
  let toleranceNanoseconds: UInt64

  /// A rate of `count` takes per `perNanoseconds` with at most `burst` at once; what is below 1 is taken as 1.
  ///
  /// A `burst` that would take longer than 146 years to refill is cut.
  public init(count: Int, perNanoseconds: UInt64, burst: Int) {
    self.count = max(count, 1)
    self.perNanoseconds = min(max(perNanoseconds, 1), Self.horizonNanoseconds)
    let (whole, rest) = self.perNanoseconds.quotientAndRemainder(dividingBy: UInt64(self.count))
    emissionNanoseconds = rest == 0 ? whole : whole + 1
    let most = Int(clamping: Self.horizonNanoseconds / emissionNanoseconds)
    self.burst = min(max(burst, 1), most)
    toleranceNanoseconds = UInt64(self.burst) * emissionNanoseconds
  }

  /// 2^62 ns: sums of a time and two of these stay far from overflow.
  static let horizonNanoseconds: UInt64 = 1 << 62

  /// `cost` intervals, cut to just above the horizon: such a cost is refused by every rate.
  func debtNanoseconds(of cost: Int) -> UInt64 {
    guard cost > 0 else { return 0 }
    let (debt, overflow) = emissionNanoseconds.multipliedReportingOverflow(by: UInt64(cost))
    return overflow ? Self.horizonNanoseconds + 1 : min(debt, Self.horizonNanoseconds + 1)
  }

  /// The answer to a take of `cost` by a key whose arrival time is `arrival`, and the arrival time after it.
  func decide(arrival: UInt64, now: UInt64, cost: Int) -> (verdict: RateVerdict, arrival: UInt64) {
    let owed = arrival > now ? arrival - now : 0
    let debt = debtNanoseconds(of: cost)
    let ahead = owed.addingReportingOverflow(debt)
    let after = ahead.overflow ? UInt64.max : ahead.partialValue
    let time = now.addingReportingOverflow(after)
    // The last two words are the table's own; no clock gets there in five hundred years.
    if after <= toleranceNanoseconds, !time.overflow, time.partialValue < .max - 1 {
      return (verdict(owed: after, allowed: true, retryAfter: 0), debt == 0 ? arrival : time.partialValue)
    }
    let wait = debt <= toleranceNanoseconds && after > toleranceNanoseconds ? after - toleranceNanoseconds : owed
    return (verdict(owed: owed, allowed: false, retryAfter: max(wait, 1)), arrival)
  }

  /// The arrival time of a key that pays `cost` whether it can or not, or gets `-cost` back; and what it may still take.
  func settle(arrival: UInt64, now: UInt64, cost: Int) -> (verdict: RateVerdict, arrival: UInt64) {
    let owed = arrival > now ? arrival - now : 0
    let change = debtNanoseconds(of: cost == .min ? .max : abs(cost))
    let after: UInt64
    if cost < 0 {
      after = owed > change ? owed - change : 0
    } else {
      let sum = owed.addingReportingOverflow(change)
      after = sum.overflow ? Self.horizonNanoseconds : min(sum.partialValue, Self.horizonNanoseconds)
    }
    let time = now.addingReportingOverflow(after)
    let settled = time.overflow || time.partialValue >= .max - 1 ? arrival : time.partialValue
    let wait = after > toleranceNanoseconds ? after - toleranceNanoseconds : 0
    return (verdict(owed: after, allowed: wait == 0, retryAfter: wait), settled)
  }

  private func verdict(owed: UInt64, allowed: Bool, retryAfter: UInt64) -> RateVerdict {
    let free = toleranceNanoseconds > owed ? toleranceNanoseconds - owed : 0
    return RateVerdict(
      allowed: allowed, limit: burst, remaining: Int(clamping: free / emissionNanoseconds),
      resetNanoseconds: owed, retryAfterNanoseconds: retryAfter)
  }
}

/// The answer to one take, in the terms of the `x-ratelimit-*` and `Retry-After` headers.
public struct RateVerdict: Sendable, Hashable {
  /// Whether the take was done.
  public let allowed: Bool
  /// The most takes that are possible at once: the rate's burst.
  public let limit: Int
  /// Takes of cost 1 that would be allowed right now, after this one.
  public let remaining: Int
  /// Nanoseconds until `remaining` is `limit` again.
  public let resetNanoseconds: UInt64
  /// Nanoseconds until the same take is allowed, if nobody else takes; 0 when it was allowed. For a cost above the burst,
  /// which is never allowed, the time until the key is out of debt, at least 1.
  public let retryAfterNanoseconds: UInt64

  public init(
    allowed: Bool, limit: Int, remaining: Int, resetNanoseconds: UInt64, retryAfterNanoseconds: UInt64
  ) {
    self.allowed = allowed
    self.limit = limit
    self.remaining = remaining
    self.resetNanoseconds = resetNanoseconds
    self.retryAfterNanoseconds = retryAfterNanoseconds
  }
}
