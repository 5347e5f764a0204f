// JSON Web Tokens as credentials (RFC 7519): verified once, off the loop, and then known by their tag until they end.

import Gateway
import Plugins
import Reactor

/// Where the keys of an issuer come from.
public enum TokenKeySource: Sendable {
  /// They are in the configuration, or in a file that it names.
  case fixed(TokenKeys)
  /// They are asked for.
  case fetched(FetchedKeys)
}

/// Knows the holders of tokens that one issuer has signed.
public final class WebTokens: CredentialSource {
  private let rules: TokenRules
  private let source: TokenKeySource
  private let memo = CredentialMemo()

  public init(rules: TokenRules, keys source: TokenKeySource) {
    self.rules = rules
    self.source = source
  }

  public func find(_ credential: Credential, _ exchange: Exchange) -> Finding {
    guard credential.kind != .session, CompactToken.looksLike(credential.bytes) else { return .unknown }
    guard let edition, let holder = holder(credential.tag, edition, exchange) else { return .later }
    return .known(holder)
  }

  public func look(
    for secret: String?, _ kind: Credential.Kind?, _ exchange: Exchange, on loop: isolated LoopActor
  ) async throws -> Finding {
    guard let secret else { return .unknown }
    do {
      return .known(try await identity(secret, exchange, on: loop))
    } catch let refusal as TokenRefusal {
      return .refused(Failure(.downstream, .badKey(Auth.redacted(secret)), detail: "\(refusal)"))
    }
  }

  /// Throws a ``TokenRefusal``, or that there are no keys to verify with.
  private func identity(
    _ secret: String, _ exchange: Exchange, on loop: isolated LoopActor
  ) async throws -> Identity {
    let token = try CompactToken(secret)
    try rules.check(token.header)
    let keys: TokenKeys
    switch source {
    case .fixed(let fixed): keys = fixed
    case .fetched(let fetched): keys = try await fetched.keys(exchange.core, on: loop)
    }
    let tag = token.text.withUnsafeBytes { CredentialTag.of($0) }
    // The set was asked for again and is the same: what was verified with it still is.
    if let holder = holder(tag, keys.number, exchange) { return holder }
    let (claims, number) = try await claims(of: token, keys, exchange, on: loop)
    let identity = try rules.identity(of: claims, now: Machine.wallClockNanoseconds())
    memo.keep(identity, tag, edition: number, until: identity.expiresAt ?? .max, core: exchange.core.index)
    return identity
  }

  /// The claims of `token`, and the number of the set that has verified it.
  private func claims(
    of token: CompactToken, _ keys: TokenKeys, _ exchange: Exchange, on loop: isolated LoopActor
  ) async throws(TokenRefusal) -> (Claims, UInt64) {
    do throws(TokenRefusal) {
      return (try await verify(token, keys), keys.number)
    } catch {
      // Perhaps the issuer has changed its keys just now.
      guard error.mayBeNewKey, case .fetched(let fetched) = source,
        let newer = await fetched.newer(than: keys, exchange.core, on: loop)
      else { throw error }
      return (try await verify(token, newer), newer.number)
    }
  }

  /// On a thread of the pool: a signature takes longer than a loop should be away from its sockets.
  private func verify(_ token: CompactToken, _ keys: TokenKeys) async throws(TokenRefusal) -> Claims {
    try await withTaskExecutorPreference(globalConcurrentExecutor) { () async throws(TokenRefusal) in
      try await keys.verify(token)
    }
  }

  /// The number of the set that is good just now; nil when it has to be asked for.
  private var edition: UInt64? {
    switch source {
    case .fixed(let keys): keys.number
    case .fetched(let keys): keys.settled(Machine.monotonicNanoseconds())
    }
  }

  private func holder(_ tag: UInt64, _ edition: UInt64, _ exchange: Exchange) -> Identity? {
    memo.find(tag, edition: edition, now: Machine.wallClockNanoseconds(), core: exchange.core.index)
  }
}
