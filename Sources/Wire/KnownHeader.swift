// Header names the gateway itself acts on. A name is classified once, while its line is parsed, and compared never again.

/// A header name the gateway knows; everything else is `.other`.
public enum KnownHeader: UInt8, CaseIterable, Sendable {
  // At most 64 cases: `Head` keeps one bit for each.
  case other
  case host, contentLength, transferEncoding, connection, keepAlive, proxyConnection, proxyAuthenticate
  case proxyAuthorization, te, trailer, upgrade, http2Settings, expect, authorization, xAPIKey, apiKey, contentType
  case contentEncoding, accept, acceptEncoding, date, server, via, forwarded, xForwardedFor, xForwardedProto
  case xForwardedHost, xForwardedPort, xForwardedPrefix, xRealIP, xRequestID, xClientRequestID, userAgent, origin
  case referer, cookie, setCookie, location, retryAfter, retryAfterMs, xShouldRetry, cacheControl, xAccelBuffering
  case vary, traceparent, tracestate, idempotencyKey, openAIOrganization, openAIProject, openAIProcessingMs
  case openAIVersion, range, etag, ifNoneMatch, accessControlRequestMethod, accessControlRequestHeaders
  case accessControlAllowOrigin, accessControlExposeHeaders

  /// The name in lower case; empty for `.other`.
  public var name: StaticString {
    switch self {
    case .other: ""
    case .host: "host"
    case .contentLength: "content-length"
    case .transferEncoding: "transfer-encoding"
    case .connection: "connection"
    case .keepAlive: "keep-alive"
    case .proxyConnection: "proxy-connection"
    case .proxyAuthenticate: "proxy-authenticate"
    case .proxyAuthorization: "proxy-authorization"
    case .te: "te"
    case .trailer: "trailer"
    case .upgrade: "upgrade"
    case .http2Settings: "http2-settings"
    case .expect: "expect"
    case .authorization: "authorization"
    case .xAPIKey: "x-api-key"
    case .apiKey: "api-key"
    case .contentType: "content-type"
    case .contentEncoding: "content-encoding"
    case .accept: "accept"
    case .acceptEncoding: "accept-encoding"
    case .date: "date"
    case .server: "server"
    case .via: "via"
    case .forwarded: "forwarded"
    case .xForwardedFor: "x-forwarded-for"
    case .xForwardedProto: "x-forwarded-proto"
    case .xForwardedHost: "x-forwarded-host"
    case .xForwardedPort: "x-forwarded-port"
    case .xForwardedPrefix: "x-forwarded-prefix"
    case .xRealIP: "x-real-ip"
    case .xRequestID: "x-request-id"
    case .xClientRequestID: "x-client-request-id"
    case .userAgent: "user-agent"
    case .origin: "origin"
    case .referer: "referer"
    case .cookie: "cookie"
    case .setCookie: "set-cookie"
    case .location: "location"
    case .retryAfter: "retry-after"
    case .retryAfterMs: "retry-after-ms"
    case .xShouldRetry: "x-should-retry"
    case .cacheControl: "cache-control"
    case .xAccelBuffering: "x-accel-buffering"
    case .vary: "vary"
    case .traceparent: "traceparent"
    case .tracestate: "tracestate"
    case .idempotencyKey: "idempotency-key"
    case .openAIOrganization: "openai-organization"
    case .openAIProject: "openai-project"
    case .openAIProcessingMs: "openai-processing-ms"
    case .openAIVersion: "openai-version"
    case .range: "range"
    case .etag: "etag"
    case .ifNoneMatch: "if-none-match"
    case .accessControlRequestMethod: "access-control-request-method"
    case .accessControlRequestHeaders: "access-control-request-headers"
    case .accessControlAllowOrigin: "access-control-allow-origin"
    case .accessControlExposeHeaders: "access-control-expose-headers"
    }
  }

  /// Length of the longest name.
  static let nameBytesMax = 30

