// Whoever asks for a change, asked once more within the change itself: until a body is whole, and until the store is free, a
// key may have been revoked, rotated or removed.

import Gateway
import Plugins
import Reactor

/// Who asks, as it can be asked again on another thread, and for how long.
struct Caller: Sendable {
  enum Who: Sendable {
    /// A key or a session of the store, by the secret that it showed.
    case stored(SHA256Digest)
    /// A key of the configuration, by its mark.
    case configured(String)
    /// Somebody else, such as the holder of a token, until its end in nanoseconds since 1970.
    case other(until: UInt64?)
  }

  let who: Who
  let patience = Patience(nanoseconds: KeyAdministration.changeAge)
}

extension KeyAdministration {
  /// Who asks in `exchange`.
  func caller(_ identity: Identity, _ exchange: Exchange) -> Caller {
    let caller = Caller(who: who(identity))
    exchange.keep(caller.patience, for: Self.self)
    return caller
  }

  private func who(_ identity: Identity) -> Caller.Who {
    if let mark = configured[ObjectIdentifier(identity)] { return .configured(mark) }
    if let digest = identity.digest { return .stored(digest) }
    return .other(until: identity.expiresAt)
  }
}

extension KeyTable {
  /// The row of `caller`, nil where it is none of ours. Throws where it may not manage keys any more.
  func check(_ caller: Caller.Who, isConfigured: (String) -> Bool) throws -> StoredKey? {
    let now = Machine.wallClockNanoseconds()
    switch caller {
    case .configured(let mark):
      guard isConfigured(mark) else { throw Self.forbidden }
      return nil
    case .other(let end):
      if let end, now >= end { throw Self.forbidden }
      return nil
    case .stored(let digest):
      let seconds = Int(clamping: now / 1_000_000_000)
      guard let found = try find(digest, kind: .key) ?? find(digest, kind: .session),
        found.key.status(at: seconds) == .active, seconds < found.until ?? .max,
        found.key.permissions.contains(.admin), try isGood(found.key.parent, isConfigured, seconds)
      else { throw Self.forbidden }
      return found.key
    }
  }

  private func isGood(_ parent: String?, _ isConfigured: (String) -> Bool, _ now: Int) throws -> Bool {
    guard let parent else { return true }
    if StoredKeys.isMark(parent) { return isConfigured(parent) }
    guard let key = try keyIfAny(id: parent) else { return false }
    return key.status(at: now) == .active && key.permissions.contains(.admin)
  }

  private static let forbidden = KeyStoreError(.forbidden, "", "the key that asks may not manage keys any more")
}
