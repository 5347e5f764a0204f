// Who may use the gateway: keys from the configuration, known by their SHA-256, and once they were shown by a tag of it.

import Gateway
import Reactor
import Wire

/// Asks every request below the API's prefixes for a key, in `Authorization: Bearer` or `x-api-key`. Where a request
/// carries both, one good key is enough.
public struct KeyAuth: Plugin {
  /// A key as it is kept: never in the clear.
  public struct Key: Sendable {
    public let name: String
    public let digest: SHA256Digest
    /// What it may do.
    public let permissions: Permissions

    public init(name: String, digest: SHA256Digest, permissions: Permissions = .usual) {
      self.name = name
      self.digest = digest
      self.permissions = permissions
    }
  }

  private let keys: [Key]
  private let seen: SeenKeys

  public init(keys: [Key]) {
    self.keys = keys
    seen = SeenKeys(count: keys.count)
  }

  public var name: String { "key_auth" }
  public var phases: Phases { .request }

  public func request(_ exchange: Exchange) -> Verdict {
    if exchange.route == .outside { return .pass }
    var candidate: UnsafeRawBufferPointer?
    if let bearer = exchange.field(.authorization).flatMap(Self.bearer) {
      if let key = find(bearer) { return admit(key, exchange) }
      candidate = bearer
    }
    if let bare = exchange.field(.xAPIKey), bare.count > 0 {
      if let key = find(bare) { return admit(key, exchange) }
      candidate = candidate ?? bare
    }
    guard let candidate else { return .fail(Failure(.downstream, .noKey)) }
    return .fail(Failure(.downstream, .badKey(Self.redacted(candidate))))
  }

  private func admit(_ key: Key, _ exchange: Exchange) -> Verdict {
    exchange.principal = key.name
    guard let missing = key.permissions.missing(for: exchange.method) else { return .pass }
    return .fail(Failure(.downstream, .forbidden(permission: missing)))
  }

  /// A key that was good before is known again by its tag. Of any other every key's digest is compared, each in the same
  /// time: nothing is learned about a key from how long it took to be refused.
  private func find(_ secret: UnsafeRawBufferPointer) -> Key? {
    let tag = seen.tag(of: secret)
    if let index = seen.find(tag), index < keys.count { return keys[index] }
    let digest = SHA256Digest(hashing: secret)
    var found: Int?
    for index in keys.indices where keys[index].digest == digest { found = index }
    guard let found else { return nil }
    seen.keep(tag, found)
    return keys[found]
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

  /// Enough of a key for its owner to know it by, and not more.
  static func redacted(_ secret: UnsafeRawBufferPointer) -> String {
    guard secret.count >= 12, secret.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return "***" }
    let first = String(decoding: secret.prefix(3), as: UTF8.self)
    let last = String(decoding: secret.suffix(4), as: UTF8.self)
    return "\(first)***\(last)"
  }
}
