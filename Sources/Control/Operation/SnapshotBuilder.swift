// From the configuration, as written, to the snapshot, as the cores use it.

import Flow
import Gateway
import Plugins
import Reactor
import Wire

/// Builds snapshots. What must outlive a reload (the limiter's table) is kept here.
struct SnapshotBuilder {
  private var table: RateTable?
  private var tableEntries = 0

  /// The snapshot that `configuration` describes. Throws a message for the operator when a file it names is unusable.
  mutating func build(
    _ configuration: Configuration, extra: [any Plugin] = []
  ) throws(OperatorError) -> Snapshot {
    var clusters: [Gateway.Cluster] = []
    for (index, cluster) in configuration.clusters.enumerated() {
      clusters.append(try self.cluster(cluster, index, configuration))
    }
    return Snapshot(
      client: client(configuration.client), prefixes: configuration.paths.prefixes, clusters: clusters,
      plugins: plugins(configuration, clusters, extra),
      relay: Watermarks(high: configuration.relay.highBytes, low: configuration.relay.lowBytes),
      resolveAge: configuration.dns.refreshNanoseconds, logsAccess: configuration.log.access != .off,
      drain: configuration.shutdown.drainNanoseconds)
  }

  // MARK: Plugins

  private mutating func plugins(
    _ configuration: Configuration, _ clusters: [Gateway.Cluster], _ extra: [any Plugin]
  ) -> [any Plugin] {
    var plugins: [any Plugin] = [Probes()]
    if let rate = configuration.limits.perIP {
      plugins.append(
        PerIPLimit(
          table: limiterTable(configuration.limits.tableEntries),
          rate: Rate(count: rate.requests, perNanoseconds: rate.periodNanoseconds, burst: rate.burst),
          requestsPerMinute: perMinute(rate), exempt: prefixes(configuration.limits.exempt)))
    }
    if case .keys(let keys) = configuration.auth {
      plugins.append(KeyAuth(keys: keys.compactMap(key)))
    }
    plugins += extra
    func cluster(_ name: String?) -> Gateway.Cluster? { clusters.first { $0.name == name } }
    let models = configuration.models.compactMap { model in
      cluster(model.cluster).map { found in
        CatalogModel(
          name: model.name,
          destination: Destination(
            cluster: found, upstreamModel: model.upstreamName == model.name ? nil : model.upstreamName),
          created: model.created, ownedBy: model.ownedBy)
      }
    }
    plugins.append(
      ModelCatalog(
        models: models, fallback: cluster(configuration.defaultCluster),
        forwardsUnknown: configuration.unknownModels == .forward))
    plugins.append(OpenAIDialect())
    return plugins
  }

  /// The limiter's table goes on over a reload, unless its size was changed.
  private mutating func limiterTable(_ entries: Int) -> RateTable {
    if let table, tableEntries == entries { return table }
    let new = RateTable(capacity: entries)
    table = new
    tableEntries = entries
    return new
  }

  private func perMinute(_ rate: Configuration.Rate) -> Int {
    let minutes = Double(rate.periodNanoseconds) / 60_000_000_000
    return minutes > 0 ? Int((Double(rate.requests) / minutes).rounded()) : rate.requests
  }

  private func key(_ key: Configuration.Key) -> KeyAuth.Key? {
    switch key.credential {
    case .sha256(let hex): SHA256Digest(hex: hex).map { KeyAuth.Key(name: key.name, digest: $0) }
    case .plain(let secret):
      Array(secret.utf8).withUnsafeBytes { KeyAuth.Key(name: key.name, digest: SHA256Digest(hashing: $0)) }
    }
  }

  private func prefixes(_ ranges: [Configuration.AddressRange]) -> [AddressPrefix] {
    ranges.compactMap { AddressPrefix(parsing: $0.text) }
  }

  // MARK: Clients

  private func client(_ client: Configuration.Client) -> ClientPolicy {
    var policy = ClientPolicy()
    policy.times.head = client.headNanoseconds
    policy.times.body = client.bodyNanoseconds
    policy.times.idle = client.idleNanoseconds
    policy.times.writeStall = client.writeStallNanoseconds
    policy.limits.headBytesMax = client.headBytesMax
    policy.bodyBytesMax = client.bodyBytesMax
    policy.connectionsMax = client.connectionsMax
    policy.trustedProxies = prefixes(client.trustedProxies)
    return policy
  }

  // MARK: Clusters

  private func cluster(
    _ cluster: Configuration.Cluster, _ index: Int, _ configuration: Configuration
  ) throws(OperatorError) -> Gateway.Cluster {
    let isTLS = cluster.endpoints.contains { $0.scheme == .https }
    var context: TLSClientContext?
    if isTLS {
      do throws(ReactorError) {
        context = try TLSClientContext(caFile: cluster.tls.caFile, verify: cluster.tls.verify)
      } catch {
        throw OperatorError("clusters.\(cluster.name).tls: \(error)")
      }
    }
    return Gateway.Cluster(
      name: cluster.name, index: index,
      endpoints: cluster.endpoints.map { endpoint($0, cluster) },
      authorization: cluster.apiKey.map { "Bearer \($0)" },
      forwardsCredentials: cluster.forwardsCredentials,
      fields: cluster.headers.map { ($0.name, $0.value) }, tls: context, serverName: cluster.tls.serverName,
      times: times(cluster.timeouts), idleMax: cluster.pool.idleMax, idleAge: cluster.pool.idleNanosecondsMax,
      transport: "\(isTLS) \(cluster.tls.verify) \(cluster.tls.caFile ?? "") \(cluster.tls.serverName ?? "")")
  }

  private func endpoint(_ endpoint: Configuration.Endpoint, _ cluster: Configuration.Cluster) -> Gateway.Endpoint {
    let place: Gateway.Endpoint.Place =
      switch endpoint.destination {
      case .tcp(let host, let port): .host(host, port: port)
      case .unix(let path): .unix(path: path)
      }
    return Gateway.Endpoint(
      place: place, usesTLS: endpoint.scheme == .https, name: endpoint.url,
      authority: cluster.host ?? endpoint.authority,
      // As with OpenAI's SDKs, a base address without a path means the API's usual place.
      basePath: endpoint.basePath.isEmpty ? "/v1" : endpoint.basePath, weight: endpoint.weight)
  }

  private func times(_ timeouts: Configuration.Timeouts) -> UpstreamTimes {
    var times = UpstreamTimes()
    times.connect = timeouts.connectNanoseconds
    times.tls = timeouts.tlsNanoseconds
    times.firstByte = timeouts.firstByteNanoseconds
    times.betweenBytes = timeouts.betweenBytesNanoseconds
    times.total = timeouts.totalNanoseconds ?? 0
    times.writeStall = timeouts.writeStallNanoseconds
    return times
  }
}

/// Something that the operator must mend, in words.
struct OperatorError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
