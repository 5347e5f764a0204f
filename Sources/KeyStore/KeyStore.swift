// The store's file, opened: a SQLite database in WAL mode that other processes may have open as well. Errors are values;
// whatever fails changes nothing.

import Foundation
import GRDB
import Glibc

/// Keys that are made and revoked while gateways run.
public final class KeyStore: Sendable {
  /// How long one waits for another process's write.
  static let busySeconds = 5

  /// As it was named.
  public let path: String
  let pool: DatabasePool
  /// Nil where commits of others cannot be watched.
  let index: WALIndex?
  /// The files that were opened: the database, and what its WAL index is in.
  private let opened: [FileIdentity?]

  private init(path: String, pool: DatabasePool, index: WALIndex?) {
    self.path = path
    self.pool = pool
    self.index = index
    opened = Self.identities(path)
  }

  /// Opens the store at `path`; makes it first, with mode 0600, when `creating` and nothing is there. Blocks for as long
  /// as it waits for others, five seconds at most.
  public static func open(_ path: String, creating: Bool) throws(KeyStoreError) -> KeyStore {
    if creating { try makeFile(path) }
    if let problem = KeyStoreError.at(path, creating: creating) { throw problem }
    do {
      let pool = try connected(path, creating)
      try pool.writeWithoutTransaction { db in
        // A key that was shown must still be there after a power cut: each commit is on the disk before it is told.
        try db.execute(sql: "PRAGMA synchronous = FULL")
        try Schema.prepare(db, path, creating)
      }
      let index = try pool.writeWithoutTransaction { db in
        // The WAL index is there once something was read.
        _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM (SELECT 1 FROM keys LIMIT 1)")
        return WALIndex(db)
      }
      return KeyStore(path: path, pool: pool, index: index)
    } catch {
      throw .of(error, path)
    }
  }

  /// Whether the path still names the files that were opened, and the mapped one is as large as its mapping.
  ///
  /// A `-shm` that was cut is as large again afterwards, of zeros: SQLite takes that for a WAL index to be made anew. What
  /// touches memory behind a file's end is killed (SIGBUS), SQLite's own closing of the store as well as any look. By name,
  /// since a descriptor of our own would take SQLite's locks with it when it is closed.
  var isInPlace: Bool {
    guard opened == Self.identities(path) else { return false }
    guard index != nil else { return true }
    let file = path + "-shm"
    var status = stat()
    guard stat(file, &status) == 0, status.st_size < WALIndex.byteCount else { return true }
    _ = truncate(file, off_t(WALIndex.byteCount))
    return false
  }

  /// Throws where it is not in its place.
  func checkPlace() throws(KeyStoreError) {
    guard isInPlace else { throw KeyStoreError(.replaced, path, "another file is in its place") }
  }

  /// The directory that `path` is in.
  static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  // MARK: Asking and changing

  /// Asks, here and now; for who may block.
  func readNow<Value>(_ ask: (KeyTable) throws -> Value) throws(KeyStoreError) -> Value {
    do { return try pool.read { try ask(KeyTable(db: $0)) } } catch { throw .of(error, path) }
  }

  /// Changes all or nothing, here and now; for who may block.
  func writeNow<Value>(_ change: (KeyTable) throws -> Value) throws(KeyStoreError) -> Value {
    do { return try pool.write { try change(KeyTable(db: $0)) } } catch { throw .of(error, path) }
  }

  /// Asks, on a thread of the store's own.
  func read<Value: Sendable>(
    _ ask: @escaping @Sendable (KeyTable) throws -> Value
  ) async throws(KeyStoreError) -> Value {
    // In front of it as well: SQLite looks at its index before we are asked.
    try checkPlace()
    do {
      return try await pool.read { [self] db in
        try checkPlace()
        return try ask(KeyTable(db: db))
      }
    } catch {
      throw .of(error, path)
    }
  }

  /// Changes all or nothing, on a thread of the store's own, and nothing once `patience` is at its end: changes stand in a
  /// queue, and each may wait for another process.
  func write<Value: Sendable>(
    _ patience: Patience? = nil, _ change: @escaping @Sendable (KeyTable) throws -> Value
  ) async throws(KeyStoreError) -> Value {
    do {
      let value = try await pool.writeWithoutTransaction { [self] db in
        try checkPlace()
        try patience?.check(path)
        var value: Value?
        try db.inTransaction(.immediate) {
          try checkPlace()
          // It may have waited for the lock.
          try patience?.check(path)
          value = try change(KeyTable(db: db))
          return .commit
        }
        return value
      }
      guard let value else { throw KeyStoreError(.failed, path, "a change came to nothing") }
      return value
    } catch {
      throw .of(error, path)
    }
  }

  // MARK: Opening

  /// Made by hand, so that nobody else can read it at any time. What SQLite puts beside it has the same mode.
  private static func makeFile(_ path: String) throws(KeyStoreError) {
    let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    if descriptor >= 0 {
      // Nobody in this process can have it open and locked yet: a close would take those locks away.
      _ = Glibc.close(descriptor)
    } else if errno != EEXIST, errno != EISDIR {
      let code = errno
      if code == ENOENT, let problem = KeyStoreError.at(path) { throw problem }
      throw KeyStoreError(
        code == ENOSPC || code == EDQUOT ? .full : .unusable, path, "cannot be made: \(KeyStoreError.reason(code))")
    }
  }

  private static func connected(_ path: String, _ creating: Bool) throws -> DatabasePool {
    var configuration = GRDB.Configuration()
    configuration.label = "key store"
    configuration.maximumReaderCount = 2
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA busy_timeout = \(busySeconds * 1000)")
      // Before anything is changed: what is there must be ours.
      try Schema.check(db, path, creating)
      // In KiB, for each connection; a store of ten thousand keys is ten times as large, and all of it is never needed.
      try db.execute(sql: "PRAGMA cache_size = -256")
    }
    // Turning to WAL mode needs the file for a moment and asks without waiting, so two that begin at once must.
    let patience = Date(timeIntervalSinceNow: TimeInterval(busySeconds))
    // A few names mean something else to SQLite, such as :memory:; none that begins so does.
    let file = path.hasPrefix("/") ? path : "./\(path)"
    while true {
      do {
        return try DatabasePool(path: file, configuration: configuration)
      } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && Date() < patience {
        usleep(20_000)
      }
    }
  }

  private static func identities(_ path: String) -> [FileIdentity?] {
    [FileIdentity(path), FileIdentity(path + "-shm")]
  }
}

/// Which file it is, whatever it is called.
private struct FileIdentity: Hashable, Sendable {
  let device: UInt64
  let inode: UInt64

  /// Nil where there is none.
  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }
}
