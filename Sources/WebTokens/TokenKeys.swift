// What tokens are verified with.

import JWTKit
import Plugins

/// Keys of the issuers whose tokens are believed.
public final class TokenKeys: Sendable {
  let keys = JWTKeyCollection()

  public init() {}
}
