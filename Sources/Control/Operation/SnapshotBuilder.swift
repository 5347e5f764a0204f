// From the configuration, as written, to the snapshot, as the cores use it.

import Flow
import Gateway
import KeyStore
import Plugins
import Reactor
import Wire

/// Builds snapshots. What must outlive a reload (the limiter's table, the key store) is kept here.
struct SnapshotBuilder {
  private var table: RateTable?
  private var tableEntries = 0
  private let modelSums = ModelSumTable()
  private let readiness = ReadyMemo()
  private let concurrency = ConcurrencyTable()
  var keptKeys: KeptKeys?
  var storedKeys: StoredKeys?
  /// What manages the stored keys; set by `auth` each time.
  var administration: KeyAdministration?

  /// The snapshot that `configuration` describes. Throws a message for the operator when a file it names is unusable.
  mutating func build(
    _ configuration: Configuration, kinds: [PluginKind] = []
  ) throws(OperatorError) -> Snapshot {
    let extra = try own(configuration, kinds)
    var clusters: [Gateway.Cluster] = []
    for (index, cluster) in configuration.clusters.enumerated() {
      clusters.append(try self.cluster(cluster, index, configuration))
    }
    return Snapshot(
      client: client(configuration.client), surfaces: surfaces(configuration),
      listenerDialects: Set(configuration.listeners.compactMap(\.dialect)), clusters: clusters,
      plugins: try plugins(configuration, clusters, extra),
      relay: Watermarks(high: configuration.relay.highBytes, low: configuration.relay.lowBytes),
      resolveAge: configuration.dns.refreshNanoseconds, logsAccess: configuration.log.access != .off,
      drain: configuration.shutdown.drainNanoseconds)
  }

  private func surfaces(_ configuration: Configuration) -> [SurfacePlan] {
    var plans = configuration.paths.prefixes.map { SurfacePlan(prefix: $0.path, dialect: $0.dialect) }
    if tellsDeployments(configuration), !plans.contains(where: { $0.prefix == Deployments.prefix }) {
      plans.append(SurfacePlan(prefix: Deployments.prefix, dialect: ModelPilotDialect.dialect, isAPI: false))
    }
    return plans
  }

  // MARK: Plugins

  /// The plugins of the program's own, made from their options.
  private func own(_ configuration: Configuration, _ kinds: [PluginKind]) throws(OperatorError) -> [any Plugin] {
    var plugins: [any Plugin] = []
    for options in configuration.plugins {
      guard let kind = kinds.first(where: { $0.key == options.key }) else { continue }
      do {
        plugins.append(try kind.make(options.options))
      } catch {
        throw OperatorError("plugins.\(options.key): \(PluginProblem(error))")
      }
    }
    return plugins
  }

  private mutating func plugins(
    _ configuration: Configuration, _ clusters: [Gateway.Cluster], _ extra: [any Plugin]
  ) throws(OperatorError) -> [any Plugin] {
    var plugins: [any Plugin] = [Probes(endpoints: clusters.flatMap(\.endpoints), memo: readiness)]
    if !configuration.cors.origins.isEmpty { plugins.append(CORS(origins: configuration.cors.origins)) }
    if let rate = configuration.limits.perIP {
      plugins.append(
        PerIPLimit(
          table: limiterTable(configuration.limits.tableEntries),
          rate: self.rate(rate), exempt: prefixes(configuration.limits.exempt)))
    }
    administration = nil
    if case .required(let sources) = configuration.auth { plugins.append(try auth(sources)) }
    if administration == nil { storedKeys = nil }
    let rules = configuration.limits.rules.map(limitRule)
    if !rules.isEmpty { plugins.append(limits(rules, configuration, in: .request)) }
    plugins.append(RateFields())
    if let administration { plugins.append(administration) } else { plugins.append(KeyPlaces()) }
    let models = models(configuration, clusters)
    if tellsDeployments(configuration) {
      plugins.append(Deployments(try deployments(configuration, clusters, models)))
    }
    plugins += extra
    let catalog = ModelCatalog(
      models: models, fallback: clusters.first { $0.name == configuration.defaultCluster },
      forwardsUnknown: configuration.unknownModels == .forward)
    plugins += [ChatChecks(), catalog]
    if !rules.isEmpty { plugins.append(limits(rules, configuration, in: .route)) }
    plugins += [PublicModelName(), ModelPilotAnswers()]
    plugins.append(UsageAccounting(streams: UsageAccounting.Streams(configuration.usage.streams)))
    plugins.append(ModelStatistics(table: modelSums, models: models))
    // Behind those of `extra`, which may answer first; the last one answers for all.
    plugins += [ModelPilotDialect(catalog: catalog), PLLMDialect(), GatewayDialect(), OpenAIDialect()]
    return plugins
  }

