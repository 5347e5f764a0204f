// The deployments whose health can be asked for: those of the file, and those that models name.

import Gateway
import Plugins
import Reactor

extension SnapshotBuilder {
  /// Whether the health of deployments can be asked for: to those who show a key, and to everybody only where the file has
  /// deployments, because asking makes the gateway knock at them.
  func tellsDeployments(_ configuration: Configuration) -> Bool {
    configuration.auth != .open || !configuration.deployments.isEmpty
  }

  func deployments(
    _ configuration: Configuration, _ clusters: [Gateway.Cluster], _ catalog: [CatalogModel]
  ) throws(OperatorError) -> [Deployment] {
    func served(by id: String) -> [CatalogModel] { catalog.filter { $0.deployment == id } }
    var all: [Deployment] = []
    for one in configuration.deployments {
      let states = configuration.models.filter { $0.deployment == one.id }.map(\.state)
      var probes: [Deployment.Probe] = []
      for service in one.services { probes.append(try probe(service, one)) }
      if one.services.isEmpty {
        probes = self.probes(of: configuration.models.filter { $0.deployment == one.id }, clusters, one.timeNanoseconds)
      }
      all.append(
        Deployment(
          id: one.id, state: state(one.state.map { [$0] } ?? states), probes: probes, models: served(by: one.id)))
    }
    var seen = Set(all.map(\.id))
    for id in configuration.models.map(\.deployment) where seen.insert(id).inserted {
      let models = configuration.models.filter { $0.deployment == id }
      all.append(
        Deployment(
          id: id, state: state(models.map(\.state)), probes: probes(of: models, clusters, 3_000_000_000),
          models: served(by: id)))
    }
    return all
  }

  /// A deployment runs when one of its models does.
  private func state(_ states: [Configuration.ModelState]) -> DeploymentState {
    if states.contains(.running) { return .running }
    return DeploymentState(states.first { $0 == .starting } ?? states.first ?? .running)
  }

  private func probe(
    _ service: Configuration.Service, _ deployment: Configuration.Deployment
  ) throws(OperatorError) -> Deployment.Probe {
    var tls: TLSClientContext?
    if service.endpoint.scheme == .https {
      do throws(ReactorError) {
        tls = try TLSClientContext(caFile: nil, verify: true)
      } catch {
        throw OperatorError("deployments.\(deployment.id).services.\(service.name): \(error)")
      }
    }
    var request = FetchRequest(target: service.endpoint.basePath.isEmpty ? "/" : service.endpoint.basePath)
    request.timeMax = deployment.timeNanoseconds
    return Deployment.Probe(
      name: service.name, endpoint: endpoint(service.endpoint, authority: nil), tls: tls, request: request)
  }

  /// Without services of its own a deployment is as well as the endpoints of its models' clusters are.
  private func probes(
    of models: [Configuration.Model], _ clusters: [Gateway.Cluster], _ time: UInt64
  ) -> [Deployment.Probe] {
    var probes: [Deployment.Probe] = []
    for cluster in clusters where models.contains(where: { $0.cluster == cluster.name }) {
      for (index, endpoint) in cluster.endpoints.enumerated() {
        var request = FetchRequest(target: String(decoding: endpoint.basePath, as: UTF8.self) + "/models")
        request.timeMax = time
        // As requests reach it: with its own key, its fields and its name.
        request.serverName = cluster.serverName
        request.fields = cluster.fields.map {
          (name: String(decoding: $0.name, as: UTF8.self), value: String(decoding: $0.value, as: UTF8.self))
        }
        if let key = cluster.authorization {
          request.fields.append(("Authorization", String(decoding: key, as: UTF8.self)))
        }
        let name = cluster.endpoints.count > 1 ? "\(cluster.name)-\(index + 1)" : cluster.name
        probes.append(
          Deployment.Probe(name: name, endpoint: endpoint, tls: endpoint.usesTLS ? cluster.tls : nil, request: request))
      }
    }
    return probes
  }
}
