// What is known of whoever shows a good credential, from wherever it is known: the configuration, a key store, a token.

import Gateway
import Reactor

/// The holder of a credential, and what it may do.
public final class Identity: Principal {
  public let name: String
  /// Tells it from others of its name, and is what limits count by; nil where names are unique (the configuration's keys).
  /// A session's is that of the key it began with: a session is no second quota.
  public let id: String?
  /// What it may do.
  public let permissions: Permissions
  /// Names of the models that it may use; nil is all.
  public let models: Set<String>?
  /// Its account type, for rules of limits; nil is none.
  public let account: String?
  /// When it ends, in nanoseconds since 1970; nil is never.
  public let expiresAt: UInt64?
  /// Of the secret that it showed, where a key store knows that: it can be asked there again. Nil for others.
  public let digest: SHA256Digest?

  public init(
    name: String, id: String? = nil, permissions: Permissions = .usual, models: Set<String>? = nil,
    account: String? = nil, expiresAt: UInt64? = nil, digest: SHA256Digest? = nil
  ) {
    self.name = name
    self.id = id
    self.permissions = permissions
    self.models = models
    self.account = account
    self.expiresAt = expiresAt
    self.digest = digest
  }

  /// Whether `text` can be the name of a holder, a model or an account type, wherever it comes from: 1 to 256 bytes of one
  /// line, which no log and no terminal takes for more than text.
  public static func isName(_ text: String) -> Bool {
    (1...256).contains(text.utf8.count)
      && !text.unicodeScalars.contains {
        $0.value < 0x20 || (0x7F...0x9F).contains($0.value) || $0.value == 0x2028 || $0.value == 0x2029
      }
  }

  /// Whether one of `names`, which mean the same model, is among those that it may use.
  func mayUse(any names: [String]) -> Bool {
    guard let models else { return true }
    return names.contains { models.contains($0) }
  }
}

extension Exchange {
  /// Who asks; nil where nobody had to say, or a plugin of one's own keeps a principal of its own.
  public var identity: Identity? { principal as? Identity }
}
