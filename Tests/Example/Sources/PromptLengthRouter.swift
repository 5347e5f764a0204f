import Sluice

/// Sends short requests to one cluster and long ones to another, whatever model they name.
///
/// ```yaml
/// plugins:
///   prompt_length: { bytes: 2000, short: small, long: large }
/// ```
struct PromptLengthRouter: ConfigurablePlugin {
  struct Options: Codable, Sendable {
    let bytes: Int
    let short: String
    let long: String
  }

  static let key = "prompt_length"
  let options: Options
  init(options: Options) { self.options = options }

  var name: String { Self.key }
  var phases: Phases { .route }

  func route(_ exchange: Exchange) -> Verdict {
    guard case .inference = exchange.route else { return .pass }
    let wanted = exchange.record.bytesIn <= UInt64(max(0, options.bytes)) ? options.short : options.long
    guard let cluster = exchange.snapshot.clusters.first(where: { $0.name == wanted }) else {
      let refusal = Failure.Refusal(status: 503, message: "No place for a request of this length.", code: "no_place")
      return .fail(Failure(.own, .refused(refusal)))
    }
    exchange.recordModel(exchange.members.model)
    exchange.direct(to: Destination(cluster: cluster))
    return .pass
  }
}
