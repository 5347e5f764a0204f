import Flow
import Testing

private let second: UInt64 = 1_000_000_000

@Suite("Retry")
struct RetryTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let claim: String
    let failures: [AttemptFailure]
    let actions: [RetryAction]
    var policy = RetryPolicy()
    var canReplay = true
    var clientHasBytes = false
    var testDescription: String { claim }
  }

  static let rows: [Row] = [
    Row(
      claim: "a reused connection that closes before a byte gets one fresh one, then another endpoint",
      failures: [.closedBeforeByte(reused: true), .closedBeforeByte(reused: true)], actions: [.retrySame, .elsewhere]),
    Row(
      claim: "the transparent retry is not counted",
      failures: [.closedBeforeByte(reused: true), .connectFailed, .connectFailed, .connectFailed],
      actions: [.retrySame, .elsewhere, .elsewhere, .fail]),
    Row(
      claim: "without retries the transparent one stays",
      failures: [.closedBeforeByte(reused: true), .closedBeforeByte(reused: false)], actions: [.retrySame, .fail],
      policy: .none),
    Row(
      claim: "a fresh connection that closes goes elsewhere", failures: [.closedBeforeByte(reused: false)],
      actions: [.elsewhere]),
    Row(
      claim: "a request that may have begun stays if the operator says so",
      failures: [.closedBeforeByte(reused: false)],
      actions: [.fail], policy: RetryPolicy(afterClose: false)),
    Row(
      claim: "no connection and no handshake go elsewhere, as often as there are attempts",
      failures: [.connectFailed, .handshakeFailed, .connectFailed], actions: [.elsewhere, .elsewhere, .fail]),
    Row(claim: "a late first byte fails", failures: [.firstByteTimedOut], actions: [.fail]),
    Row(
      claim: "a late first byte goes elsewhere if asked for", failures: [.firstByteTimedOut], actions: [.elsewhere],
      policy: RetryPolicy(afterTimeout: true)),
    Row(
      claim: "an overloaded backend is left", failures: [.status(503), .status(502)], actions: [.elsewhere, .elsewhere]),
    Row(claim: "other statuses are the answer", failures: [.status(500)], actions: [.fail]),
    Row(claim: "too many requests is the answer", failures: [.status(429)], actions: [.fail]),
    Row(
      claim: "too many requests goes elsewhere if asked for", failures: [.status(429)], actions: [.elsewhere],
      policy: RetryPolicy(statuses: [429])),
    Row(claim: "a broken answer fails", failures: [.brokenAnswer], actions: [.fail]),
    Row(
      claim: "what cannot be replayed is not", failures: [.closedBeforeByte(reused: true), .connectFailed],
      actions: [.fail, .fail], canReplay: false),
    Row(
      claim: "a client that has seen a byte never gets a second beginning",
      failures: [.closedBeforeByte(reused: true), .connectFailed], actions: [.fail, .fail], clientHasBytes: true),
    Row(
      claim: "a policy of less than one attempt is one", failures: [.connectFailed], actions: [.fail],
      policy: RetryPolicy(attemptsMax: -4)),
  ]

  @Test("each failure has its action", arguments: rows)
  func decide(row: Row) {
    var attempts = Attempts()
    var budget = RetryBudget(now: 0)
    let actions = row.failures.map { failure in
      attempts.decide(
        after: failure, canReplay: row.canReplay, clientHasBytes: row.clientHasBytes, policy: row.policy,
        budget: &budget, now: 0)
    }
    #expect(actions == row.actions)
    #expect(attempts.count == 1 + actions.filter { $0 == .elsewhere }.count)
  }

  @Test("an empty budget ends attempts elsewhere, not the transparent one")
  func emptyBudget() {
    var budget = RetryBudget(percent: 0, perSecond: 0, savedMax: 1, now: 0)
    var actions: [RetryAction] = []
    for failure in [.connectFailed, .connectFailed, .closedBeforeByte(reused: true)] as [AttemptFailure] {
      var attempts = Attempts()
      actions.append(
        attempts.decide(
          after: failure, canReplay: true, clientHasBytes: false, policy: RetryPolicy(), budget: &budget, now: 0))
    }
    #expect(actions == [.elsewhere, .fail, .retrySame])
  }

  @Test("a cluster that fails as a whole sees its share of retries, no more")
  func share() {
    var budget = RetryBudget(percent: 20, perSecond: 0, savedMax: 10, now: 0)
    var retries = 0
    for _ in 0..<1000 {
      budget.deposit(now: 0)
      if budget.withdraw(now: 0) { retries += 1 }
    }
    #expect(retries == 10 + 200 - 1, "what was saved, and a fifth; the first deposit found the budget full")
  }

  @Test("a trickle comes back with time and is capped")
  func trickle() {
    var budget = RetryBudget(percent: 0, perSecond: 2, savedMax: 4, now: second)
    while budget.withdraw(now: second) {}
    #expect(budget.withdraw(now: second + 499_999_999) == false)
    #expect(budget.withdraw(now: second + 500_000_000) == true)
    #expect(budget.available(now: 3 * second) == 3)
    #expect(budget.available(now: 0) == 0, "a clock that steps back pays nothing")
    #expect(budget.available(now: .max) == 4)
  }
}
