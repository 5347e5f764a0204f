// Browsers: which pages of other origins may read the answers (the Fetch standard's CORS protocol).

import Gateway
import Wire

/// Answers preflights, and lets the pages of allowed origins read answers, errors and the fields that SDKs act on.
public struct CORS: Plugin {
  private let origins: Set<[UInt8]>
  private let allowsAll: Bool

  /// - Parameter origins: such as `https://app.example`, or `*` for every origin. Credentials of the browser's own
  ///   (cookies) are never allowed: a page shows its key by itself.
  public init(origins: [String]) {
    allowsAll = origins.contains("*")
    self.origins = Set(origins.map { Array($0.utf8) })
  }

  public var name: String { "cors" }
  public var phases: Phases { [.request, .response] }

  public func request(_ exchange: Exchange) -> Verdict {
    guard let origin = exchange.field(.origin) else { return .pass }
    let isAllowed = allowsAll || origins.contains(Array(origin))
    exchange.ownsCORS = true
    if isAllowed { exchange.keep(allowsAll ? "*" : String(decoding: origin, as: UTF8.self), for: CORS.self) }
    guard exchange.method == .options, exchange.field(.accessControlRequestMethod) != nil else { return .pass }
    // Neither a key nor a limit is asked about: a preflight carries none, and is no request of the API.
    var reply = Reply(status: 204, body: [])
    guard isAllowed else { return .reply(reply) }
    reply.fields = [("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS")]
    if let wanted = exchange.field(.accessControlRequestHeaders) {
      reply.fields.append(("Access-Control-Allow-Headers", String(decoding: wanted, as: UTF8.self)))
    }
    reply.fields.append(("Access-Control-Max-Age", "86400"))
    return .reply(reply)
  }

  public func response(_ exchange: Exchange, _ head: inout HeadFields) {
    guard exchange.ownsCORS else { return }
    if !allowsAll { head.add("Vary", fixed: "Origin") }
    guard let origin = exchange.note(CORS.self, as: String.self) else { return }
    head.add("Access-Control-Allow-Origin", origin)
    head.add("Access-Control-Expose-Headers", fixed: Self.exposed)
  }

  /// What SDKs read beside the body.
  private static let exposed: StaticString = """
    x-request-id, retry-after, retry-after-ms, x-should-retry, x-ratelimit-limit-requests, \
    x-ratelimit-remaining-requests, x-ratelimit-reset-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, \
    x-ratelimit-reset-tokens, openai-processing-ms, openai-version
    """
}
