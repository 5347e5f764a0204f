// The table of keys: what can be asked and done within one transaction. Everything that is sent to SQLite is bound, never
// put into its text.

import Foundation
import GRDB
import Plugins
import Reactor

/// What a key is made with.
public struct NewKey: Sendable {
  public var name: String
  public var permissions = Permissions.usual
  /// Nil is all.
  public var models: [String]?
  public var account: String?
  /// Seconds since 1970; nil is never.
  public var expiresAt: Int?

  public init(name: String) { self.name = name }
}

/// The keys, for the length of a transaction.
struct KeyTable {
  let db: Database

  // MARK: Asking

  /// Whoever shows the secret with this digest at `now` (seconds since 1970): a key or session that is not revoked. One that
  /// has expired is found as well, and says so.
  func find(_ digest: SHA256Digest, kind: StoredKey.Kind) throws -> Found? {
    let bytes = digest.withBytes { Data($0) }
    let now = try first("WHERE digest = ? AND kind = ? AND revoked_at IS NULL", [bytes, kind.rawValue])
    if let now { return Found(key: now, until: nil) }
    let before = try first(
      "WHERE previous_digest = ? AND kind = ? AND revoked_at IS NULL AND previous_until IS NOT NULL",
      [bytes, kind.rawValue])
    return before.map { Found(key: $0, until: $0.previousUntil) }
  }

  /// A key, and until when the secret that was shown is good for it; nil is as long as the key itself.
  struct Found {
    let key: StoredKey
    let until: Int?
  }

  /// All keys, the oldest first. Sessions are none.
  func all() throws -> [StoredKey] {
    try Row.fetchAll(db, sql: "SELECT * FROM keys WHERE kind = 'key' ORDER BY created_at, rowid").map(key)
  }

  /// The key with this id.
  func key(id: String) throws -> StoredKey {
    guard let key = try keyIfAny(id: id) else {
      throw KeyStoreError(.noSuchKey, "", "there is no key with the id \(id); sluice keys list shows all")
    }
    return key
  }

  /// The key with this id; nil where there is none.
  func keyIfAny(id: String) throws -> StoredKey? { try first("WHERE id = ? AND kind = 'key'", [id]) }

  /// The key with this id, or the only one of this name that is not revoked.
  func key(named text: String) throws -> StoredKey {
    if let key = try keyIfAny(id: text) { return key }
    let found = try Row.fetchAll(
      db, sql: "SELECT * FROM keys WHERE name = ? AND kind = 'key' AND revoked_at IS NULL LIMIT 20", arguments: [text]
    ).map(key)
    guard let key = found.first else {
      throw KeyStoreError(
        .noSuchKey, "", "found no key with the id or name \(printable(text)); sluice keys list shows all")
    }
    guard found.count == 1 else {
      throw KeyStoreError(
        .ambiguous, "",
        "several keys are called \(printable(text)): \(found.map(\.id).joined(separator: ", ")); give the id of one")
    }
    return key
  }

  private func first(_ condition: String, _ arguments: StatementArguments) throws -> StoredKey? {
    let statement = try db.cachedStatement(sql: "SELECT * FROM keys \(condition)")
    return try Row.fetchOne(statement, arguments: arguments).map(key)
  }

  // MARK: Changing

