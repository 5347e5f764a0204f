// Who may come in, and how often.

extension Configuration {
  /// Who may come in (`auth`).
  public enum Auth: Sendable, Hashable {
    /// `open: true`: nobody needs a key.
    case open
    /// A request needs a credential that one of these knows; there is at least one of them.
    case required(CredentialSources)
  }

  /// Where credentials are known.
  public struct CredentialSources: Sendable, Hashable {
    /// Keys of the file itself (`auth.keys`); no two with one name or one credential. Default: none.
    public var keys: [Key] = []
    /// Tokens of an issuer (`auth.jwt`). Default: none.
    public var jwt: JWT?
    /// A service that knows credentials (`auth.external`). Default: none.
    public var external: ExternalCheck?
    /// Keys that are made and revoked while it runs (`auth.store`). Default: none.
    public var store: Store?

    public init() {}
  }

  /// A file of keys, which `sluice keys` and the API's `/admin/keys` change (`auth.store`).
  public struct Store: Sendable, Hashable {
    /// Made at the start when it is missing. Required.
    public var path: String
  }

  /// One key a client may show (`auth.keys[]`).
  public struct Key: Sendable, Hashable {
    /// The holder's name, for logs and counters. Required.
    public var name: String
    /// What is compared. Required.
    public var credential: Credential
    /// What it may do; at least one. Default: `read` and `proxy`.
    public var permissions: [Permission]
    /// Models that it may use, as clients name them; nil is all. Default: all.
    public var models: [String]?
    /// Its account type, for rules of limits. Default: none.
    public var account: String?
  }

  /// What a key may do (`auth.keys[].permissions`).
  public enum Permission: String, Sendable, Hashable, CaseIterable {
    /// Look at models, health and statistics.
    case read
    /// Have backends work, together with `read`.
    case proxy
    /// Manage keys.
    case admin

    /// What a key may do that is given nothing else.
    public static let usual: [Self] = [.read, .proxy]
  }

  /// What a shown key is compared with. Prints no secret.
  public enum Credential: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// SHA-256 of the key in 64 lowercase hexadecimal digits (`sha256`), as `sluice keys hash` prints it.
    case sha256(hex: String)
    /// The key itself (`value`), best taken from the environment. Visible ASCII, 1 to 4096 characters.
    case plain(String)

    public var description: String {
      switch self {
      case .sha256: return "sha256"
      case .plain: return "value"
      }
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
  }

  /// How much each may ask for (`limits`).
  public struct Limits: Sendable, Hashable {
    /// Requests of one IP address (IPv6: of one /64); nil when `off`. Default: 100 requests in 60 s, burst 100.
    public var perIP: Rate? = Rate()
    /// Client addresses that are not counted. Default: none, loopback is counted too.
    public var exempt: [AddressRange] = []
    /// Addresses remembered at one time, rounded up to a power of two. Default: 65536.
    public var tableEntries: Int = 65_536
    /// Limits beside it, in the order of the file. Default: none.
    public var rules: [LimitRule] = []

    public init() {}
  }

  /// One limit of a key, an account type, a route, a model or of all clients (`limits.rules.NAME`).
  public struct LimitRule: Sendable, Hashable {
    /// Whose requests are counted together (`of`).
    public enum Subject: String, Sendable, Hashable, CaseIterable {
      case ip, key, all
    }

    /// Its key in the file.
    public var name: String
    /// Default: `key`.
    public var subject: Subject
    public var measure: Measure
    /// Paths behind the prefix. Default: all.
    public var routes: [String]
    /// Models as clients name them. Default: all.
    public var models: [String]
    /// Names of keys. Default: all.
    public var keys: [String]
    /// Account types. Default: all.
    public var accounts: [String]

    /// What is counted: the key that the rule has.
    public enum Measure: Sendable, Hashable {
      /// `requests`, in `seconds`.
      case requests(Rate)
      /// `tokens`, in `seconds`.
      case tokens(Rate)
      /// `concurrent`: requests under way at one time.
      case concurrent(Int)
    }
  }

  /// So many requests, or tokens, in so much time (`limits.per_ip`).
  public struct Rate: Sendable, Hashable {
    /// What is granted per period. Default: 100.
    public var count: Int = 100
    /// The period, in nanoseconds. Default: 60 s.
    public var periodNanoseconds: UInt64 = 60_000_000_000
    /// What may come at once. Default: as much as is granted per period.
    public var burst: Int = 100

    public init() {}
  }
}
