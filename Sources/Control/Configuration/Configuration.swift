// What the operator wrote, as values. Built once at start and once per reload from a YAML file, then handed to the
// gateway, which keeps it unchanged. Knows nothing of sockets or of the gateway's own types.

/// Everything a configuration file says, checked and complete: a default stands wherever the file is silent.
///
/// Times are nanoseconds, sizes are bytes. Names of clusters and models are those of the file; references between
/// sections (a model's cluster, the default cluster) are known to exist.
public struct Configuration: Sendable, Equatable {
  /// The file's name as given, for messages.
  public var name: String
  /// Threads that carry traffic, one loop each. Default: `auto`, one per core this process may use.
  public var workers: Workers
  /// Where clients are awaited; at least one, no two alike. Required.
  public var listeners: [Listener]
  /// Which request paths are the API. Default: `/v1` and `/api/v1`.
  public var paths: Paths
  /// Plugins of the program's own that are switched on, in the order of the file.
  public var plugins: [PluginOptions]
  /// Which web pages may use the API.
  public var cors: CORS
  /// What a client may take of our time and memory.
  public var client: Client
  /// Who may come in. Required, so that nobody opens a gateway by forgetting a section.
  public var auth: Auth
  /// How much each may ask for.
  public var limits: Limits
  /// Groups of backends, in the order of the file; at least one. Required.
  public var clusters: [Cluster]
  /// Names that clients may ask for, in the order of the file. Default: none, every name goes to the default cluster.
  public var models: [Model]
  /// Deployments whose health can be asked for, in the order of the file. Default: those of the models, with the endpoints
  /// of their clusters as services.
  public var deployments: [Deployment]
  /// Name of the cluster for requests without a model, and for unknown models when those are forwarded. Default: none.
  public var defaultCluster: String?
  /// What happens to a model that `models` does not list. Default: `reject` with `models`, `forward` without.
  public var unknownModels: UnknownModels
  /// How long an upstream may take; clusters may override. `Cluster.timeouts` has the overrides applied already.
  public var timeouts: Timeouts
  /// How host names of endpoints become addresses.
  public var dns: DNS
  /// How much may wait between two sockets.
  public var relay: Relay
  /// How the gateway leaves.
  public var shutdown: Shutdown
  /// Which tokens are counted.
  public var usage: Usage
  /// What is written down, and where.
  public var log: Log
  /// A pretended model server started along with the gateway. Default: none.
  public var demoBackend: DemoBackend?

  /// The cluster called `name`.
  public func cluster(named name: String) -> Cluster? {
    clusters.first { $0.name == name }
  }
}