  /// What the `count` bytes at `base` are the name of.
  @inline(__always)
  static func classify(_ base: UnsafeRawPointer, count: Int) -> KnownHeader {
    // Each length has few names, and their first eight bytes are compared at once.
    switch count {
    case 2:
      if ASCII.equalToken(base, lowercase: "te") { return .te }
    case 3:
      if ASCII.equalToken(base, lowercase: "via") { return .via }
    case 4:
      if ASCII.equalToken(base, lowercase: "host") { return .host }
      if ASCII.equalToken(base, lowercase: "date") { return .date }
      if ASCII.equalToken(base, lowercase: "vary") { return .vary }
      if ASCII.equalToken(base, lowercase: "etag") { return .etag }
    case 5:
      if ASCII.equalToken(base, lowercase: "range") { return .range }
    case 6:
      if ASCII.equalToken(base, lowercase: "expect") { return .expect }
      if ASCII.equalToken(base, lowercase: "accept") { return .accept }
      if ASCII.equalToken(base, lowercase: "server") { return .server }
      if ASCII.equalToken(base, lowercase: "origin") { return .origin }
      if ASCII.equalToken(base, lowercase: "cookie") { return .cookie }
    case 7:
      if ASCII.equalToken(base, lowercase: "trailer") { return .trailer }
      if ASCII.equalToken(base, lowercase: "upgrade") { return .upgrade }
      if ASCII.equalToken(base, lowercase: "api-key") { return .apiKey }
      if ASCII.equalToken(base, lowercase: "referer") { return .referer }
    case 8:
      if ASCII.equalToken(base, lowercase: "location") { return .location }
    case 9:
      if ASCII.equalToken(base, lowercase: "x-api-key") { return .xAPIKey }
      if ASCII.equalToken(base, lowercase: "forwarded") { return .forwarded }
      if ASCII.equalToken(base, lowercase: "x-real-ip") { return .xRealIP }
    case 10:
      if ASCII.equalToken(base, lowercase: "connection") { return .connection }
      if ASCII.equalToken(base, lowercase: "keep-alive") { return .keepAlive }
      if ASCII.equalToken(base, lowercase: "user-agent") { return .userAgent }
      if ASCII.equalToken(base, lowercase: "set-cookie") { return .setCookie }
      if ASCII.equalToken(base, lowercase: "tracestate") { return .tracestate }
    case 11:
      if ASCII.equalToken(base, lowercase: "retry-after") { return .retryAfter }
      if ASCII.equalToken(base, lowercase: "traceparent") { return .traceparent }
    case 12:
      if ASCII.equalToken(base, lowercase: "content-type") { return .contentType }
      if ASCII.equalToken(base, lowercase: "x-request-id") { return .xRequestID }
    case 13:
      if ASCII.equalToken(base, lowercase: "authorization") { return .authorization }
      if ASCII.equalToken(base, lowercase: "cache-control") { return .cacheControl }
      if ASCII.equalToken(base, lowercase: "if-none-match") { return .ifNoneMatch }
    case 14:
      if ASCII.equalToken(base, lowercase: "content-length") { return .contentLength }
      if ASCII.equalToken(base, lowercase: "http2-settings") { return .http2Settings }
      if ASCII.equalToken(base, lowercase: "retry-after-ms") { return .retryAfterMs }
      if ASCII.equalToken(base, lowercase: "x-should-retry") { return .xShouldRetry }
      if ASCII.equalToken(base, lowercase: "openai-project") { return .openAIProject }
      if ASCII.equalToken(base, lowercase: "openai-version") { return .openAIVersion }
    case 15:
      if ASCII.equalToken(base, lowercase: "accept-encoding") { return .acceptEncoding }
      if ASCII.equalToken(base, lowercase: "x-forwarded-for") { return .xForwardedFor }
      if ASCII.equalToken(base, lowercase: "idempotency-key") { return .idempotencyKey }
    case 16:
      if ASCII.equalToken(base, lowercase: "proxy-connection") { return .proxyConnection }
      if ASCII.equalToken(base, lowercase: "content-encoding") { return .contentEncoding }
      if ASCII.equalToken(base, lowercase: "x-forwarded-host") { return .xForwardedHost }
      if ASCII.equalToken(base, lowercase: "x-forwarded-port") { return .xForwardedPort }
    case 17:
      if ASCII.equalToken(base, lowercase: "transfer-encoding") { return .transferEncoding }
      if ASCII.equalToken(base, lowercase: "x-forwarded-proto") { return .xForwardedProto }
      if ASCII.equalToken(base, lowercase: "x-accel-buffering") { return .xAccelBuffering }
    case 18:
      if ASCII.equalToken(base, lowercase: "proxy-authenticate") { return .proxyAuthenticate }
      if ASCII.equalToken(base, lowercase: "x-forwarded-prefix") { return .xForwardedPrefix }
    case 19:
      if ASCII.equalToken(base, lowercase: "proxy-authorization") { return .proxyAuthorization }
      if ASCII.equalToken(base, lowercase: "x-client-request-id") { return .xClientRequestID }
      if ASCII.equalToken(base, lowercase: "openai-organization") { return .openAIOrganization }
    case 20:
      if ASCII.equalToken(base, lowercase: "openai-processing-ms") { return .openAIProcessingMs }
    case 27:
      if ASCII.equalToken(base, lowercase: "access-control-allow-origin") { return .accessControlAllowOrigin }
    case 29:
      if ASCII.equalToken(base, lowercase: "access-control-request-method") { return .accessControlRequestMethod }
      if ASCII.equalToken(base, lowercase: "access-control-expose-headers") { return .accessControlExposeHeaders }
    case 30:
      if ASCII.equalToken(base, lowercase: "access-control-request-headers") { return .accessControlRequestHeaders }
    default: break
    }
    return .other
  }
}
