// What answers say of the limits that the client stands under, in the fields that OpenAI's answers carry.

import Flow
import Gateway

/// Writes the `x-ratelimit-*` family for requests and for tokens, and behind a refusal when to come again.
public struct RateFields: Plugin {
  public init() {}

  public var name: String { "rate_fields" }
  public var phases: Phases { .response }

  /// An upstream's own family is passed on in its place.
  public func response(_ exchange: Exchange, _ head: inout HeadFields) {
    guard !exchange.answerHasRateFields else { return }
    if let rate = exchange.rates.requests {
      head.add("x-ratelimit-limit-requests", UInt64(max(0, rate.limit)))
      head.add("x-ratelimit-remaining-requests", UInt64(max(0, rate.remaining)))
      head.addDuration("x-ratelimit-reset-requests", rate.resetNanoseconds)
    }
    if let rate = exchange.rates.tokens {
      head.add("x-ratelimit-limit-tokens", UInt64(max(0, rate.limit)))
      head.add("x-ratelimit-remaining-tokens", UInt64(max(0, rate.remaining)))
      head.addDuration("x-ratelimit-reset-tokens", rate.resetNanoseconds)
    }
    guard exchange.hasFailed, case .limited(let reached)? = exchange.record.failure?.cause else { return }
    guard let wait = reached.retryAfter else {
      // The SDKs repeat every 429, and this one is the same for ever.
      return head.add("x-should-retry", fixed: "false")
    }
    head.add("Retry-After", max(1, (wait &+ 999_999_999) / 1_000_000_000))
    head.add("retry-after-ms", max(1, (wait &+ 999_999) / 1_000_000))
  }
}
