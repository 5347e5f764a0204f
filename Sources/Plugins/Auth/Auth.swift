// Who may use the gateway: every request below the API's prefixes is asked for a credential, and the sources that are
// configured are asked whose it is.

import Gateway
import Reactor
import Wire

/// Asks for a key or a token in `Authorization: Bearer` or `x-api-key`, and where a source has sessions for their cookie.
/// Where a request carries several, one that is good is enough.
public struct Auth: Plugin {
  private let keys: ConfiguredKeys
  private let sources: [any CredentialSource]
  private let readsCookies: Bool
  private let judgesRequests: Bool

  /// - Parameters:
  ///   - keys: of the configuration; they are asked first.
  ///   - sources: asked behind them, in this order.
  ///   - readsCookies: whether a session's cookie is a credential.
  public init(keys: ConfiguredKeys, sources: [any CredentialSource] = [], readsCookies: Bool = false) {
    self.keys = keys
    self.sources = sources
    self.readsCookies = readsCookies
    judgesRequests = sources.contains { $0.judgesRequests }
  }

  public var name: String { "auth" }
  public var phases: Phases { .request }
  public var waitMax: UInt64 { 30_000_000_000 }

  public func request(_ exchange: Exchange) -> Verdict {
    if exchange.route == .outside { return .pass }
    // A backend that is sent credentials on might read another one than we did.
    guard exchange.count(of: .authorization) <= 1, exchange.count(of: .xAPIKey) <= 1 else { return .fail(Self.twice) }
    if readsCookies, exchange.count(of: .cookie) > 0 { exchange.ownsCookies = Self.holdsSession(exchange) }
    // Nearly all requests show one key of the configuration.
    if let shown = exchange.field(.authorization).flatMap(Self.bearer),
      let identity = keys.find(Credential(.bearer, shown))
    {
      return admit(identity, exchange)
    }
    return ask(exchange)
  }

  /// Asks for all that is shown, from memory.
  private func ask(_ exchange: Exchange) -> Verdict {
    var first: Failure?
    var mustLook = judgesRequests
    for kind in Self.kinds {
      guard let shown = Self.shown(kind, exchange, readsCookies: readsCookies), shown.count > 0 else { continue }
      let credential = Credential(kind, shown)
      if let identity = keys.find(credential) { return admit(identity, exchange) }
      for source in sources {
        switch source.find(credential, exchange) {
        case .known(let identity): return admit(identity, exchange)
        case .unknown: break
        case .refused(let failure): first = first ?? failure
        case .later: mustLook = true
        }
      }
      first = first ?? Failure(.downstream, .badKey(kind == .session ? "***" : Self.redacted(shown)))
    }
    if mustLook { return .wait }
    return .fail(first ?? Failure(.downstream, .noKey))
  }

  public func wait(in phase: Phases, _ exchange: Exchange, on loop: isolated LoopActor) async throws -> Verdict {
    // Copied before the first suspension: what is borrowed stays for as long as the head, and no longer.
    let shown = Self.kinds.compactMap { kind -> (kind: Credential.Kind, secret: String)? in
      guard let bytes = Self.shown(kind, exchange, readsCookies: readsCookies), bytes.count > 0 else { return nil }
      return (kind, String(decoding: bytes, as: UTF8.self))
    }
    var refusal = shown.first.map {
      Failure(.downstream, .badKey($0.kind == .session ? "***" : Self.redacted($0.secret)))
    }
    do {
      for source in sources {
        for (kind, secret) in shown {
          switch try await finding(source, kind, secret, exchange, on: loop) {
          case .known(let identity): return admit(identity, exchange)
          case .refused(let failure): refusal = failure
          case .unknown, .later: break
          }
        }
        if shown.isEmpty, source.judgesRequests {
          switch try await source.look(for: nil, nil, exchange, on: loop) {
          case .known(let identity): return admit(identity, exchange)
          case .refused(let failure): refusal = failure
          case .unknown, .later: break
          }
        }
      }
    } catch {
      // Nothing is known of the credential: it is not refused as a bad one, and nobody is let in.
      let words = Failure.Refusal(
        status: 503, message: "Your credentials could not be checked. Please try again.", code: "auth_unavailable")
      return .fail(Failure(.own, .refused(words), detail: "\(error)"))
    }
    return .fail(refusal ?? Failure(.downstream, .noKey))
  }

