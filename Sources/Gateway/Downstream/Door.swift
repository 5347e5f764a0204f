// Where clients come in, as the connections need to know it.

import Reactor

/// What a connection knows of the listener it came through.
public final class Door: Sendable {
  /// Address as configured, for logs.
  public let name: String
  /// Whether peers are on a unix socket: they have no address, and what they forward is believed.
  public let isUnix: Bool
  /// The dialect of whatever is asked here; nil leaves it to the prefixes of the paths.
  public let dialect: String?
  let tls: TLSServerContext?

  public init(name: String, isUnix: Bool, tls: TLSServerContext?, dialect: String? = nil) {
    self.dialect = dialect
    self.name = name
    self.isUnix = isUnix
    self.tls = tls
    refusal = tls == nil ? Array(Self.fullHouse.utf8) : []
  }

  /// What a client hears for which there is no room. Nothing over TLS: a handshake is what there is no room for.
  let refusal: [UInt8]

  var isTLS: Bool { tls != nil }
  /// The scheme a client spoke.
  var scheme: StaticString { tls == nil ? "http" : "https" }

  private static let fullHouse: String = {
    let body =
      #"{"error":{"message":"The gateway has no room for another connection. Please try again.","#
      + #""type":"service_unavailable_error","param":null,"code":"server_is_overloaded"}}"#
    return
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n"
      + "Retry-After: 1\r\nConnection: close\r\n\r\n" + body
  }()
}
