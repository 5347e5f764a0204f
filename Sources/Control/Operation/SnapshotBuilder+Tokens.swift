// Credentials that others know: tokens of an issuer, and whatever a service of the operator's admits.

import Gateway
import Plugins
import WebTokens

/// The keys of an issuer, which go on over a reload: the new configuration does not wait for the issuer's answer.
struct KeptKeys {
  let url: String
  let fresh: UInt64
  let stale: UInt64
  let keys: FetchedKeys
}

extension SnapshotBuilder {
  mutating func tokens(_ jwt: Configuration.JWT) throws(OperatorError) -> WebTokens {
    var rules = TokenRules()
    rules.issuer = jwt.issuer
    rules.audience = jwt.audience
    rules.algorithms = Set(jwt.algorithms.map(TokenAlgorithm.init))
    rules.leeway = jwt.leewayNanoseconds
    rules.requiresExpiry = jwt.requiresExpiry
    rules.names.name = jwt.claims.name
    rules.names.permissions = jwt.claims.permissions
    rules.names.models = jwt.claims.models
    rules.names.account = jwt.claims.account
    return WebTokens(rules: rules, keys: try source(jwt))
  }

  private mutating func source(_ jwt: Configuration.JWT) throws(OperatorError) -> TokenKeySource {
    do {
      switch jwt.key {
      case .secret(let secret): return .fixed(try TokenKeys(secret: secret))
      case .publicKey(_, let text): return .fixed(try TokenKeys(pem: text))
      case .keySet(_, let text): return .fixed(try TokenKeys(jwks: Array(text.utf8)))
      case .keySetURL(let endpoint):
        let (fresh, stale) = (jwt.refreshNanoseconds, jwt.staleNanoseconds)
        if let kept = keptKeys, kept.url == endpoint.url, kept.fresh == fresh, kept.stale == stale {
          return .fetched(kept.keys)
        }
        let keys = FetchedKeys(try FetchAddress(endpoint.url).place, fresh: fresh, stale: stale)
        keptKeys = KeptKeys(url: endpoint.url, fresh: fresh, stale: stale, keys: keys)
        return .fetched(keys)
      }
    } catch {
      throw OperatorError("auth.jwt: \(error)")
    }
  }

  func check(_ external: Configuration.ExternalCheck) throws(OperatorError) -> ExternalCheck {
    do {
      var service = ExternalCheck.Service(try FetchAddress(external.service.url).place)
      service.timeMax = external.timeNanoseconds
      service.cacheAge = external.cacheNanoseconds
      service.headers = external.headers
      return ExternalCheck(service)
    } catch {
      throw OperatorError("auth.external: \(error)")
    }
  }
}

extension TokenAlgorithm {
  init(_ algorithm: Configuration.JWT.Algorithm) {
    switch algorithm {
    case .hs256: self = .hs256
    case .rs256: self = .rs256
    case .es256: self = .es256
    }
  }
}
