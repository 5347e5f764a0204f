// What limits say of an exchange: to the client in its answer's head, and in the refusal when one is reached.

import Flow

/// How much is left under the limits that an exchange was counted by.
public struct Rates: Sendable {
  /// Of the limit on requests that has the fewest left.
  public private(set) var requests: RateVerdict?
  /// Of the limit on tokens that has the fewest left.
  public private(set) var tokens: RateVerdict?

  init() {}

  mutating func note(requests verdict: RateVerdict) { requests = Self.tighter(requests, verdict) }
  mutating func note(tokens verdict: RateVerdict) { tokens = Self.tighter(tokens, verdict) }

  private static func tighter(_ one: RateVerdict?, _ other: RateVerdict) -> RateVerdict {
    guard let one, one.remaining <= other.remaining, other.allowed else { return other }
    return one
  }
}

/// A limit that is used up.
public struct LimitReached: Sendable {
  /// What is limited.
  public enum Measure: Sendable {
    case requests(Rate)
    case tokens(Rate, requested: Int)
    /// Requests under way at one time.
    case concurrent(Int)
  }

  /// Whose requests it counts.
  public enum Subject: Sendable { case address, key, everybody }

  public let measure: Measure
  public let subject: Subject
  /// What it is about, where it is not about everything: words that the client knows itself, such as its model.
  public let about: [String]
  /// Nanoseconds until the same request may be let in; nil is never, because it asks for more than the limit gives.
  public let retryAfter: UInt64?

  public init(_ measure: Measure, of subject: Subject, about: [String] = [], retryAfter: UInt64?) {
    self.about = about
    self.measure = measure
    self.subject = subject
    self.retryAfter = retryAfter
  }
}
