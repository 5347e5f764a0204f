// Where credentials are known from. Auth asks its sources in turn, first from memory, then those that must look.

import Gateway
import Reactor

/// What a client shows, borrowed from the request's head.
public struct Credential {
  public enum Kind: Sendable {
    /// The token of `Authorization: Bearer`.
    case bearer
    /// The value of `x-api-key`.
    case apiKey
    /// The value of the session's cookie.
    case session
  }

  public let kind: Kind
  public let bytes: UnsafeRawBufferPointer
  /// Stands for the bytes in tables: see ``CredentialTag``.
  public let tag: UInt64

  init(_ kind: Kind, _ bytes: UnsafeRawBufferPointer) {
    self.kind = kind
    self.bytes = bytes
    tag = CredentialTag.of(bytes)
  }
}

/// What a source says of a credential, or of a request.
public enum Finding: Sendable {
  case known(Identity)
  /// None of this source's.
  case unknown
  /// This source's, and no good.
  case refused(Failure)
  /// It must look: ask `look`.
  case later
}

/// One place where credentials are known.
public protocol CredentialSource: AnyObject, Sendable {
  /// Whether it wants to be asked about requests that show no credential.
  var judgesRequests: Bool { get }
  /// Says what it knows from memory, without blocking.
  func find(_ credential: Credential, _ exchange: Exchange) -> Finding
  /// Says what it finds, after `find` said `.later`; `secret` is nil for a request that shows no credential. Must not say
  /// `.later`. Throws when it could not be found out: the request is refused with 503 then, and what was thrown is logged.
  func look(
    for secret: String?, _ kind: Credential.Kind?, _ exchange: Exchange, on loop: isolated LoopActor
  ) async throws -> Finding
}

extension CredentialSource {
  public var judgesRequests: Bool { false }
}
