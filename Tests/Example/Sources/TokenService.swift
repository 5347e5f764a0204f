import Sluice

/// Auth by a header of one's own: each token is shown to an HTTP service, which knows whose it is.
///
/// ```yaml
/// plugins:
///   token_service: { header: x-team-token, service: "http://127.0.0.1:9000/tokens" }
/// ```
struct TokenService: ConfigurablePlugin {
  struct Options: Codable, Sendable {
    let header: String
    let service: FetchAddress
  }

  static let key = "token_service"
  let options: Options
  init(options: Options) { self.options = options }

  var name: String { Self.key }
  var phases: Phases { .request }
  /// An answer that does not come refuses the request.
  var waitMax: UInt64 { 2_000_000_000 }
  var failing: PluginFailing { .closed }

  func request(_ exchange: Exchange) -> Verdict {
    guard exchange.route != .outside else { return .pass }
    guard exchange.field(named: options.header) != nil else { return .fail(Failure(.downstream, .noKey)) }
    return .wait
  }

  func wait(
    in phase: Phases, _ exchange: Exchange, on loop: isolated LoopActor
  ) async throws -> Verdict {
    var question = FetchRequest(target: options.service.path)
    question.fields = [("authorization", exchange.field(named: options.header) ?? "")]
    let answer = try await exchange.core.fetch(question, from: options.service, on: loop)
    guard answer.status == 200 else { return .fail(Failure(.downstream, .badKey("***"))) }
    exchange.principal = answer.field("x-team").map { Identity(name: $0) }
    return .pass
  }
}
