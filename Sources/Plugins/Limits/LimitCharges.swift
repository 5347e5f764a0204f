// What limits have taken for an exchange and must set right when it is over: places among those under way, and tokens that
// were reserved before anybody knew how many it would be.

import Flow
import Gateway

/// The charges of one exchange.
final class LimitCharges {
  /// Tokens that one rule has reserved.
  struct Reservation {
    let key: UInt64
    let rate: Rate
    let reserved: Int
  }

  var tokens: [Reservation] = []
  /// Keys of the rules that count it among those under way.
  var entered: [UInt64] = []

  /// Those of `exchange`, from the first time on that one is needed.
  static func of(_ exchange: Exchange) -> LimitCharges {
    if let charges = exchange.note(LimitRules.self, as: LimitCharges.self) { return charges }
    let charges = LimitCharges()
    exchange.keep(charges, for: LimitRules.self)
    return charges
  }

  /// The exchange is over: once, whichever of the plugins is told first.
  static func settle(_ exchange: Exchange, rates: RateTable, concurrency: ConcurrencyTable) {
    guard let charges = exchange.note(LimitRules.self, as: LimitCharges.self) else { return }
    exchange.dropNote(of: LimitRules.self)
    for key in charges.entered { concurrency.leave(key) }
    guard !charges.tokens.isEmpty else { return }
    let now = exchange.core.loop.now
    let cost = cost(of: exchange)
    for charge in charges.tokens {
      let change = cost.owed(reserved: charge.reserved) - charge.reserved
      if change != 0 { rates.settle(key: charge.key, cost: change, now: now, rate: charge.rate) }
    }
  }

  /// What an exchange has cost in the end.
  enum Cost: Equatable {
    /// Nothing: no model has worked for it, or in vain.
    case nothing
    /// As its backend has counted.
    case counted(Int)
    /// At least this; its backend did not say.
    case estimated(Int)

    func owed(reserved: Int) -> Int {
      switch self {
      case .nothing: 0
      case .counted(let tokens): tokens
      case .estimated(let tokens): max(tokens, reserved)
      }
    }
  }

  private static func cost(of exchange: Exchange) -> Cost {
    let record = exchange.record
    var hasText = false
    if case .inference(let route) = exchange.route { hasText = route.kind == .text }
    return cost(
      tokensIn: record.tokensIn, tokensOut: record.tokensOut, status: record.status, isStream: record.isStream,
      bytesOut: hasText ? record.bytesOut : 0, wasSent: record.sentAt != 0, wasCut: exchange.hasFailed)
  }

  /// A client that leaves before the backend has counted pays what it has reserved, and no less than what it was sent; one
  /// whose backend breaks off pays what it was sent. What is no text is not told by its bytes.
  static func cost(
    tokensIn: Int?, tokensOut: Int?, status: Int, isStream: Bool, bytesOut: UInt64, wasSent: Bool, wasCut: Bool = false
  ) -> Cost {
    if tokensIn != nil || tokensOut != nil {
      return .counted(min(tokensIn ?? 0, tokensMax) + min(tokensOut ?? 0, tokensMax))
    }
    guard wasSent, status < 400 else { return .nothing }
    let sent = Int(clamping: bytesOut / (isStream ? eventBytes : tokenBytes))
    return wasCut ? .counted(min(sent, tokensMax)) : .estimated(min(sent, tokensMax))
  }

  /// Bytes that a token takes in an answer, and the event that brings it in a stream: about, and rather more.
  private static let tokenBytes: UInt64 = 5
  private static let eventBytes: UInt64 = 250
  /// More than any answer has: a backend that miscounts locks nobody out for months.
  private static let tokensMax = 1 << 24
}
