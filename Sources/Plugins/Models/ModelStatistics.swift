// What was asked of each model since the start: requests, errors, tokens, time. Shared by all cores, and kept over a reload.

import Gateway
import Synchronization
import Wire

/// The sums of one model. Each is added to by itself, without a lock: read together they may be one request apart.
final class ModelSums: Sendable {
  let requests = Atomic<Int>(0)
  let errors = Atomic<Int>(0)
  let streams = Atomic<Int>(0)
  let inputTokens = Atomic<Int>(0)
  let outputTokens = Atomic<Int>(0)
  let microseconds = Atomic<Int>(0)

  func add(_ exchange: Exchange) {
    requests.wrappingAdd(1, ordering: .relaxed)
    if exchange.record.status >= 400 || exchange.record.status == 0 || exchange.hasFailed {
      errors.wrappingAdd(1, ordering: .relaxed)
    }
    if exchange.record.isStream { streams.wrappingAdd(1, ordering: .relaxed) }
    if let tokens = exchange.record.tokensIn { inputTokens.wrappingAdd(tokens, ordering: .relaxed) }
    if let tokens = exchange.record.tokensOut { outputTokens.wrappingAdd(tokens, ordering: .relaxed) }
    microseconds.wrappingAdd(Int(clamping: exchange.age / 1000), ordering: .relaxed)
  }
}

/// The sums of all models, which a reload finds again by name. Names that are not of the catalog are counted together.
public final class ModelSumTable: Sendable {
  private let models = Mutex<[String: ModelSums]>([:])
  let others = ModelSums()

  public init() {}

  /// The sums of the model called `name`, from the first time on that it is asked for. With the configuration, not with each
  /// request.
  func sums(of name: String) -> ModelSums {
    models.withLock { models in
      if let sums = models[name] { return sums }
      let sums = ModelSums()
      models[name] = sums
      return sums
    }
  }
}

/// Counts finished exchanges by model, and answers `GET /admin/models/stats` below the prefixes.
public struct ModelStatistics: Plugin {
  private let table: ModelSumTable
  private let models: [CatalogModel]

  /// - Parameter models: of the catalog; their sums are of `table`.
  public init(table: ModelSumTable, models: [CatalogModel]) {
    self.table = table
    self.models = models
  }

  public var name: String { "model_statistics" }
  public var phases: Phases { [.request, .finished] }

  public func request(_ exchange: Exchange) -> Verdict {
    guard case .other = exchange.route, exchange.path.suffix(Self.path.utf8.count).elementsEqual(Self.path.utf8),
      exchange.path.count == exchange.surface.prefixCount + Self.path.utf8.count
    else { return .pass }
    guard exchange.method == .get || exchange.method == .head else {
      return .fail(Failure(.downstream, .method(allowed: "GET, HEAD")))
    }
    return .reply(Reply(status: 200, body: list(for: exchange.identity), fields: [("Cache-Control", "no-store")]))
  }

  public func finished(_ exchange: Exchange) {
    guard case .inference = exchange.route, let destination = exchange.destination else { return }
    if let model = destination.note as? CatalogModel {
      model.sums.add(exchange)
    } else {
      table.others.add(exchange)
    }
  }

  private func list(for identity: Identity?) -> [UInt8] {
    var seen: Set<String> = []
    let shown = models.filter { $0.isOpen(to: identity) && seen.insert($0.name).inserted }
    var entries = shown.map { entry($0.name, $0.sums) }
    if identity?.models == nil, table.others.requests.load(ordering: .relaxed) > 0 {
      entries.append(entry(Self.others, table.others))
    }
    return Array(#"{"object":"list","data":["#.utf8) + entries.joined(separator: [UInt8(ascii: ",")]) + Array("]}".utf8)
  }

  private func entry(_ name: String, _ sums: ModelSums) -> [UInt8] {
    func count(_ sum: borrowing Atomic<Int>) -> Int { sum.load(ordering: .relaxed) }
    let requests = count(sums.requests)
    let mean = requests == 0 ? 0 : count(sums.microseconds) / requests / 1000
    var out = Array(#"{"object":"model.statistics","model":"#.utf8)
    JSONText.append(name, to: &out)
    out += Array(
      (#","requests":\#(requests),"errors":\#(count(sums.errors)),"streams":\#(count(sums.streams)),"#
        + #""input_tokens":\#(count(sums.inputTokens)),"output_tokens":\#(count(sums.outputTokens)),"mean_ms":\#(mean)}"#)
        .utf8)
    return out
  }

  private static let path = "/admin/models/stats"
  /// In brackets, as no model is called without being meant.
  private static let others = "(other)"
}
