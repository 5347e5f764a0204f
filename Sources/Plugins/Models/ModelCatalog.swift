// The models that the gateway offers, and where each one is served. For a key that may use some of them there are no
// others.

import Gateway
import Wire

/// Sends each request to the cluster of its model, and answers what is asked about models.
public struct ModelCatalog: Plugin {
  private let models: [CatalogModel]
  private let list: [UInt8]
  private let names: ModelNames
  private let fallback: Destination?
  private let forwardsUnknown: Bool

  /// - Parameters:
  ///   - models: of several with one name the first counts.
  ///   - fallback: serves requests that name no model, and unknown ones where `forwardsUnknown` says so.
  public init(models: [CatalogModel], fallback: Cluster?, forwardsUnknown: Bool) {
    self.models = models
    list = Self.list(models)
    names = ModelNames(models)
    self.fallback = fallback.map { Destination(cluster: $0) }
    self.forwardsUnknown = forwardsUnknown
  }

  public var name: String { "model_catalog" }
  public var phases: Phases { [.request, .route] }

  // MARK: What is asked about models

  public func request(_ exchange: Exchange) -> Verdict {
    let isRead = exchange.method == .get || exchange.method == .head
    switch exchange.route {
    case .inference(let route):
      if exchange.method == .post || (route.isAlsoList && fallback != nil) { return .pass }
      return .fail(Failure(.downstream, .method(allowed: "POST")))
    case .models:
      // Without models of its own the gateway shows those of its backend.
      guard isRead else { return fallback != nil ? .pass : .fail(Failure(.downstream, .method(allowed: "GET, HEAD"))) }
      if let allowed = exchange.identity?.models { return .reply(Reply(status: 200, body: list(of: allowed))) }
      return models.isEmpty && fallback != nil ? .pass : .reply(Reply(status: 200, body: list))
    case .model(let name):
      guard isRead else { return fallback != nil ? .pass : .fail(Failure(.downstream, .method(allowed: "GET, HEAD"))) }
      if let model = find(name, exchange)?.note as? CatalogModel {
        return .reply(Reply(status: 200, body: Array(model.object.utf8)))
      }
      guard forwardsUnknown, fallback != nil, mayUse(name, exchange) else {
        return .fail(Failure(.downstream, .unknownModel(name)))
      }
      return .pass
    // Said before a body is read: nobody has shown a key for it.
    case .outside: return .fail(Failure(.downstream, .unknownPath))
    case .other: return .pass
    }
  }

  /// The list for a key that may use `allowed` alone: what of them is in the catalog, and where unknown models go on to a
  /// backend, the others by their names.
  private func list(of allowed: Set<String>) -> [UInt8] {
    let known = models.filter { !allowed.isDisjoint(with: $0.names) }
    guard forwardsUnknown, let fallback else { return Self.list(known) }
    let others = allowed.subtracting(models.flatMap(\.names)).sorted()
    return Self.list(
      known + others.map { CatalogModel(name: $0, cluster: fallback.cluster, ownedBy: fallback.cluster.name) })
  }

