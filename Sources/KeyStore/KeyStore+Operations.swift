// What an operator does with a store, here and now: the command line's side. The gateway's own, which must not block, is
// in KeyAdministration.

import Plugins
import Reactor

extension KeyStore {
  /// Seconds since 1970.
  public static var now: Int { Int(clamping: Machine.wallClockNanoseconds() / 1_000_000_000) }

  /// Makes a key. Its secret is in what comes back, and nowhere else.
  public func create(_ new: NewKey, now: Int = now) throws(KeyStoreError) -> NewSecret {
    try writeNow { try $0.create(new, now: now) }
  }

  /// All keys, the oldest first.
  public func list() throws(KeyStoreError) -> [StoredKey] { try readNow { try $0.all() } }

  /// Ends the key with this id, or the only one of this name: at its next request, in every gateway that has this store.
  public func revoke(_ idOrName: String, now: Int = now) throws(KeyStoreError) -> StoredKey {
    try writeNow { try $0.revoke(try $0.key(named: idOrName), now: now) }
  }

  /// Gives the key with this id, or the only one of this name, a new secret. The old one is good for `grace` seconds more.
  public func rotate(_ idOrName: String, grace: Int = 0, now: Int = now) throws(KeyStoreError) -> NewSecret {
    try writeNow { try $0.rotate(try $0.key(named: idOrName), grace: grace, now: now) }
  }

  /// Whoever shows `secret`; nil for nobody. One that has expired is there, and says when it did. The gateway asks through
  /// `StoredKeys`; this is the same question without the memos, for tests of what the store holds.
  func find(_ secret: String) throws(KeyStoreError) -> Identity? {
    let digest = SHA256Digest(hashing: secret)
    let kind: StoredKey.Kind = secret.hasPrefix(Secret.sessionPrefix) ? .session : .key
    return try readNow { try $0.find(digest, kind: kind) }.map { $0.key.identity(digest, until: $0.until) }
  }
}
