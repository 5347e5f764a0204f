// How the process itself runs: threads, memory between sockets, leaving, logs, the demo backend.

extension Configuration {
  /// Threads that carry traffic (`workers`).
  public enum Workers: Sendable, Hashable {
    /// One per core this process may use.
    case auto
    /// As many as written; 1 to 1024.
    case count(Int)
  }

  /// How much may wait between two sockets (`relay`); `high` is at least twice `low`.
  public struct Relay: Sendable, Hashable {
    /// Reading stops when so many bytes wait. Default: 64 KiB.
    public var highBytes: Int = 65_536
    /// Reading resumes when no more than so many wait. Default: 16 KiB.
    public var lowBytes: Int = 16_384

    public init() {}
  }

  /// How the gateway leaves (`shutdown`).
  public struct Shutdown: Sendable, Hashable {
    /// What running exchanges get after SIGTERM, in nanoseconds; 0 cuts them at once. Default: 30 s.
    public var drainNanoseconds: UInt64 = 30_000_000_000

    public init() {}
  }

  /// What is written down, and where (`log`).
  public struct Log: Sendable, Hashable {
    public enum Access: Sendable, Hashable {
      case stdout, stderr, off
      /// Appended to; created when missing.
      case file(path: String)
    }

    public enum Level: String, Sendable, Hashable, CaseIterable {
      case info, warning, error
    }

    /// One JSON line per request. Default: `stdout`.
    public var access: Access = .stdout
    /// Least important operator's message that is written (to standard error). Default: `info`.
    public var level: Level = .info

    public init() {}
  }

  /// Which tokens are counted (`usage`).
  public struct Usage: Sendable, Hashable {
    public enum Streams: String, Sendable, Hashable, CaseIterable {
      case whenLimited = "when_limited"
      case always, never
    }

    /// Streams that are asked for their tokens where the client does not ask. Default: `when_limited`.
    public var streams: Streams = .whenLimited

    public init() {}
  }

  /// A pretended model server (`demo_backend`, and `sluice demo-backend`).
  public struct DemoBackend: Sendable, Hashable {
    /// Where it listens. Default: 127.0.0.1:18080.
    public var address: ListenAddress = .ip(host: "127.0.0.1", port: 18_080)
    /// Models it says it has; at least one. Default: `demo`.
    public var models: [String] = ["demo"]
    /// Between two words of a streamed answer, in milliseconds. Default: 30.
    public var wordMilliseconds: Int = 30
    /// Before the first word, in milliseconds. Default: 200.
    public var firstWordMilliseconds: Int = 200

    public init() {}
  }
}
