// The models that the gateway offers, and where each one is served.

import Gateway
import Wire

/// One model, as configured.
public struct CatalogModel: Sendable {
  /// Name that clients use.
  public let name: String
  public let destination: Destination
  /// Seconds since 1970, as the model object shows it.
  public let created: Int
  public let ownedBy: String

  public init(name: String, destination: Destination, created: Int, ownedBy: String) {
    self.name = name
    self.destination = destination
    self.created = created
    self.ownedBy = ownedBy
  }

  /// The model object of OpenAI's API.
  var object: String {
    let id = String(decoding: JSONText.quoted(name), as: UTF8.self)
    let owner = String(decoding: JSONText.quoted(ownedBy), as: UTF8.self)
    return #"{"id":\#(id),"object":"model","created":\#(created),"owned_by":\#(owner)}"#
  }
}

/// Sends each request to the cluster of its model, and answers what is asked about models.
public struct ModelCatalog: Plugin {
  private let models: [String: CatalogModel]
  private let list: [UInt8]
  private let destinations: [String: Destination]
  private let fallback: Destination?
  private let forwardsUnknown: Bool

  /// - Parameters:
  ///   - fallback: serves requests that name no model, and unknown ones where `forwardsUnknown` says so.
  public init(models: [CatalogModel], fallback: Cluster?, forwardsUnknown: Bool) {
    self.models = Dictionary(models.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    list = Array(#"{"object":"list","data":[\#(models.map(\.object).joined(separator: ","))]}"#.utf8)
    destinations = self.models.mapValues(\.destination)
    self.fallback = fallback.map { Destination(cluster: $0) }
    self.forwardsUnknown = forwardsUnknown
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
      if let model = models[name] { return .reply(Reply(status: 200, body: Array(model.object.utf8))) }
      return forwardsUnknown && fallback != nil ? .pass : .fail(Failure(.downstream, .unknownModel(name)))
    // Said before a body is read: nobody has shown a key for it.
    case .outside: return .fail(Failure(.downstream, .unknownPath))
    case .other: return .pass
    }
  }

  public func route(_ exchange: Exchange) -> Verdict {
    let model = exchange.members.model
    exchange.recordModel(model)
    switch exchange.route {
    case .outside: return .fail(Failure(.downstream, .unknownPath))
    case .inference(let route) where exchange.method == .post:
      if let model {
        if let known = destinations[model] {
          exchange.direct(to: known)
          return .pass
        }
        guard forwardsUnknown, let fallback else { return .fail(Failure(.downstream, .unknownModel(model))) }
        exchange.direct(to: fallback)
        return .pass
      }
      guard let fallback, forwardsUnknown || route.hasDefaultModel else {
        return .fail(Failure(.downstream, .missingModel))
      }
      exchange.direct(to: fallback)
      return .pass
    default:
      if let model, let known = destinations[model] {
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
}
