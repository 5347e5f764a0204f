// What the file holds, and which version of it. A file of another program, or of a newer version of this one, is left alone.

import GRDB

enum Schema {
  /// What this program knows.
  static let version = 1
  /// In the header of SQLite's file, so that file(1) and we tell it from other databases: "SLKY".
  static let application = 0x534C_4B59

  /// Throws when the database is not one of ours, or one that we are too old for, or empty where none is to be made. Reads
  /// only.
  static func check(_ db: Database, _ path: String, _ creating: Bool) throws {
    let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    let program = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
    if program == application {
      guard found <= version else {
        throw KeyStoreError(
          .newer, path,
          "made by a newer version of sluice (layout \(found), this one knows \(version)); run that version, or restore a backup"
        )
      }
      return
    }
    let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
    if program == 0, found == 0, tables == 0, !creating { throw KeyStoreError.empty(path) }
    guard program == 0, found == 0, tables == 0 else {
      throw KeyStoreError(
        .foreign, path, "found a database of another program; name another file, which is made when it is missing")
    }
  }

  /// Brings the database to our version: all of it, or nothing.
  static func prepare(_ db: Database, _ path: String, _ creating: Bool) throws {
    guard try Int.fetchOne(db, sql: "PRAGMA user_version") != version else { return }
    try db.inTransaction(.immediate) {
      // Another process may have done it while this one waited.
      try check(db, path, creating)
      if try Int.fetchOne(db, sql: "PRAGMA user_version") == 0 { try create(db) }
      return .commit
    }
  }

  private static func create(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE keys (
          id TEXT PRIMARY KEY NOT NULL,
          kind TEXT NOT NULL CHECK (kind IN ('key', 'session')),
          parent TEXT,                    -- of a session: the key it began with, or file:NAME:DIGEST
          name TEXT NOT NULL,
          digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),  -- SHA-256 of the secret
          hint TEXT NOT NULL,             -- the secret's first characters
          permissions TEXT NOT NULL,      -- words with spaces between them
          models TEXT,                    -- a JSON array of names; NULL is all
          account TEXT,
          created_at INTEGER NOT NULL,    -- seconds since 1970, as all times
          expires_at INTEGER,
          revoked_at INTEGER,
          previous_digest BLOB UNIQUE,    -- of the secret before the last rotation
          previous_until INTEGER
        ) STRICT;
        CREATE INDEX keys_by_parent ON keys (parent) WHERE parent IS NOT NULL;
        PRAGMA application_id = \(application);
        PRAGMA user_version = \(version);
        """)
  }
}
