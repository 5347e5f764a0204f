// One key of the store, without its secret, which nobody keeps.

import Gateway
import Plugins
import Reactor

/// A key, or a session that began with one, as the store has it.
public struct StoredKey: Sendable, Hashable {
  public enum Kind: String, Sendable {
    case key
    /// Shown by a web page as a cookie.
    case session
  }

  /// What becomes of a request that shows it.
  public enum Status: String, Sendable {
    case active, expired, revoked
  }

  /// Tells it from all others, for ever: `key_` and 16 characters.
  public let id: String
  public let kind: Kind
  /// The holder, for logs, counters and lists. Several keys may have one name.
  public let name: String
  /// The first 12 characters of the secret: enough to tell keys apart, too few to be one.
  public let hint: String
  public let permissions: Permissions
  /// Models that it may use; nil is all.
  public let models: [String]?
  /// Its account type; nil is none.
  public let account: String?
  /// Seconds since 1970, as all times of this type.
  public let createdAt: Int
  /// Nil is never.
  public let expiresAt: Int?
  public let revokedAt: Int?
  /// Until when the secret before this one is good as well; nil where there is none.
  public let previousUntil: Int?
  /// What a session began with.
  public let parent: String?

  /// What it is at `now`, in seconds since 1970.
  public func status(at now: Int) -> Status {
    if revokedAt != nil { return .revoked }
    if let expiresAt, now >= expiresAt { return .expired }
    return .active
  }

  /// Who shows the secret with this digest, until `end` or until the key expires, whichever is first.
  func identity(_ digest: SHA256Digest, until end: Int? = nil) -> Identity {
    let end = [expiresAt, end].compactMap { $0 }.min()
    let id = kind == .key ? id : parent.flatMap { StoredKeys.isMark($0) ? nil : $0 }
    return Identity(
      name: name, id: id, permissions: permissions, models: models.map { Set($0) }, account: account,
      expiresAt: end.map(Self.nanoseconds), digest: digest)
  }

  private static func nanoseconds(_ seconds: Int) -> UInt64 {
    let (product, overflows) = UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
    return overflows ? .max : product
  }
}

/// A key that was just made, with the secret that is shown this once. Prints none.
public struct NewSecret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public let key: StoredKey
  public let secret: String

  public var description: String { key.id }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
