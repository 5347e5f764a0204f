// The models that the gateway offers, and where each one is served.

import Gateway
import Wire

/// Sends each request to the cluster of its model, and answers what is asked about models.
public struct ModelCatalog: Plugin {
  private let models: [CatalogModel]
  private let list: [UInt8]
  private let names: ModelNames
  /// The first model that runs of each kind, for routes whose clients need not name one.
  private let defaults: [ModelKind: Destination]
  private let fallback: Destination?
  private let forwardsUnknown: Bool
  /// Identifiers of the models that run, as a JSON array.
  let availableModels: [UInt8]

  /// - Parameters:
  ///   - models: of several with one name the first counts.
  ///   - fallback: serves requests that name no model, and unknown ones where `forwardsUnknown` says so.
  public init(models: [CatalogModel], fallback: Cluster?, forwardsUnknown: Bool) {
    self.models = models
    list = Array(#"{"object":"list","data":[\#(models.map(\.object).joined(separator: ","))]}"#.utf8)
    names = ModelNames(models)
    self.fallback = fallback.map { Destination(cluster: $0) }
    self.forwardsUnknown = forwardsUnknown
    defaults = Dictionary(
      models.filter { $0.state == .running }.compactMap { model in
        model.kind.map { ($0, Destination(cluster: model.cluster, upstreamModel: model.identifier, note: model)) }
      }
    ) { first, _ in first }
    var seen: Set<String> = []
    let running = models.filter { $0.state == .running && seen.insert($0.identifier).inserted }
    availableModels =
      Array("[".utf8) + running.map { JSONText.quoted($0.identifier) }.joined(separator: [UInt8(ascii: ",")])
      + Array("]".utf8)
  }

  public var name: String { "model_catalog" }
  public var phases: Phases { [.request, .route] }

  public func request(_ exchange: Exchange) -> Verdict {
    let isRead = exchange.method == .get || exchange.method == .head
    switch exchange.route {
    case .inference(let route):
      if exchange.method == .post || (route.isAlsoList && fallback != nil) { return .pass }
      return .fail(Failure(.downstream, .method(allowed: "POST")))
    case .models:
      // Without models of its own the gateway shows those of its backend.
      guard isRead else { return fallback != nil ? .pass : .fail(Failure(.downstream, .method(allowed: "GET, HEAD"))) }
      return models.isEmpty && fallback != nil ? .pass : .reply(Reply(status: 200, body: list))
    case .model(let name):
      guard isRead else { return fallback != nil ? .pass : .fail(Failure(.downstream, .method(allowed: "GET, HEAD"))) }
      if let model = find(name, exchange)?.note as? CatalogModel {
        return .reply(Reply(status: 200, body: Array(model.object.utf8)))
      }
      return forwardsUnknown && fallback != nil ? .pass : .fail(Failure(.downstream, .unknownModel(name)))
    // Said before a body is read: nobody has shown a key for it.
    case .outside: return .fail(Failure(.downstream, .unknownPath))
    case .other: return .pass
    }
  }

  public func route(_ exchange: Exchange) -> Verdict {
    let model = exchange.members.model
    exchange.recordModel(model)
    // A plugin in front of this one knew better.
    if exchange.destination != nil { return .pass }
    switch exchange.route {
    case .outside: return .fail(Failure(.downstream, .unknownPath))
    case .inference(let route) where exchange.method == .post:
      if let model {
        if let known = find(model, exchange) { return direct(exchange, to: known, model, route) }
        guard forwardsUnknown, let fallback else { return .fail(Failure(.downstream, .unknownModel(model))) }
        return direct(exchange, to: fallback, model, route)
      }
      if route.hasDefaultModel, route.kind == .image, let usual = defaults[route.kind] {
        return direct(exchange, to: usual, "", route)
      }
      guard let fallback, forwardsUnknown || route.hasDefaultModel else {
        return .fail(Failure(.downstream, .missingModel))
      }
      return direct(exchange, to: fallback, "", route)
    default:
      if let model, let known = find(model, exchange) {
        if let found = known.note as? CatalogModel, found.state != .running {
          return .fail(Failure(.upstream, .modelStopped(model, status: found.state.rawValue)))
        }
        exchange.direct(to: known)
        return .pass
      }
      if let model, !forwardsUnknown, !models.isEmpty, exchange.method == .post {
        return .fail(Failure(.downstream, .unknownModel(model)))
      }
      guard let fallback else { return .fail(Failure(.downstream, .unknownPath)) }
      exchange.direct(to: fallback)
      return .pass
    }
  }

  private func find(_ name: String, _ exchange: Exchange) -> Destination? {
    if let found = names.find(name) { return found }
    // What the error of an unknown model lists can be asked for.
    return exchange.surface.dialect == ModelPilotDialect.dialect ? names.findIdentifier(name) : nil
  }

  /// Sends the exchange to `destination`, if what is served there can do what `route` asks for.
  private func direct(
    _ exchange: Exchange, to destination: Destination, _ name: String, _ route: Route.Inference
  ) -> Verdict {
    if let note = destination.note, let model = note as? CatalogModel {
      guard model.serves(route) else { return .fail(Failure(.downstream, .wrongKind(name, route: route))) }
      guard model.state == .running else {
        return .fail(Failure(.upstream, .modelStopped(name, status: model.state.rawValue)))
      }
    }
    guard !destination.cluster.unsupported.contains(route) else {
      return .fail(Failure(.downstream, .unsupported(route)))
    }
    exchange.direct(to: destination)
    return .pass
  }
}