  /// What `source` says of what is shown as `kind`: from memory, where it has come to know it meanwhile, as by another
  /// request's look. The request's head is there while its plugin waits.
  private func finding(
    _ source: any CredentialSource, _ kind: Credential.Kind, _ secret: String, _ exchange: Exchange,
    on loop: isolated LoopActor
  ) async throws -> Finding {
    guard let bytes = Self.shown(kind, exchange, readsCookies: readsCookies) else { return .unknown }
    let known = source.find(Credential(kind, bytes), exchange)
    guard case .later = known else { return known }
    return try await source.look(for: secret, kind, exchange, on: loop)
  }

  private static let twice = Failure(
    .downstream,
    .refused(
      Failure.Refusal(status: 400, message: "A header with credentials was given twice.", code: "duplicate_credentials")
    ))

  private func admit(_ identity: Identity, _ exchange: Exchange) -> Verdict {
    exchange.principal = identity
    if let end = identity.expiresAt, Machine.wallClockNanoseconds() >= end {
      let words = Failure.Refusal(status: 401, message: "Your API key has expired.", code: "api_key_expired")
      return .fail(Failure(.downstream, .refused(words)))
    }
    guard let missing = identity.permissions.missing(for: exchange.method) else { return .pass }
    return .fail(Failure(.downstream, .forbidden(permission: missing)))
  }

  // MARK: What a client shows

  private static let kinds: [Credential.Kind] = [.bearer, .apiKey, .session]
  /// The cookie of a session.
  public static let cookieName = "sluice_session"

  private static func shown(
    _ kind: Credential.Kind, _ exchange: Exchange, readsCookies: Bool
  ) -> UnsafeRawBufferPointer? {
    switch kind {
    case .bearer: exchange.field(.authorization).flatMap(bearer)
    case .apiKey: exchange.field(.xAPIKey)
    case .session: readsCookies ? exchange.field(.cookie).flatMap { cookie(cookieName, in: $0) } : nil
    }
  }

  /// Whether a cookie may be that of a session. Of several fields only the first is asked for one.
  private static func holdsSession(_ exchange: Exchange) -> Bool {
    exchange.count(of: .cookie) > 1 || shown(.session, exchange, readsCookies: true) != nil
  }

  /// The token of `Bearer token` (RFC 6750, 2.1; the scheme in any case).
  static func bearer(_ value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    let scheme: StaticString = "bearer "
    let length = scheme.utf8CodeUnitCount
    guard value.count > length else { return nil }
    for index in 0..<length where value[index] | 0x20 != scheme.utf8Start[index] { return nil }
    var rest = UnsafeRawBufferPointer(rebasing: value[length...])
    while rest.first == 0x20 { rest = UnsafeRawBufferPointer(rebasing: rest[1...]) }
    return rest.count > 0 ? rest : nil
  }

  /// The value of the first cookie called `name` (RFC 6265, 4.2.1).
  static func cookie(_ name: String, in value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    for pair in value.split(separator: UInt8(ascii: ";")) {
      let pair = pair.drop { $0 == 0x20 || $0 == 0x09 }
      guard pair.count > name.utf8.count, pair.starts(with: name.utf8),
        pair[pair.startIndex + name.utf8.count] == UInt8(ascii: "=")
      else { continue }
      return UnsafeRawBufferPointer(rebasing: pair.dropFirst(name.utf8.count + 1))
    }
    return nil
  }

  /// Enough of a key for its owner to know it by, and not more.
  static func redacted(_ secret: UnsafeRawBufferPointer) -> String {
    guard secret.count >= 12, secret.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return "***" }
    let first = String(decoding: secret.prefix(3), as: UTF8.self)
    let last = String(decoding: secret.suffix(4), as: UTF8.self)
    return "\(first)***\(last)"
  }

  /// The same for a source that has the credential as a text.
  public static func redacted(_ secret: String) -> String {
    var secret = secret
    return secret.withUTF8 { redacted(UnsafeRawBufferPointer($0)) }
  }
}
