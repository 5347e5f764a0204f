// Who may come in, from the file's words to the auth plugin and its sources.

import Gateway
import Plugins
import Reactor

extension SnapshotBuilder {
  mutating func auth(_ sources: Configuration.CredentialSources) throws(OperatorError) -> Auth {
    var others: [any CredentialSource] = []
    if let jwt = sources.jwt { others.append(try tokens(jwt)) }
    // Last: what it is asked costs the most.
    if let external = sources.external { others.append(try check(external)) }
    return Auth(keys: ConfiguredKeys(sources.keys.compactMap(key)), sources: others)
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