  private func models(_ configuration: Configuration, _ clusters: [Gateway.Cluster]) -> [CatalogModel] {
    configuration.models.compactMap { model in
      clusters.first { $0.name == model.cluster }.map { found in
        CatalogModel(
          name: model.name, cluster: found, identifier: model.upstreamName, created: model.created,
          ownedBy: model.ownedBy, kind: model.kind.map(ModelKind.init),
          state: DeploymentState(model.state), deployment: model.deployment,
          directEndpoint: model.directEndpoint, table: modelSums)
      }
    }
  }

  /// The limiter's table goes on over a reload, unless its size was changed.
  private mutating func limiterTable(_ entries: Int) -> RateTable {
    if let table, tableEntries == entries { return table }
    let new = RateTable(capacity: entries)
    table = new
    tableEntries = entries
    return new
  }

  private mutating func limits(
    _ rules: [LimitRule], _ configuration: Configuration, in phase: Phases
  ) -> LimitRules {
    LimitRules(
      rules, rates: limiterTable(configuration.limits.tableEntries), concurrency: concurrency, phase: phase,
      exempt: prefixes(configuration.limits.exempt))
  }

  private func limitRule(_ rule: Configuration.LimitRule) -> LimitRule {
    let measure: LimitRule.Measure =
      switch rule.measure {
      case .requests(let rate): .requests(self.rate(rate))
      case .tokens(let rate): .tokens(self.rate(rate))
      case .concurrent(let count): .concurrent(count)
      }
    return LimitRule(
      name: rule.name, measure: measure, subject: LimitRule.Subject(rule.subject), routes: rule.routes,
      models: Set(rule.models), keys: Set(rule.keys), accounts: Set(rule.accounts))
  }

  private func rate(_ rate: Configuration.Rate) -> Rate {
    Rate(count: rate.count, perNanoseconds: rate.periodNanoseconds, burst: rate.burst)
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
      endpoints: cluster.endpoints.map { endpoint($0, authority: cluster.host) },
      authorization: cluster.apiKey.map { "Bearer \($0)" },
      forwardsCredentials: cluster.forwardsCredentials,
      fields: cluster.headers.map { ($0.name, $0.value) }, tls: context, serverName: cluster.tls.serverName,
      times: times(cluster.timeouts), idleMax: cluster.pool.idleMax, idleAge: cluster.pool.idleNanosecondsMax,
      transport: "\(isTLS) \(cluster.tls.verify) \(cluster.tls.caFile ?? "") \(cluster.tls.serverName ?? "")",
      unsupported: cluster.kind.unsupported)
  }

  func endpoint(_ endpoint: Configuration.Endpoint, authority: String?) -> Gateway.Endpoint {
    Gateway.Endpoint(
      place: endpoint.place, usesTLS: endpoint.scheme == .https, name: endpoint.url,
      authority: authority ?? endpoint.authority,
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

extension Configuration.Endpoint {
  /// Where it is, as the gateway says it.
  var place: Gateway.Endpoint.Place {
    switch destination {
    case .tcp(let host, let port): .host(host, port: port)
    case .unix(let path): .unix(path: path)
    }
  }
}

// Words of the file as the plugins' own: a word that one side learns does not compile until the other knows it.

extension ModelKind {
  fileprivate init(_ kind: Configuration.ModelKind) {
    switch kind {
    case .text: self = .text
    case .embedding: self = .embedding
    case .image: self = .image
    case .audio: self = .audio
    case .video: self = .video
    }
  }
}

extension DeploymentState {
  init(_ state: Configuration.ModelState) {
    switch state {
    case .running: self = .running
    case .stopped: self = .stopped
    case .starting: self = .starting
    }
  }
}

extension UsageAccounting.Streams {
  fileprivate init(_ streams: Configuration.Usage.Streams) {
    switch streams {
    case .whenLimited: self = .whenLimited
    case .always: self = .always
    case .never: self = .never
    }
  }
}

extension LimitRule.Subject {
  fileprivate init(_ subject: Configuration.LimitRule.Subject) {
    switch subject {
    case .ip: self = .ip
    case .key: self = .key
    case .all: self = .all
    }
  }
}

extension Configuration.BackendKind {
  /// What such a backend answers with a bare 404.
  fileprivate var unsupported: Set<Route.Inference> {
    switch self {
    case .tgi:
      [
        .embeddings, .responses, .messages, .moderations, .rerank, .imagesGenerations, .imagesEdits, .imagesVariations,
        .audioSpeech, .audioTranscriptions, .audioTranslations,
      ]
    case .openai, .vllm, .sglang, .ollama, .llamacpp, .localai, .runpod: []
    }
  }
}

/// Something that the operator must mend, in words.
struct OperatorError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
