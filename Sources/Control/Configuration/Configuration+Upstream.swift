// The side of the models: clusters of endpoints, and which model lives where.

extension Configuration {
  /// A group of backends that serve the same models (`clusters.NAME`).
  public struct Cluster: Sendable, Equatable {
    /// Its key in the file.
    public var name: String
    /// Backends; at least one. Required.
    public var endpoints: [Endpoint]
    /// Sent as `Authorization: Bearer` in place of the client's. Never print it. Default: none.
    public var apiKey: String?
    /// Whether the client's own credential goes on to the backend; never beside `apiKey`. Default: false.
    public var forwardsCredentials: Bool
    /// Set on every upstream request, in the order of the file. Values may be secrets. Default: none.
    public var headers: [Header]
    /// Value of `Host`. Default: none, each endpoint's authority.
    public var host: String?
    /// How `https` endpoints are verified.
    public var tls: ClientTLS
    /// The top-level timeouts with this cluster's overrides applied.
    public var timeouts: Timeouts
    /// Connections kept for later requests.
    public var pool: Pool
    /// How an endpoint is chosen. Default: `weighted`.
    public var balance: Balance
    /// What its backends are. Default: `openai`, whatever speaks the API.
    public var kind: BackendKind
  }

  /// What a backend is (`clusters.NAME.kind`): some lack parts of the API, and are not asked for them.
  public enum BackendKind: String, Sendable, Hashable, CaseIterable {
    case openai, vllm, sglang, tgi, ollama, llamacpp, localai, runpod
  }

  /// One backend (`clusters.NAME.endpoints[]`), its URL taken apart.
  public struct Endpoint: Sendable, Hashable {
    public enum Scheme: Sendable, Hashable { case http, https }

    /// Where to connect.
    public enum Destination: Sendable, Hashable {
      /// A host name or an IP literal without brackets, and a port (1 to 65535).
      case tcp(host: String, port: UInt16)
      /// A socket in the file system.
      case unix(path: String)
    }

    /// The URL as written (after expansion); it holds no credentials.
    public var url: String
    /// `https` speaks TLS.
    public var scheme: Scheme
    /// Where to connect.
    public var destination: Destination
    /// Put before the request's own path: empty, or begins with a slash and has none at its end.
    public var basePath: String
    /// `Host` for this endpoint: host and port as written, without the scheme's own port; `localhost` for a unix socket.
    public var authority: String
    /// Share of the requests, against the cluster's other endpoints; 1 to 1000. Default: 1.
    public var weight: Int
  }

  /// A header set on upstream requests (`clusters.NAME.headers`).
  public struct Header: Sendable, Hashable {
    /// A token (RFC 9110 5.6.2), as written; never one that the gateway itself must own (`Host`, `Content-Length`, ...).
    public var name: String
    /// Visible ASCII, spaces and tabs within.
    public var value: String
  }

  /// How `https` endpoints are verified (`clusters.NAME.tls`).
  public struct ClientTLS: Sendable, Hashable {
    /// PEM file of authorities to believe instead of the system's; readable when loaded. Default: none.
    public var caFile: String?
    /// Whether the certificate must be good. Default: true.
    public var verify: Bool = true
    /// Name to ask for and to verify. Default: none, the endpoint's host.
    public var serverName: String?

    public init() {}
  }

  /// Connections kept for later requests (`clusters.NAME.pool`).
  public struct Pool: Sendable, Hashable {
    /// Idle connections per endpoint and core; 0 keeps none. Default: 64.
    public var idleMax: Int = 64
    /// How long one may be idle, in nanoseconds; stay below the backend's own limit (uvicorn: 5 s). Default: 4 s.
    public var idleNanosecondsMax: UInt64 = 4_000_000_000

    public init() {}
  }

  /// How an endpoint is chosen (`clusters.NAME.balance`).
  public enum Balance: String, Sendable, Hashable, CaseIterable {
    /// In turn, by weight.
    case weighted
  }

  /// A name that clients may ask for (`models.NAME`).
  public struct Model: Sendable, Hashable {
    /// What clients call it: its key in the file.
    public var name: String
    /// Name of the cluster that serves it; exists. Required.
    public var cluster: String
    /// What the cluster calls it. Default: the same.
    public var upstreamName: String
    /// `owned_by` in the list of models. Default: the cluster's name.
    public var ownedBy: String
    /// `created` in the list of models, in seconds since 1970. Default: 0.
    public var created: Int
    /// What it does; asked for anything else it is refused. Default: none, nothing is refused.
    public var kind: ModelKind?
    /// How its deployment is; unless it runs it is refused. Default: `running`.
    public var state: ModelState
    /// Id of its deployment, which ModelPilot's answers show. Default: the name.
    public var deployment: String
    /// Where the deployment can be reached itself, which ModelPilot's answers show. Default: none, and they show nothing.
    public var directEndpoint: String?
  }

  /// What is asked for the health of a deployment (`deployments.ID`).
  public struct Deployment: Sendable, Hashable {
    /// Its key in the file.
    public var id: String
    /// How it is; unless it runs its services are not asked. Default: `running`, or as its models are.
    public var state: ModelState?
    /// Services in the order of the file, each with what is asked of it.
    public var services: [Service]
    /// What a probe may take, in nanoseconds. Default: 3 s.
    public var timeNanoseconds: UInt64
  }

  /// One service of a deployment (`deployments.ID.services.NAME`).
  public struct Service: Sendable, Hashable {
    public var name: String
    /// Where it is asked; the URL's path is what is asked for.
    public var endpoint: Endpoint
  }

  /// What a model does (`models.NAME.kind`).
  public enum ModelKind: String, Sendable, Hashable, CaseIterable {
    case text, embedding, image, audio, video
  }

  /// How a model's deployment is (`models.NAME.state`).
  public enum ModelState: String, Sendable, Hashable, CaseIterable {
    case running, stopped, starting
  }

  /// What happens to a model that `models` does not list (`unknown_models`).
  public enum UnknownModels: String, Sendable, Hashable, CaseIterable {
    /// Answer 404 `model_not_found`.
    case reject
    /// Send it to the default cluster as it is; a default cluster exists.
    case forward
  }

  /// How long an upstream may take (`timeouts`, `clusters.NAME.timeouts`), in nanoseconds.
  public struct Timeouts: Sendable, Hashable {
    /// To connect. Default: 5 s.
    public var connectNanoseconds: UInt64 = 5_000_000_000
    /// To finish the TLS handshake. Default: 10 s.
    public var tlsNanoseconds: UInt64 = 10_000_000_000
    /// From the whole request sent to the first byte of the answer. Default: 600 s.
    public var firstByteNanoseconds: UInt64 = 600_000_000_000
    /// Between two pieces of the answer. Default: 300 s.
    public var betweenBytesNanoseconds: UInt64 = 300_000_000_000
    /// For the whole of an answer that is not a stream; nil is off. Default: off (written 0).
    public var totalNanoseconds: UInt64?
    /// The upstream takes nothing while bytes wait for it. Default: 60 s.
    public var writeStallNanoseconds: UInt64 = 60_000_000_000

    public init() {}
  }

  /// How host names of endpoints become addresses (`dns`).
  public struct DNS: Sendable, Hashable {
    /// Between two look-ups of a name, in nanoseconds. Default: 30 s.
    public var refreshNanoseconds: UInt64 = 30_000_000_000

    public init() {}
  }
}
