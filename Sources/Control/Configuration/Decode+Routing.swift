// models, default_cluster, unknown_models: which names go where, and that all of it exists.

extension Configuration.Model {
  static func all(_ root: Section) -> [Self] {
    var all: [Self] = []
    var names: Set<String> = []
    root.names("models") { name, item in
      guard names.insert(name).inserted else { return item.again("a model of this name") }
      item.section { section in
        var model = Self(
          name: name, cluster: "", upstreamName: name, ownedBy: "", created: 0, kind: nil, state: .running,
          deployment: name, directEndpoint: nil)
        if let cluster = section.required("cluster", "name the cluster that serves it")?.line("the name of a cluster") {
          model.cluster = cluster
        }
        section.text("name", &model.upstreamName, "the model's name at the cluster")
        model.ownedBy = model.cluster
        section.text("owned_by", &model.ownedBy, "a name")
        section.integer("created", &model.created, in: 0...253_402_300_799)
        section.choice("kind", &model.kind)
        section.choice("state", &model.state)
        section.text("deployment", &model.deployment, "an id")
        section.text("direct_endpoint", &model.directEndpoint, "an address")
        all.append(model)
        section.place(of: "cluster").checked(model.cluster, root, join(section.path, "cluster"))
      }
    }
    return all
  }
}

extension Configuration.Deployment {
  static func all(_ root: Section) -> [Self] {
    var all: [Self] = []
    root.names("deployments") { id, item in
      guard !all.contains(where: { $0.id == id }) else { return item.again("a deployment of this id") }
      item.section { section in
        var deployment = Self(id: id, state: nil, services: [], timeNanoseconds: 3_000_000_000)
        section.choice("state", &deployment.state)
        section.seconds("probe_seconds", &deployment.timeNanoseconds, max: 60_000_000_000)
        section.names("services") { name, item in
          guard let endpoint = item.endpoint() else { return }
          deployment.services.append(Configuration.Service(name: name, endpoint: endpoint))
        }
        all.append(deployment)
      }
    }
    return all
  }
}

extension Place {
  /// Says so when `cluster`, named here, does not exist; not when there are none, which is a mistake of its own.
  fileprivate func checked(_ cluster: String, _ root: Section, _ path: String) {
    guard !cluster.isEmpty else { return }
    let known = root.names(of: "clusters")
    guard !known.isEmpty, !known.contains(cluster) else { return }
    let near = Nearest.word(to: cluster, among: known).map { "did you mean \($0)?" }
    root.report.add(
      self, path,
      "found \(quoted(cluster)), expected the name of a cluster; "
        + (near ?? "there is \(known.prefix(20).joined(separator: ", "))"))
  }
}

extension Configuration {
  mutating func readRouting(_ root: Section) {
    defaultCluster = root.item("default_cluster")?.line("the name of a cluster")
    if let defaultCluster {
      root.place(of: "default_cluster").checked(defaultCluster, root, "default_cluster")
    }
    let listsModels = !root.names(of: "models").isEmpty
    unknownModels = listsModels ? .reject : .forward
    let chosen = root.item("unknown_models") != nil
    root.choice("unknown_models", &unknownModels)
    let first = root.names(of: "clusters").first ?? "local"
    if unknownModels == .forward, root.item("default_cluster") == nil {
      if chosen {
        root.wrong(
          "unknown_models", "found \"forward\" without a default_cluster; write e.g. default_cluster: \(first)")
      } else {
        root.missing(
          "default_cluster", "without models it says where requests go; write e.g. default_cluster: \(first)")
      }
    }
    if unknownModels == .reject, !listsModels {
      root.wrong(
        "unknown_models", "found \"reject\" without models, which refuses every model; list models, or write forward")
    }
  }
}