  private static func list(_ models: [CatalogModel]) -> [UInt8] {
    Array(#"{"object":"list","data":[\#(models.map(\.object).joined(separator: ","))]}"#.utf8)
  }

  /// Identifiers of the models that run, as a JSON array, as far as `identity` may use them.
  func availableModels(for identity: Identity?) -> [UInt8] {
    var seen: Set<String> = []
    let running = models.filter {
      $0.state == .running && $0.isOpen(to: identity) && seen.insert($0.identifier).inserted
    }
    let list = running.map { JSONText.quoted($0.identifier) }.joined(separator: [UInt8(ascii: ",")])
    return Array("[".utf8) + list + Array("]".utf8)
  }

  // MARK: Where requests go

  public func route(_ exchange: Exchange) -> Verdict {
    let model = exchange.members.model
    exchange.recordModel(model)
    // A plugin in front of this one knew better; but not what its client may use.
    if exchange.destination != nil { return mayUse(model, exchange) ? .pass : refusal(model) }
    switch exchange.route {
    case .outside: return .fail(Failure(.downstream, .unknownPath))
    case .inference(let route) where exchange.method == .post: return ask(route, exchange, model)
    default: return pass(exchange, model)
    }
  }

  private func ask(_ route: Route.Inference, _ exchange: Exchange, _ model: String?) -> Verdict {
    if let model {
      if let known = find(model, exchange) { return direct(exchange, to: known, model, route) }
      guard forwardsUnknown, let fallback, mayUse(model, exchange) else { return refusal(model) }
      return direct(exchange, to: fallback, model, route)
    }
    if route.hasDefaultModel, route.kind == .image, let usual = usualModel(route.kind, exchange) {
      return direct(exchange, to: usual, "", route)
    }
    guard let fallback, forwardsUnknown || route.hasDefaultModel else {
      return .fail(Failure(.downstream, .missingModel))
    }
    guard mayUse(nil, exchange) else { return refusal(nil) }
    return direct(exchange, to: fallback, "", route)
  }

  /// Any other path below the prefix: to its model's cluster where it names one, else to the default one.
  private func pass(_ exchange: Exchange, _ model: String?) -> Verdict {
    if let model, let known = find(model, exchange) {
      if let found = known.note as? CatalogModel, found.state != .running {
        return .fail(Failure(.upstream, .modelStopped(model, status: found.state.rawValue)))
      }
      exchange.direct(to: known)
      return .pass
    }
    if let model, !forwardsUnknown, !models.isEmpty, exchange.method == .post { return refusal(model) }
    guard let fallback else { return .fail(Failure(.downstream, .unknownPath)) }
    // What names no model might use any; looking at what there is uses none.
    let isRead = exchange.method == .get || exchange.method == .head
    guard isRead && model == nil || mayUse(model, exchange) else { return refusal(model) }
    exchange.direct(to: fallback)
    return .pass
  }

  /// Whether whoever asks may use what it calls `name`; nil is a request that names no model.
  private func mayUse(_ name: String?, _ exchange: Exchange) -> Bool {
    guard let identity = exchange.identity, identity.models != nil else { return true }
    guard let name else { return false }
    return find(name, exchange) != nil || identity.mayUse(any: [name])
  }

  private func refusal(_ name: String?) -> Verdict {
    if let name { return .fail(Failure(.downstream, .unknownModel(name))) }
    let words = Failure.Refusal(
      status: 403, message: "Your API key may use certain models only, and this request names none.",
      code: "insufficient_permissions", param: "model")
    return .fail(Failure(.downstream, .refused(words)))
  }

  /// The model that `name` means to whoever asks.
  private func find(_ name: String, _ exchange: Exchange) -> Destination? {
    // What the error of an unknown model lists can be asked for.
    let found =
      names.find(name)
      ?? (exchange.surface.dialect == ModelPilotDialect.dialect ? names.findIdentifier(name) : nil)
    if exchange.identity?.models != nil, let model = found?.note as? CatalogModel, !model.isOpen(to: exchange.identity)
    {
      return nil
    }
    return found
  }

  /// The first model that runs of a kind, for routes whose clients need not name one.
  private func usualModel(_ kind: ModelKind, _ exchange: Exchange) -> Destination? {
    models.first { $0.kind == kind && $0.state == .running && $0.isOpen(to: exchange.identity) }.map {
      Destination(cluster: $0.cluster, upstreamModel: $0.identifier, note: $0)
    }
  }

  /// Sends the exchange to `destination`, if what is served there can do what `route` asks for.
  private func direct(
    _ exchange: Exchange, to destination: Destination, _ name: String, _ route: Route.Inference
  ) -> Verdict {
    if let model = destination.note as? CatalogModel {
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
