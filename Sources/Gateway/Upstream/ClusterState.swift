// What one core knows about a cluster at run time: whose turn it is, and the endpoints' pools and addresses.

import Flow
import Reactor

/// A cluster on one core.
final class ClusterState {
  let cluster: Cluster
  private(set) var endpoints: [EndpointState]
  private var turns: WeightedRoundRobin

  /// Takes over from `old` the endpoints that are reached in the same way, with their pools. Only those of the cluster
  /// of the same name, and each of them once: an endpoint's state tells the path and the key that its requests get, and
  /// two clusters, or two paths of one, may well share an address.
  init(_ cluster: Cluster, core: Core, inheriting old: [ClusterState] = []) {
    self.cluster = cluster
    turns = WeightedRoundRobin(weights: cluster.endpoints.map(\.weight))
    var left = old.filter { $0.cluster.name == cluster.name && $0.cluster.transport == cluster.transport }
      .flatMap(\.endpoints)
    endpoints = cluster.endpoints.map { endpoint in
      guard let place = left.firstIndex(where: { $0.endpoint.isReached(like: endpoint) }) else {
        return EndpointState(endpoint, cluster, core: core)
      }
      let same = left.remove(at: place)
      same.adopt(endpoint, cluster)
      return same
    }
  }

  /// The endpoint whose turn it is among those not in `tried`; nil when all were tried.
  func next(excluding tried: UInt64) -> (index: Int, endpoint: EndpointState)? {
    let index = turns.next { $0 < 64 ? tried & (1 << UInt64($0)) == 0 : tried == 0 }
    guard let index, index < endpoints.count else { return nil }
    return (index, endpoints[index])
  }

  /// Closes idle connections that grew too old; how many are left.
  func expire(_ now: UInt64) -> Int {
    var left = 0
    for endpoint in endpoints { left += endpoint.expire(now) }
    return left
  }

  /// Closes the pools of endpoints that no state of `others` took over.
  func retire(unlessIn others: [ClusterState]) {
    for endpoint in endpoints where !others.contains(where: { $0.endpoints.contains { $0 === endpoint } }) {
      endpoint.close()
    }
  }

  func close() { for endpoint in endpoints { endpoint.close() } }
}
