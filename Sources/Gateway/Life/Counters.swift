// What a core counts. Plain integers: only the core's own thread writes and reads them.

/// Sums since the start of the core.
public struct Counters: Sendable {
  public var connectionsAccepted: UInt64 = 0
  public var connectionsRefused: UInt64 = 0
  public var exchanges: UInt64 = 0
  public var upstreamConnects: UInt64 = 0
  public var upstreamReuses: UInt64 = 0
  /// Requests sent again because a reused connection was dead.
  public var replays: UInt64 = 0
  /// Exchanges given up because their client had left.
  public var clientsLeft: UInt64 = 0
  /// Times reading from an upstream stopped for a slow client.
  public var pauses: UInt64 = 0
  /// Relayed bytes that were copied in user space. Stays 0 for plain sockets whose framing is passed through.
  public var bytesCopied: UInt64 = 0

  /// Relayed bytes that went from socket to socket through a pipe.
  public var bytesSpliced: UInt64 = 0

  public init() {}

  /// The sums of two cores.
  public static func + (one: Counters, other: Counters) -> Counters {
    var sum = one
    sum.connectionsAccepted &+= other.connectionsAccepted
    sum.connectionsRefused &+= other.connectionsRefused
    sum.exchanges &+= other.exchanges
    sum.upstreamConnects &+= other.upstreamConnects
    sum.upstreamReuses &+= other.upstreamReuses
    sum.replays &+= other.replays
    sum.clientsLeft &+= other.clientsLeft
    sum.pauses &+= other.pauses
    sum.bytesCopied &+= other.bytesCopied
    sum.bytesSpliced &+= other.bytesSpliced
    return sum
  }
}
