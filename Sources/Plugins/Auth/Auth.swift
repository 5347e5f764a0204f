// Who may use the gateway: every request below the API's prefixes is asked for a credential, and the sources that are
// configured are asked whose it is.

import Gateway
import Reactor
import Wire

/// Asks for a key or a token in `Authorization: Bearer` or `x-api-key`, and where a source has sessions for their cookie.
/// Where a request carries several, the first that is good counts, in this order; one that is good is enough.
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
    if Self.showsSession(exchange) { exchange.ownsCookies = true }
    // Nearly all requests show one key of the configuration.
    if let shown = exchange.field(.authorization).flatMap(Self.bearer),
      let identity = keys.find(Credential(.bearer, shown)), !isOver(identity)
    {
      return admit(identity, .bearer, exchange)
    }
    return ask(exchange)
  }

  /// Asks for all that is shown, one credential after the other, from memory. The first that must be looked for ends it:
  /// who comes in does not depend on what is remembered just now.
  private func ask(_ exchange: Exchange) -> Verdict {
    var refusal: Failure?
    for kind in Self.kinds {
      guard let shown = Self.shown(kind, exchange, readsCookies: readsCookies), shown.count > 0 else { continue }
      switch find(Credential(kind, shown), exchange) {
      case .known(let identity): return admit(identity, kind, exchange)
      case .later: return .wait
      case .refused(let failure): refusal = refusal ?? failure
      case .unknown: refusal = refusal ?? Self.unknown(kind, shown)
      }
    }
    if judgesRequests { return .wait }
    return .fail(refusal ?? Failure(.downstream, .noKey))
  }

  /// What all sources know of a credential, up to the first that must look.
  private func find(_ credential: Credential, _ exchange: Exchange) -> Finding {
    // A key of the configuration is for programs, and no cookie.
    if credential.kind != .session, let identity = keys.find(credential) { return judged(identity, exchange) }
    var refusal: Finding?
    for source in sources {
      switch source.find(credential, exchange) {
      case .known(let identity): return judged(identity, exchange)
      case .later: return .later
      case .refused(let failure): refusal = refusal ?? .refused(failure)
      case .unknown: break
      }
    }
    return refusal ?? .unknown
  }

  public func wait(in phase: Phases, _ exchange: Exchange, on loop: isolated LoopActor) async throws -> Verdict {
    // Copied before the first suspension: what is borrowed stays for as long as the head, and no longer.
    let shown = Self.kinds.compactMap { kind -> (kind: Credential.Kind, secret: String?, refusal: Failure)? in
      guard let bytes = Self.shown(kind, exchange, readsCookies: readsCookies), bytes.count > 0 else { return nil }
      // What is no text is not made one: nobody is to be asked about something else than what was shown.
      return (kind, String(validating: bytes, as: UTF8.self), Self.unknown(kind, bytes))
    }
    var refusal: Failure?
    do {
      for (kind, secret, unknown) in shown {
        switch try await look(kind, secret, exchange, on: loop) {
        case .known(let identity): return admit(identity, kind, exchange)
        case .refused(let failure): refusal = refusal ?? failure
        case .unknown, .later: refusal = refusal ?? unknown
        }
      }
      for source in sources where shown.isEmpty && source.judgesRequests {
        switch try await source.look(for: nil, nil, exchange, on: loop) {
        case .known(let identity): return admit(identity, .bearer, exchange)
        case .refused(let failure): refusal = refusal ?? failure
        case .unknown, .later: break
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

  /// What all sources find about what is shown as `kind`: from memory, where one has come to know it meanwhile, as by
  /// another request's look. The request's head is there while its plugin waits.
  private func look(
    _ kind: Credential.Kind, _ secret: String?, _ exchange: Exchange, on loop: isolated LoopActor
  ) async throws -> Finding {
    if kind != .session, let bytes = Self.shown(kind, exchange, readsCookies: readsCookies),
      let identity = keys.find(Credential(kind, bytes))
    {
      return judged(identity, exchange)
    }
    var refusal: Finding?
    for source in sources {
      guard let bytes = Self.shown(kind, exchange, readsCookies: readsCookies) else { continue }
      var finding = source.find(Credential(kind, bytes), exchange)
      if case .later = finding {
        guard let secret else { continue }
        finding = try await source.look(for: secret, kind, exchange, on: loop)
      }
      switch finding {
      case .known(let identity): return judged(identity, exchange)
      case .refused(let failure): refusal = refusal ?? .refused(failure)
      case .unknown, .later: break
      }
    }
    return refusal ?? .unknown
  }

  private static func unknown(_ kind: Credential.Kind, _ shown: UnsafeRawBufferPointer) -> Failure {
    Failure(.downstream, .badKey(kind == .session ? "***" : redacted(shown)))
  }

  private static let twice = Failure(
    .downstream,
    .refused(
      Failure.Refusal(status: 400, message: "A header with credentials was given twice.", code: "duplicate_credentials")
    ))

  // MARK: What is found

  private func isOver(_ identity: Identity) -> Bool {
    identity.expiresAt.map { Machine.wallClockNanoseconds() >= $0 } ?? false
  }

  /// A credential whose time is over is no good, and another one that is shown may be.
  private func judged(_ identity: Identity, _ exchange: Exchange) -> Finding {
    guard isOver(identity) else { return .known(identity) }
    exchange.principal = identity
    let words = Failure.Refusal(status: 401, message: "Your API key has expired.", code: "api_key_expired")
    return .refused(Failure(.downstream, .refused(words)))
  }

  private func admit(_ identity: Identity, _ kind: Credential.Kind, _ exchange: Exchange) -> Verdict {
    exchange.principal = identity
    if kind == .session, !SameSite.allows(exchange) {
      let words = Failure.Refusal(
        status: 403, message: "A session may not be used by pages of other sites.", code: "cross_site_request")
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

  /// Whether one of the cookies is called as that of a session, here or where there was a store before. What only looks so
  /// is taken for one: no backend is shown it.
  public static func showsSession(_ exchange: Exchange) -> Bool {
    guard exchange.count(of: .cookie) > 0, let head = exchange.head else { return false }
    let name = Array("\(cookieName)=".utf8)
    for index in 0..<head.fieldCount where head.field(index).known == .cookie {
      if head.bytes(head.field(index).value).contains(name) { return true }
    }
    return false
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
