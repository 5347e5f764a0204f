// One key of the store, without its secret, which nobody keeps.

import GRDB
import Plugins

/// A key as lists show it.
public struct StoredKey: Sendable {
  /// Tells it from all others, for ever.
  public let id: String
  public let identity: Identity

  public init(id: String, identity: Identity) {
    self.id = id
    self.identity = identity
  }
}
