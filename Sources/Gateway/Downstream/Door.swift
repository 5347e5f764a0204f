// Where clients come in, as the connections need to know it.

/// What a connection knows of the listener it came through.
import Reactor

public final class Door: Sendable {
  /// Address as configured, for logs.
  public let name: String
  /// Whether peers are on a unix socket: they have no address, and what they forward is believed.
  public let isUnix: Bool
  let tls: TLSServerContext?

  public init(name: String, isUnix: Bool, tls: TLSServerContext?) {
    self.name = name
    self.isUnix = isUnix
    self.tls = tls
  }

  /// The scheme a client spoke.
  var scheme: StaticString { tls == nil ? "http" : "https" }
}
