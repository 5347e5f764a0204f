// What was asked of each model since the start: requests, errors, tokens, time. Shared by all cores, and kept over a reload.

import Gateway
import Synchronization
import Wire

/// The sums of one model.
struct ModelSums: Sendable {
  var requests = 0
  var errors = 0
  var streams = 0
  var inputTokens = 0
  var outputTokens = 0
  var nanoseconds: UInt64 = 0
}

/// Sums by model. Bounded: names that are not of the catalog are counted together.
public final class ModelSumTable: Sendable {
  private let sums = Mutex<[String: ModelSums]>([:])

  public init() {}

  func add(_ record: AccessRecord, as name: String) {
    sums.withLock { sums in
      var sum = sums[name] ?? ModelSums()
      sum.requests &+= 1
      if record.failure != nil || record.status >= 400 { sum.errors &+= 1 }
      if record.isStream { sum.streams &+= 1 }
      sum.inputTokens &+= record.tokensIn ?? 0
      sum.outputTokens &+= record.tokensOut ?? 0
      sum.nanoseconds &+= record.endedAt &- record.startedAt
      sums[name] = sum
    }
  }

  var all: [String: ModelSums] { sums.withLock { $0 } }
}

/// Counts finished exchanges by model, and answers `GET /admin/models/stats` below the prefixes.
public struct ModelStatistics: Plugin {
  private let table: ModelSumTable
  private let names: Set<String>

  /// - Parameter names: of the catalog.
  public init(table: ModelSumTable, names: [String]) {
    self.table = table
    self.names = Set(names)
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
    return .reply(Reply(status: 200, body: list(), fields: [("Cache-Control", "no-store")]))
  }

  public func finished(_ exchange: Exchange) {
    guard case .inference = exchange.route, let model = exchange.record.model else { return }
    table.add(exchange.record, as: names.contains(model) ? model : Self.others)
  }

  private func list() -> [UInt8] {
    let all = table.all
    let shown = names.union(all.keys).sorted()
    var out = Array(#"{"object":"list","data":["#.utf8)
    for (index, name) in shown.enumerated() {
      let sum = all[name] ?? ModelSums()
      if index > 0 { out.append(UInt8(ascii: ",")) }
      out += Array(#"{"object":"model.statistics","model":"#.utf8)
      JSONText.append(name, to: &out)
      let mean = sum.requests == 0 ? 0 : sum.nanoseconds / UInt64(sum.requests) / 1_000_000
      out += Array(
        (#","requests":\#(sum.requests),"errors":\#(sum.errors),"streams":\#(sum.streams),"#
          + #""input_tokens":\#(sum.inputTokens),"output_tokens":\#(sum.outputTokens),"mean_ms":\#(mean)}"#).utf8)
    }
    return out + Array("]}".utf8)
  }

  private static let path = "/admin/models/stats"
  /// Not a name that a model can have in a file without being meant: it is in brackets.
  private static let others = "(other)"
}
