// The side of the clients: where they are awaited, which paths they may ask for, what they may take of us.

extension Configuration {
  /// An address a listener or the demo backend binds to.
  public enum ListenAddress: Sendable, Hashable, LosslessStringConvertible {
    /// One IP address, written without brackets (`127.0.0.1`, `::1`, `0.0.0.0`), and a port. Port 0: the kernel chooses.
    case ip(host: String, port: UInt16)
    /// Every IPv4 and IPv6 address of the machine; written `:8080`.
    case everywhere(port: UInt16)
    /// A socket in the file system, by absolute or relative path; written `unix:/run/sluice.sock`.
    case unix(path: String)

    /// Reads what `description` gives; nil for host names, missing ports, unbracketed IPv6.
    public init?(_ description: String) {
      guard let address = AddressText.listen(description) else { return nil }
      self = address
    }

    /// As it is written in a file: `127.0.0.1:80`, `[::1]:80`, `:80`, `unix:/x`.
    public var description: String {
      switch self {
      case .ip(let host, let port):
        return host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
      case .everywhere(let port): return ":\(port)"
      case .unix(let path): return "unix:\(path)"
      }
    }
  }

  /// One place where clients are awaited (`listeners[]`).
  public struct Listener: Sendable, Hashable {
    /// Address to bind. Required.
    public var address: ListenAddress
    /// Certificate and key; clients speak TLS when given. Default: none, plain HTTP.
    public var tls: ServerTLS?
    /// Connections the kernel keeps for us before we accept them. Default: 4096.
    public var backlog: Int
    /// Name of the dialect of whatever is asked here, whatever its path's prefix says. Default: none.
    public var dialect: String?
  }

  /// What a listener needs for TLS (`listeners[].tls`). Both files were readable when the configuration was loaded.
  public struct ServerTLS: Sendable, Hashable {
    /// PEM file with the certificate chain, leaf first. Required.
    public var certificateFile: String
    /// PEM file with the private key. Required.
    public var keyFile: String
  }

  /// Which request paths are the API (`paths`).
  public struct Paths: Sendable, Hashable {
    /// At least one, no two alike. Default: `/v1` in `openai`'s dialect and `/api/v1` in `modelpilot`'s.
    public var prefixes: [Prefix] = [
      Prefix(path: "/v1", dialect: "openai"), Prefix(path: "/api/v1", dialect: "modelpilot"),
    ]

    public init() {}
  }

  /// What comes before the API's own paths (`paths.prefixes[]`).
  public struct Prefix: Sendable, Hashable {
    /// Begins with a slash and has none at its end; the rest of the path is what the API calls it.
    public var path: String
    /// Name of the dialect of its answers. Default: `openai`, below `/api/v1` `modelpilot`.
    public var dialect: String

    static func usualDialect(_ path: String) -> String { path == "/api/v1" ? "modelpilot" : "openai" }
  }

  /// The dialects of the gateway itself.
  public static let dialects = ["openai", "modelpilot", "pllm", "gateway"]

  /// Which web pages may use the API (`cors`).
  public struct CORS: Sendable, Hashable {
    /// Origins, or `*` for all. Default: `*` with keys, none when everybody is let in.
    public var origins: [String] = []

    public init() {}
  }

  /// What a client may take of our time and memory (`client`).
  public struct Client: Sendable, Hashable {
    /// From the first byte of a head (or the accept) to its end, in nanoseconds. Default: 10 s.
    public var headNanoseconds: UInt64 = 10_000_000_000
    /// Between two pieces of a request body, in nanoseconds. Default: 60 s.
    public var bodyNanoseconds: UInt64 = 60_000_000_000
    /// A kept connection without a request, in nanoseconds. Default: 75 s.
    public var idleNanoseconds: UInt64 = 75_000_000_000
    /// The client takes nothing while bytes wait for it, in nanoseconds. Default: 120 s.
    public var writeStallNanoseconds: UInt64 = 120_000_000_000
    /// Largest request head, in bytes. Default: 64 KiB.
    public var headBytesMax: Int = 65_536
    /// Largest request body, in bytes. Default: 64 MiB.
    public var bodyBytesMax: Int = 67_108_864
    /// Client connections at one time, over all cores; more are told 503. 0 is no bound: accepting pauses when descriptors
    /// run out. Default: 0.
    public var connectionsMax: Int = 0
    /// Peers whose `X-Forwarded-For` is believed. Default: none.
    public var trustedProxies: [AddressRange] = []

    public init() {}
  }

  /// A range of IP addresses (`10.0.0.0/8`, `::1`).
  public struct AddressRange: Sendable, Hashable, CustomStringConvertible {
    /// As the file has it.
    public var text: String
    /// The upper 64 bits of the address, IPv4 as v4-mapped IPv6 (`::ffff:a.b.c.d`).
    public var high: UInt64
    /// The lower 64 bits of the address.
    public var low: UInt64
    /// Leading bits that count, 0 to 128; 96 more than written for IPv4.
    public var prefixBits: Int

    public var description: String { text }
  }
}
