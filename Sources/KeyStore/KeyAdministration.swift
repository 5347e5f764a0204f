// The keys' own part of the API, below every prefix: list, make, rotate and revoke them, and begin and end sessions. For
// holders of a key with `admin`; what is written to the store is written off the loop.

import Gateway
import Plugins
import Reactor
import Wire

/// Answers `/admin/keys…` and `/admin/sessions` below the prefixes of the API. Stands behind ``Plugins/Auth``.
///
/// | | |
/// |---|---|
/// | `GET /admin/keys` | all keys, without secrets |
/// | `POST /admin/keys` | makes one: `name`, and perhaps `permissions`, `models`, `account`, `expires_at`; 201 with `key` |
/// | `POST /admin/keys/{id}/rotate` | a new secret; the old one stays good for `grace_seconds` |
/// | `DELETE /admin/keys/{id}` | revokes it |
/// | `POST /admin/sessions` | begins a session for a web page, in a cookie |
/// | `DELETE /admin/sessions` | ends it; shown with a key, all that began with it |
public struct KeyAdministration: Plugin {
  let keys: StoredKeys
  /// Those of the configuration.
  public let configuredKeys: [ConfiguredKeys.Key]
  /// Marks of the configuration's keys, by their holders: what sessions keep that began with one.
  let configured: [ObjectIdentifier: String]

  /// - Parameter configured: the configuration's keys, which may begin sessions as well.
  public init(keys: StoredKeys, configured: [ConfiguredKeys.Key] = []) {
    self.keys = keys
    configuredKeys = configured
    self.configured = Dictionary(
      configured.map { (ObjectIdentifier($0.holder), StoredKeys.mark($0)) }, uniquingKeysWith: { first, _ in first })
  }

  public var name: String { "key_administration" }
  public var phases: Phases { [.request, .body, .finished] }
  /// The last change that may begin waits five seconds more for another process: all of them are told what became of them.
  public var waitMax: UInt64 { 15_000_000_000 }
  /// For how long a change may begin, in nanoseconds.
  static let changeAge: UInt64 = 9_000_000_000

  /// What is asked for.
  enum Deed: Equatable {
    case list, create, beginSession, endSession
    case rotate(String)
    case revoke(String)

    /// Whether it is done once the body is there.
    var readsBody: Bool {
      switch self {
      case .create, .rotate, .beginSession: true
      case .list, .revoke, .endSession: false
      }
    }
  }

  /// A path of ours, whatever the method.
  enum Place: Equatable {
    case keys, sessions, unknown
    case key(String)
    case rotation(String)
  }

  public func request(_ exchange: Exchange) -> Verdict {
    guard let place = Self.place(exchange) else { return .pass }
    switch Self.deed(place, exchange.method) {
    case .failure(let failure): return .fail(failure)
    case .success(let deed):
      guard exchange.identity?.permissions.contains(.admin) ?? false else { return .fail(Refused.forbidden.failure) }
      if let refused = KeyRequest.refusal(ofBody: exchange) { return .fail(refused.failure) }
      return deed.readsBody ? .pass : .wait
    }
  }

  public func body(_ exchange: Exchange) -> Verdict {
    guard let place = Self.place(exchange) else { return .pass }
    guard case .success(let deed) = Self.deed(place, exchange.method), deed.readsBody else {
      return .fail(Failure(.downstream, .unknownPath))
    }
    return .wait
  }

  public func wait(in phase: Phases, _ exchange: Exchange, on loop: isolated LoopActor) async throws -> Verdict {
    guard let place = Self.place(exchange), case .success(let deed) = Self.deed(place, exchange.method) else {
      return .pass
    }
    do throws(Refused) {
      return .reply(try await answer(deed, exchange))
    } catch {
      return .fail(error.failure)
    }
  }

  public func finished(_ exchange: Exchange) {
    guard exchange.hasNote(of: Self.self) else { return }
    exchange.note(Self.self, as: Patience.self)?.lose()
  }

  private func answer(_ deed: Deed, _ exchange: Exchange) async throws(Refused) -> Reply {
    guard let identity = exchange.identity else { throw .forbidden }
    let (now, caller) = (KeyStore.now, caller(identity, exchange))
    switch deed {
    case .list:
      return KeyAnswer.reply(KeyAnswer.list(try await ask { try $0.all() }, now))
    case .create:
      let new = try KeyRequest(exchange).newKey(now)
      let created = try await change(caller) { table, _ in try table.create(new, now: now) }
      return KeyAnswer.reply(KeyAnswer.object(created, now), status: 201)
    case .rotate(let id):
      let grace = try KeyRequest(exchange).grace()
      let rotated = try await change(caller) { table, _ in
        try table.rotate(try table.key(id: id), grace: grace, now: now)
      }
      return KeyAnswer.reply(KeyAnswer.object(rotated, now))
    case .revoke(let id):
      let revoked = try await change(caller) { table, _ in try table.revoke(try table.key(id: id), now: now) }
      return KeyAnswer.reply(KeyAnswer.object(revoked, now))
    case .beginSession: return try await beginSession(exchange, identity, caller, now)
    case .endSession: return try await endSession(exchange, caller)
    }
  }

