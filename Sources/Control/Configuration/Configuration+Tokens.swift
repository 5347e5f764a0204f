// Credentials that others know: tokens of an issuer, and a service that is asked.

extension Configuration {
  /// Tokens of one issuer (`auth.jwt`).
  public struct JWT: Sendable, Hashable {
    /// How they may be signed.
    public enum Algorithm: String, Sendable, Hashable, CaseIterable {
      case hs256 = "HS256"
      case rs256 = "RS256"
      case es256 = "ES256"
    }

    /// What they are verified with. Prints nothing of it: a secret is one, and a file of keys may hold one by mistake.
    public enum Key: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
      /// For HS256 (`secret`); at least 32 bytes, best taken from the environment.
      case secret(String)
      /// A public key in PEM (`public_key_file`), and the file's text when it was loaded.
      case publicKey(path: String, text: String)
      /// A set of keys (`jwks_file`), and the file's text when it was loaded.
      case keySet(path: String, text: String)
      /// A set of keys that is asked for (`jwks_url`).
      case keySetURL(Endpoint)

      public var description: String {
        switch self {
        case .secret: return "secret"
        case .publicKey: return "public_key_file"
        case .keySet: return "jwks_file"
        case .keySetURL: return "jwks_url"
        }
      }
      public var debugDescription: String { description }
      public var customMirror: Mirror { Mirror(self, children: []) }
    }

    /// Names of the claims that tell who the holder is (`auth.jwt.claims`).
    public struct Claims: Sendable, Hashable {
      /// The holder's name. Default: `sub`.
      public var name = "sub"
      /// What it may do. Default: `scope`.
      public var permissions = "scope"
      /// Models that it may use. Default: `models`.
      public var models = "models"
      /// Its account type. Default: `account`.
      public var account = "account"

      public init() {}
    }

    /// What `iss` must be; nil looks at none. Default: none.
    public var issuer: String?
    /// What must be in `aud`; nil looks at none. Default: none.
    public var audience: String?
    /// Required, one of four.
    public var key: Key
    /// At least one, all of them fit for `key`. Default: those that fit.
    public var algorithms: [Algorithm]
    /// How far clocks may be apart, in nanoseconds. Default: 30 s.
    public var leewayNanoseconds: UInt64 = 30_000_000_000
    /// How long a set of `jwks_url` is used before it is asked for again, in nanoseconds. Default: 300 s.
    public var refreshNanoseconds: UInt64 = 300_000_000_000
    /// How much longer it is used when no newer one can be had, in nanoseconds. Default: 3600 s.
    public var staleNanoseconds: UInt64 = 3600_000_000_000
    /// Whether a token must say when it expires. Default: true.
    public var requiresExpiry = true
    public var claims = Claims()
  }

  /// A service that knows credentials (`auth.external`).
  public struct ExternalCheck: Sendable, Hashable {
    /// Its URL, path included. Required.
    public var service: Endpoint
    /// What an answer may take, in nanoseconds; at most 10 s. Default: 2 s.
    public var timeNanoseconds: UInt64 = 2_000_000_000
    /// How long a yes is remembered, in nanoseconds; 0 asks each time. Default: 0.
    public var cacheNanoseconds: UInt64 = 0
    /// Names of further fields that it is shown. Default: none.
    public var headers: [String] = []
  }
}