  /// Makes a key, or a session that began with `parent`.
  func create(_ new: NewKey, kind: StoredKey.Kind = .key, parent: String? = nil, now: Int) throws -> NewSecret {
    let secret = Secret.make(kind)
    let key = StoredKey(
      id: Secret.makeID(kind), kind: kind, name: new.name, hint: Secret.hint(secret), permissions: new.permissions,
      models: new.models, account: new.account, createdAt: now, expiresAt: new.expiresAt, revokedAt: nil,
      previousUntil: nil, parent: parent)
    try db.execute(
      sql: """
        INSERT INTO keys (id, kind, parent, name, digest, hint, permissions, models, account, created_at, expires_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        key.id, kind.rawValue, parent, key.name, digest(secret), key.hint,
        key.permissions.words.joined(separator: " "), try models(key.models), key.account, now, key.expiresAt,
      ])
    return NewSecret(key: key, secret: secret)
  }

  /// Ends a key and the sessions that began with it. One that is revoked already stays as it is.
  func revoke(_ key: StoredKey, now: Int) throws -> StoredKey {
    try db.execute(
      sql: """
        UPDATE keys SET revoked_at = ?, previous_digest = NULL, previous_until = NULL
        WHERE id = ? AND revoked_at IS NULL
        """, arguments: [now, key.id])
    try endSessions(of: key.id)
    return try self.key(id: key.id)
  }

  /// Gives a key a new secret. The old one is good for `grace` seconds more, and with 0 for none. Sessions end.
  func rotate(_ key: StoredKey, grace: Int, now: Int) throws -> NewSecret {
    switch key.status(at: now) {
    case .active: break
    case .revoked: throw KeyStoreError(.over, "", "the key \(key.id) is revoked; make another one")
    case .expired: throw KeyStoreError(.over, "", "the key \(key.id) has expired; make another one")
    }
    let secret = Secret.make(key.kind)
    let (until, overflows) = now.addingReportingOverflow(grace)
    try db.execute(
      sql: """
        UPDATE keys SET previous_digest = CASE WHEN ? THEN digest END, previous_until = ?, digest = ?, hint = ?
        WHERE id = ?
        """,
      arguments: [grace > 0, grace > 0 ? (overflows ? .max : until) : nil, digest(secret), Secret.hint(secret), key.id])
    try endSessions(of: key.id)
    return NewSecret(key: try self.key(id: key.id), secret: secret)
  }

  // MARK: Sessions

  /// Ends all sessions that began with `parent`.
  func endSessions(of parent: String) throws {
    try db.execute(sql: "DELETE FROM keys WHERE parent = ? AND kind = 'session'", arguments: [parent])
  }

  /// Ends all sessions that began with `parent` but the `count` that began last.
  func endOldestSessions(of parent: String, downTo count: Int) throws {
    try db.execute(
      sql: """
        DELETE FROM keys WHERE parent = ? AND kind = 'session' AND rowid NOT IN (
          SELECT rowid FROM keys WHERE parent = ? AND kind = 'session' ORDER BY created_at DESC, rowid DESC LIMIT ?)
        """, arguments: [parent, parent, count])
  }

  /// Ends one session.
  func endSession(_ id: String) throws {
    try db.execute(sql: "DELETE FROM keys WHERE id = ? AND kind = 'session'", arguments: [id])
  }

  /// Forgets the sessions whose time is over.
  func sweepSessions(now: Int) throws {
    try db.execute(sql: "DELETE FROM keys WHERE kind = 'session' AND expires_at <= ?", arguments: [now])
  }

  // MARK: Rows

  private func digest(_ secret: String) -> Data { SHA256Digest(hashing: secret).withBytes { Data($0) } }

  private func models(_ names: [String]?) throws -> String? {
    try names.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
  }

  /// A row that this program cannot have written is an error, not a key with some rights.
  private func key(_ row: Row) throws -> StoredKey {
    guard let id = String.fromDatabaseValue(row["id"]), let kindWord = String.fromDatabaseValue(row["kind"]),
      let kind = StoredKey.Kind(rawValue: kindWord), let name = String.fromDatabaseValue(row["name"]),
      let hint = String.fromDatabaseValue(row["hint"]), let words = String.fromDatabaseValue(row["permissions"]),
      let createdAt = Int.fromDatabaseValue(row["created_at"])
    else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a row of the table of keys is no key") }
    var models: [String]?
    if let list = String.fromDatabaseValue(row["models"]) {
      models = try? JSONDecoder().decode([String].self, from: Data(list.utf8))
      guard models != nil else {
        throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the models of \(id) are no list of names")
      }
    }
    return StoredKey(
      id: id, kind: kind, name: name, hint: hint,
      permissions: Permissions(words.split(separator: " ").compactMap { Permissions(word: String($0)) }),
      models: models, account: String.fromDatabaseValue(row["account"]), createdAt: createdAt,
      expiresAt: Int.fromDatabaseValue(row["expires_at"]), revokedAt: Int.fromDatabaseValue(row["revoked_at"]),
      previousUntil: Int.fromDatabaseValue(row["previous_until"]), parent: String.fromDatabaseValue(row["parent"]))
  }

  private func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(text.unicodeScalars.prefix(100).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : $0 }))
  }
}
