// What is the keys' own of every gateway, with a store or without one: their paths below the prefixes, and the cookie of
// their sessions. No backend is shown either of them.

import Gateway
import Plugins

/// Answers for the paths of ``KeyAdministration`` where there is no store: they are unknown ones. Stands where that would.
public struct KeyPlaces: Plugin {
  public init() {}

  public var name: String { "key_places" }
  public var phases: Phases { .request }

  public func request(_ exchange: Exchange) -> Verdict {
    // A page may go on sending it when the gateway has its store no more, and another gateway may have that.
    if Auth.showsSession(exchange) { exchange.ownsCookies = true }
    return KeyAdministration.place(exchange) == nil ? .pass : .fail(Failure(.downstream, .unknownPath))
  }
}