  // MARK: The store

  func ask<Value: Sendable>(
    _ question: @escaping @Sendable (KeyTable) throws -> Value
  ) async throws(Refused) -> Value {
    do throws(KeyStoreError) {
      return try await keys.using { (store, _) throws(KeyStoreError) in try await store.read(question) }
    } catch {
      throw Refused(error)
    }
  }

  /// Does `change` if `caller` may still have it, whose row in the store is handed over: it is asked within the same
  /// transaction, since whoever was let in with a request's head may have been revoked before its body had come.
  func change<Value: Sendable>(
    _ caller: Caller, _ change: @escaping @Sendable (KeyTable, _ caller: StoredKey?) throws -> Value
  ) async throws(Refused) -> Value {
    let keys = keys
    do throws(KeyStoreError) {
      return try await keys.using { (store, _) throws(KeyStoreError) in
        try await store.write(caller.patience) {
          try change($0, try $0.check(caller.who, isConfigured: keys.isConfigured))
        }
      }
    } catch {
      throw Refused(error)
    }
  }

  // MARK: Paths

  static func place(_ exchange: Exchange) -> Place? {
    guard case .other = exchange.route, exchange.surface.isAPI else { return nil }
    return place(exchange.path.dropFirst(exchange.surface.prefixCount))
  }

  /// The place that a path behind its prefix names; nil where it is none of ours. What is below ours and means nothing is
  /// ours as well, so that no backend is asked for it.
  static func place(_ path: ArraySlice<UInt8>) -> Place? {
    let words = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
    guard words.count >= 2, let first = words.first, first.elementsEqual("admin".utf8) else { return nil }
    let rest = words.dropFirst().map { String(decoding: $0, as: UTF8.self) }
    switch (rest.first, rest.count) {
    case ("keys", 1): return .keys
    case ("keys", 2) where !rest[1].isEmpty: return .key(rest[1])
    case ("keys", 3) where !rest[1].isEmpty && rest[2] == "rotate": return .rotation(rest[1])
    case ("sessions", 1): return .sessions
    case ("keys", _), ("sessions", _): return .unknown
    default: return nil
    }
  }

  static func deed(_ place: Place, _ method: Method) -> Result<Deed, Failure> {
    switch (place, method) {
    case (.keys, .get), (.keys, .head): return .success(.list)
    case (.keys, .post): return .success(.create)
    case (.key(let id), .delete): return .success(.revoke(id))
    case (.rotation(let id), .post): return .success(.rotate(id))
    case (.sessions, .post): return .success(.beginSession)
    case (.sessions, .delete): return .success(.endSession)
    case (.unknown, _): return .failure(Failure(.downstream, .unknownPath))
    case (.keys, _): return .failure(Failure(.downstream, .method(allowed: "GET, HEAD, POST")))
    case (.key, _): return .failure(Failure(.downstream, .method(allowed: "DELETE")))
    case (.rotation, _): return .failure(Failure(.downstream, .method(allowed: "POST")))
    case (.sessions, _): return .failure(Failure(.downstream, .method(allowed: "POST, DELETE")))
    }
  }
}

/// Why a deed was not done, as a client is told.
struct Refused: Error {
  let failure: Failure

  init(_ failure: Failure) { self.failure = failure }

  /// Who asks may not manage keys, or not any more.
  static let forbidden = Refused(Failure(.downstream, .forbidden(permission: "admin")))

  /// A parameter that cannot be what it should be.
  init(_ param: String, _ message: String) {
    let words = Failure.Refusal(status: 400, message: message, code: "invalid_parameter", param: param)
    failure = Failure(.downstream, .refused(words))
  }

  /// What the store says. Only what is about the key itself is a client's business.
  init(_ error: KeyStoreError) {
    switch error.kind {
    case .noSuchKey:
      let words = Failure.Refusal(status: 404, message: "There is no such key.", code: "key_not_found", param: "id")
      failure = Failure(.downstream, .refused(words))
    case .over, .ambiguous:
      let words = Failure.Refusal(
        status: 400, message: "The key is revoked or has expired.", code: "key_not_active", param: "id")
      failure = Failure(.downstream, .refused(words))
    case .forbidden: self = .forbidden
    case .missing, .unusable, .locked, .full, .damaged, .foreign, .newer, .replaced, .abandoned, .failed:
      let words = Failure.Refusal(
        status: 503, message: "The keys cannot be read or changed at the moment. Please try again.",
        code: "key_store_unavailable")
      failure = Failure(.own, .refused(words), detail: error.description)
    }
  }
}
