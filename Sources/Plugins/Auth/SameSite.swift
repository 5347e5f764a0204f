// Whose page a browser sends a request for. A session is a cookie, which browsers send by themselves: `SameSite=Strict` keeps
// it from other sites, but another port of the host and a sister domain are the same site.

import Gateway
import Wire

/// Requests that a session may make.
enum SameSite {
  /// Reading changes nothing, and no page of another origin can see the answer. Anything else must come from the page's own
  /// origin, as browsers say it in `Sec-Fetch-Site` (Fetch Metadata), older ones in `Origin`. What says neither is no browser.
  static func allows(_ exchange: Exchange) -> Bool {
    if exchange.method == .get || exchange.method == .head { return true }
    if let site = exchange.field(named: "sec-fetch-site") { return site == "same-origin" || site == "none" }
    guard let origin = exchange.field(.origin) else { return true }
    guard let host = exchange.field(.host), let end = origin.firstRange(of: "://".utf8)?.upperBound else {
      return false
    }
    // A browser writes both in lower case.
    return origin[end...].elementsEqual(host)
  }
}
