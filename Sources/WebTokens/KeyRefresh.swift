// When a set of keys is fetched: a machine without a clock and without a socket. It makes sure that a rotation is seen at
// once, that an issuer which is down hurts nobody for a while, and that no client can make us ask for each of its requests.

/// When to ask for a set of keys. Times are nanoseconds of a clock that only goes forward.
struct KeyRefresh {
  struct Times: Sendable, Equatable {
    /// How long a set is taken for the current one.
    var fresh: UInt64 = 300_000_000_000
    /// How much longer it is used when no newer one can be had.
    var stale: UInt64 = 3600_000_000_000
    /// Between two fetches because of tokens that no key fits, and after one that has failed.
    var pause: UInt64 = 10_000_000_000
    /// After a fetch that has failed, where there is no set to use.
    var shortPause: UInt64 = 1_000_000_000
  }

  /// What whoever needs keys is to do.
  enum Step: Equatable {
    /// Use the set that there is.
    case use
    /// Fetch, and say how it went by `fetched`.
    case fetch
    /// Wait for the fetch that is under way.
    case wait
    /// There are no keys, and it is too soon to ask again.
    case none
  }

  let times: Times
  private var fetchedAt: UInt64?
  private var failedAt: UInt64?
  private var missedAt: UInt64?
  private(set) var isFetching = false

  init(_ times: Times) { self.times = times }

  /// Until when the set may be used without a word; 0 is never.
  var settledUntil: UInt64 {
    guard let fetchedAt else { return 0 }
    let fresh = fetchedAt &+ times.fresh
    guard let failedAt, failedAt >= fetchedAt else { return fresh }
    // Behind a failure it is asked again after a pause, and an old set ends in the end.
    return max(fresh, min(failedAt &+ times.pause, endsAt))
  }

  /// When the set ends, even though no newer one can be had; 0 where there is none.
  var endsAt: UInt64 { fetchedAt.map { $0 &+ times.fresh &+ times.stale } ?? 0 }

  /// Keys are needed.
  mutating func wanted(_ now: UInt64) -> Step {
    if now < settledUntil { return .use }
    let isUsable = now < endsAt
    if isFetching { return isUsable ? .use : .wait }
    if let failedAt, now < failedAt &+ (isUsable ? times.pause : times.shortPause) { return isUsable ? .use : .none }
    isFetching = true
    return .fetch
  }

  /// A token was shown that no key of the set verifies.
  mutating func missed(_ now: UInt64) -> Step {
    if isFetching { return .wait }
    if let missedAt, now < missedAt &+ times.pause { return .use }
    missedAt = now
    isFetching = true
    return .fetch
  }

  /// The fetch is over; `worked` says whether there is a set now that was just fetched.
  mutating func fetched(_ now: UInt64, worked: Bool) {
    isFetching = false
    if worked { (fetchedAt, failedAt) = (now, nil) } else { failedAt = now }
  }
}
