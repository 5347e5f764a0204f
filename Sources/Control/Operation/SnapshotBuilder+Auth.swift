// Who may come in, from the file's words to the auth plugin and its sources.

import Gateway
import KeyStore
import Plugins
import Reactor

extension SnapshotBuilder {
  mutating func auth(_ sources: Configuration.CredentialSources) throws(OperatorError) -> Auth {
    let configured = sources.keys.compactMap(key)
    var others: [any CredentialSource] = []
    if let store = sources.store {
      let stored = try self.stored(store)
      administration = KeyAdministration(keys: stored, configured: configured)
      others.append(stored)
    }
    if let jwt = sources.jwt { others.append(try tokens(jwt)) }
    // Last: what it is asked costs the most.
    if let external = sources.external { others.append(try check(external)) }
    return Auth(keys: ConfiguredKeys(configured), sources: others, readsCookies: sources.store != nil)
  }

  /// The snapshot that was built last is used from now on: sessions that began with a key that its file has no more are
  /// over. Not before, because a reload that is refused changes nothing.
  func settle() { if let administration { storedKeys?.adopt(configured: administration.configuredKeys) } }

  /// The store goes on over a reload, unless it is another one.
  private mutating func stored(_ store: Configuration.Store) throws(OperatorError) -> StoredKeys {
    if let storedKeys, storedKeys.path == store.path { return storedKeys }
    do throws(KeyStoreError) {
      let opened = try StoredKeys(path: store.path) { notice in
        switch notice {
        case .trouble(let words): Terminal.error("auth.store: \(words)")
        case .mended(let words): Terminal.info("auth.store: \(words)")
        }
      }
      storedKeys = opened
      return opened
    } catch {
      throw OperatorError("auth.store: \(error)")
    }
  }

  private func key(_ key: Configuration.Key) -> ConfiguredKeys.Key? {
    let digest: SHA256Digest? =
      switch key.credential {
      case .sha256(let hex): SHA256Digest(hex: hex)
      case .plain(let secret): SHA256Digest(hashing: secret)
      }
    let holder = Identity(
      name: key.name, permissions: Permissions(key.permissions), models: key.models.map { Set($0) },
      account: key.account)
    return digest.map { ConfiguredKeys.Key(digest: $0, holder: holder) }
  }
}

extension Permissions {
  init(_ permissions: [Configuration.Permission]) {
    self = []
    for permission in permissions {
      switch permission {
      case .read: insert(.read)
      case .proxy: insert(.proxy)
      case .admin: insert(.admin)
      }
    }
  }
}
