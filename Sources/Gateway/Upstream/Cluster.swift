// Clusters of endpoints, as configured. Immutable; what a core knows about them at run time is in `ClusterState`.

import Reactor

/// One place where a model is served.
public final class Endpoint: Sendable {
  /// How it is reached.
  public enum Place: Sendable, Hashable {
    /// A host (name or literal address) and a port.
    case host(String, port: UInt16)
    /// A unix socket.
    case unix(path: String)
  }

  public let place: Place
  /// Scheme, authority and base path as configured: for logs.
  public let name: String
  /// Value of the Host field.
  public let authority: [UInt8]
  /// Path in front of every target, without a slash at the end; empty for none.
  public let basePath: [UInt8]
  /// Share of the cluster's requests.
  public let weight: Int
  /// Whether it is spoken to over TLS.
  public let usesTLS: Bool

  /// Whether connections to `other` may serve this endpoint too.
  func isReached(like other: Endpoint) -> Bool { place == other.place && usesTLS == other.usesTLS }

  public init(place: Place, usesTLS: Bool, name: String, authority: String, basePath: String, weight: Int) {
    self.usesTLS = usesTLS
    self.place = place
    self.name = name
    self.authority = Array(authority.utf8)
    self.basePath = Array(basePath.utf8)
    self.weight = weight
  }
}

/// Endpoints that serve the same models, and how to speak with them.
public final class Cluster: Sendable {
  public let name: String
  /// Position in the snapshot's list.
  public let index: Int
  public let endpoints: [Endpoint]
  /// Value of Authorization for the upstream; nil sends none of ours.
  public let authorization: [UInt8]?
  /// Whether the client's own credentials go on to the upstream, where none of ours takes their place.
  public let forwardsCredentials: Bool
  /// Fields set on every request; a client's field of the same name is dropped.
  public let fields: [(name: [UInt8], value: [UInt8])]
  /// TLS to the endpoints; nil is plain HTTP.
  public let tls: TLSClientContext?
  /// Name to ask for and to verify; nil takes the endpoint's host.
  public let serverName: String?
  public let times: UpstreamTimes
  /// Idle connections kept to each endpoint by each core.
  public let idleMax: Int
  /// How long one is kept, in nanoseconds. Below the backend's own limit.
  public let idleAge: UInt64
  /// What tells whether connections made for an older snapshot's cluster may serve this one.
  let transport: String
  /// What its backends cannot do, of a kind that is known to lack it.
  public let unsupported: Set<Route.Inference>

  public init(
    name: String, index: Int, endpoints: [Endpoint], authorization: String?, forwardsCredentials: Bool,
    fields: [(name: String, value: String)], tls: TLSClientContext?, serverName: String?, times: UpstreamTimes,
    idleMax: Int, idleAge: UInt64, transport: String, unsupported: Set<Route.Inference> = []
  ) {
    self.unsupported = unsupported
    self.name = name
    self.index = index
    self.endpoints = endpoints
    self.authorization = authorization.map { Array($0.utf8) }
    self.forwardsCredentials = forwardsCredentials
    self.fields = fields.map { (Array($0.name.utf8), Array($0.value.utf8)) }
    self.tls = tls
    self.serverName = serverName
    self.times = times
    self.idleMax = idleMax
    self.idleAge = idleAge
    self.transport = transport
  }

  /// Whether a field of this name is set by `fields`.
  func sets(_ name: UnsafeRawBufferPointer) -> Bool {
    fields.contains { equalsIgnoringCase(name, $0.name) }
  }

  /// The same of a name that is known when the program is built.
  func sets(_ name: StaticString) -> Bool {
    // SAFETY: the bytes of a static string live as long as the program.
    sets(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
  }
}

/// Where an exchange goes. Made with the configuration, not with each request.
public final class Destination: Sendable {
  public let cluster: Cluster
  /// The model's name at the upstream, when it differs from the one that was asked for.
  public let upstreamModel: String?
  /// What the plugin that chose it wants to find again.
  public let note: (any AnyObject & Sendable)?

  public init(cluster: Cluster, upstreamModel: String? = nil, note: (any AnyObject & Sendable)? = nil) {
    self.cluster = cluster
    self.upstreamModel = upstreamModel
    self.note = note
  }
}
