// One limit beside the one per address, as the operator gives it.

import Flow
import Gateway

/// What is counted, whose, and for what.
public struct LimitRule: Sendable {
  /// Whose requests are counted together.
  public enum Subject: String, Sendable, CaseIterable {
    /// Each client address.
    case ip
    /// Each key.
    case key
    /// Everybody.
    case all
  }

  /// What is counted.
  public enum Measure: Sendable {
    case requests(Rate)
    /// Tokens of prompts and answers together: reserved from the request's own bound, settled when they are known.
    case tokens(Rate)
    /// Requests that are under way at one time.
    case concurrent(Int)
  }

  public let name: String
  public let measure: Measure
  public let subject: Subject
  /// Paths behind the prefix that it is about, as ``Route/canonical(_:)`` has them; empty is all.
  let routes: [[UInt8]]
  /// Models that it is about, by any of their names; empty is all.
  let models: Set<String>
  /// Names of keys that it is about; empty is all.
  let keys: Set<String>
  /// Account types that it is about; empty is all.
  let accounts: Set<String>

  public init(
    name: String, measure: Measure, subject: Subject, routes: [String] = [], models: Set<String> = [],
    keys: Set<String> = [], accounts: Set<String> = []
  ) {
    self.name = name
    self.measure = measure
    self.subject = subject
    self.routes = routes.map { Route.canonical($0.utf8) }
    self.models = models
    self.keys = keys
    self.accounts = accounts
  }

  /// Whether the body must have been read before it can be asked.
  var needsModel: Bool {
    if case .tokens = measure { return true }
    return !models.isEmpty
  }

  /// Whether the exchange is one that it is about.
  func isAbout(_ exchange: Exchange) -> Bool {
    if !keys.isEmpty {
      guard let principal = exchange.principal, keys.contains(principal.name) else { return false }
    }
    if !accounts.isEmpty {
      guard let account = exchange.identity?.account, accounts.contains(account) else { return false }
    }
    if !models.isEmpty, !isAboutModel(of: exchange) { return false }
    // Below another path a request that names a model has it work all the same.
    if case .tokens = measure, exchange.members.model == nil {
      guard case .inference = exchange.route else { return false }
    }
    guard !routes.isEmpty else { return true }
    if case .inference(let route) = exchange.route { return routes.contains { $0.elementsEqual(route.rawValue.utf8) } }
    let path = Route.canonical(exchange.path.dropFirst(exchange.surface.prefixCount))
    return routes.contains(path)
  }

  /// A model counts by all of its names, so that nobody passes a limit by another spelling.
  private func isAboutModel(of exchange: Exchange) -> Bool {
    if let model = exchange.model { return model.names.contains { models.contains($0) } }
    return exchange.members.model.map { models.contains($0) } ?? false
  }

  /// What it is about in `exchange`, in words for its client.
  func about(_ exchange: Exchange) -> [String] {
    var about: [String] = []
    if !models.isEmpty, let model = exchange.members.model { about.append("the model \(model)") }
    if !routes.isEmpty {
      about.append(String(decoding: exchange.path.dropFirst(exchange.surface.prefixCount), as: UTF8.self))
    }
    if !accounts.isEmpty, let account = exchange.identity?.account { about.append("accounts of type \(account)") }
    return about
  }

  /// The key that its counts for the exchange stand under in a table.
  func tableKey(_ exchange: Exchange) -> UInt64 {
    let (high, low): (UInt64, UInt64) =
      switch subject {
      case .ip: (exchange.clientAddress?.isIPv4 ?? true ? 4 : 6, exchange.clientAddress?.limiterKeyBits ?? 0)
      case .key: (1, exchange.identity?.id.map(Self.hash) ?? exchange.principal.map { Self.hash($0.name) } ?? 0)
      case .all: (0, 0)
      }
    return RateTable.key(scope: Self.hash(name) | 1 << 63, high: high, low: low)
  }

  /// Under this process's secret: names may be a client's own choice (a token's subject). The same after a reload.
  private static func hash(_ text: String) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(text)
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }
}
