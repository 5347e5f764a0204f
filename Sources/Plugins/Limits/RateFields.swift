// What answers say of the limit that the client stands under, in the fields that OpenAI's answers carry.

import Flow
import Gateway

/// Writes the `x-ratelimit-*` family, and where a limit has refused `Retry-After` and `retry-after-ms`.
public struct RateFields: Plugin {
  public init() {}

  public var name: String { "rate_fields" }
  public var phases: Phases { .response }

  /// An upstream's own family is passed on in its place.
  public func response(_ exchange: Exchange, _ head: inout HeadFields) {
    guard let rate = exchange.rate, !exchange.answerHasRateFields else { return }
    head.add("x-ratelimit-limit-requests", UInt64(max(0, rate.limit)))
    head.add("x-ratelimit-remaining-requests", UInt64(max(0, rate.remaining)))
    head.addDuration("x-ratelimit-reset-requests", rate.resetNanoseconds)
    if !rate.allowed {
      head.add("Retry-After", max(1, (rate.retryAfterNanoseconds &+ 999_999_999) / 1_000_000_000))
      head.add("retry-after-ms", max(1, (rate.retryAfterNanoseconds &+ 999_999) / 1_000_000))
    }
  }
}
