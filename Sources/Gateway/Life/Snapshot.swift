// The configuration as the cores see it: immutable, built once by Control, shared by every core, swapped whole at a
// reload. An exchange keeps the snapshot it began with.

import Flow
import Reactor
import Wire

/// Times that bound what a client may do, in nanoseconds; 0 is no bound.
public struct ClientTimes: Sendable {
  /// From the first byte of a head (or the accept) to its end.
  public var head: UInt64 = 10_000_000_000
  /// Between two pieces of a request body.
  public var body: UInt64 = 60_000_000_000
  /// Between two requests of a connection.
  public var idle: UInt64 = 75_000_000_000
  /// How long a client may take nothing while bytes wait for it.
  public var writeStall: UInt64 = 120_000_000_000

  public init() {}
}

/// Times that bound what an upstream may do, in nanoseconds; 0 is no bound.
public struct UpstreamTimes: Sendable {
  /// To connect, name resolution included.
  public var connect: UInt64 = 5_000_000_000
  /// For the TLS handshake.
  public var tls: UInt64 = 10_000_000_000
  /// From the request's last byte to the answer's first.
  public var firstByte: UInt64 = 600_000_000_000
  /// Between two reads of an answer.
  public var betweenBytes: UInt64 = 300_000_000_000
  /// For the whole of an answer that is not a stream.
  public var total: UInt64 = 0
  /// How long an upstream may take nothing of a request that waits for it.
  public var writeStall: UInt64 = 60_000_000_000

  public init() {}
}

/// How the client's side of a listener is to be read.
public struct ClientPolicy: Sendable {
  public var times = ClientTimes()
  public var limits = HeadLimits()
  /// Largest request body that is held, in bytes.
  public var bodyBytesMax = 64 << 20
  /// Client connections of all cores at one time; more are told so and closed. 0 is no bound.
  public var connectionsMax = 0
  /// Peers whose X-Forwarded-* is believed.
  public var trustedProxies: [AddressPrefix] = []

  public init() {}
}

/// One immutable configuration.
public final class Snapshot: Sendable {
  public let client: ClientPolicy
  /// What is served below which paths, in which dialect and by which plugins.
  let surfaces: Surfaces
  public let clusters: [Cluster]
  /// When reading stops and resumes for a slow peer.
  public let relay: Watermarks
  /// Age after which names are resolved again, in nanoseconds.
  public let resolveAge: UInt64
  /// Bodies that need no reading and are no longer than this are held all the same, so that they can be sent again.
  public let holdBytesMax: Int
  /// Whether an access log is written.
  public let logsAccess: Bool
  /// Time for streams to finish at shutdown, in nanoseconds.
  public let drain: UInt64

  /// - Parameter listenerDialects: those of the ``Door``s that have one of their own.
  public init(
    client: ClientPolicy, surfaces: [SurfacePlan], listenerDialects: Set<String> = [], clusters: [Cluster],
    plugins: [any Plugin], relay: Watermarks, resolveAge: UInt64, logsAccess: Bool, drain: UInt64
  ) {
    self.client = client
    self.surfaces = Surfaces(surfaces, listenerDialects: listenerDialects, plugins: plugins)
    self.clusters = clusters
    self.relay = relay
    self.resolveAge = resolveAge
    self.holdBytesMax = 256 << 10
    self.logsAccess = logsAccess
    self.drain = drain
  }
}
