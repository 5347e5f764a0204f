// One model of the catalog: what clients call it, where it is served, what it is and how it is.

import Gateway
import Wire

/// What a model does.
public enum ModelKind: String, Sendable, CaseIterable {
  case text, embedding, image, audio, video

  /// As a sentence has it.
  var withArticle: String {
    switch self {
    case .text, .video: "a \(rawValue)"
    case .embedding, .image, .audio: "an \(rawValue)"
    }
  }
}

/// How a model's deployment is.
public enum DeploymentState: String, Sendable, CaseIterable {
  case running, stopped, starting
}

/// One model, as configured.
public final class CatalogModel: Sendable {
  /// Name that clients use.
  public let name: String
  public let cluster: Cluster
  /// What the cluster calls it.
  public let identifier: String
  /// Seconds since 1970, as the model object shows it.
  public let created: Int
  public let ownedBy: String
  /// Nil where nothing is known: it may be asked for anything.
  public let kind: ModelKind?
  public let state: DeploymentState
  /// Id of its deployment.
  public let deployment: String
  /// Where the deployment itself can be reached, for clients of the dialect that tells them. Nil tells nobody: where backends
  /// are is the operator's own business.
  public let directEndpoint: String?
  /// All that it goes by: name and identifier, with and without their tags. A rule, or a key, that names one of them means
  /// this model; without a tag it means all that differ in nothing else.
  let names: [String]
  let sums: ModelSums

  /// - Parameter table: has the sums of what is asked of it.
  public init(
    name: String, cluster: Cluster, identifier: String? = nil, created: Int = 0, ownedBy: String = "",
    kind: ModelKind? = nil, state: DeploymentState = .running, deployment: String? = nil, directEndpoint: String? = nil,
    table: ModelSumTable? = nil
  ) {
    sums = table?.sums(of: name) ?? ModelSums()
    self.name = name
    self.cluster = cluster
    self.identifier = identifier ?? name
    let whole = self.identifier == name ? [name] : [name, self.identifier]
    names = whole + whole.compactMap(ModelNames.withoutTag)
    self.created = created
    self.ownedBy = ownedBy
    self.kind = kind
    self.state = state
    self.deployment = deployment ?? name
    self.directEndpoint = directEndpoint
  }

  /// Whether whoever asks may use it.
  func isOpen(to identity: Identity?) -> Bool { identity?.mayUse(any: names) ?? true }

  /// The model object of OpenAI's API.
  var object: String {
    let id = String(decoding: JSONText.quoted(name), as: UTF8.self)
    let owner = String(decoding: JSONText.quoted(ownedBy), as: UTF8.self)
    return #"{"id":\#(id),"object":"model","created":\#(created),"owned_by":\#(owner)}"#
  }

  /// Whether it can be asked for what `route` does.
  func serves(_ route: Route.Inference) -> Bool {
    switch (kind, route) {
    case (nil, _), (_, .moderations), (_, .rerank): true
    // Servers of text models embed with them.
    case (.text, .embeddings): true
    case (let kind, _): kind == route.kind
    }
  }
}

extension Exchange {
  /// The model of the catalog that it goes to.
  var model: CatalogModel? { destination?.note as? CatalogModel }
}
