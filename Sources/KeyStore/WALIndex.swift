// How the store is watched: the header of SQLite's WAL index, which every process that has the store open shares in memory.
// A commit can be seen by others exactly when it has been written there, so whoever finds it unchanged knows that nothing
// was committed, for the price of a few loads. Why not otherwise: KeyStore.docc, "How the store is watched".

import GRDB
import GRDBSQLite
import Synchronization

/// A look at both copies of the WAL index's header (sqlite.org/walformat.html, "The WAL-Index Header").
///
/// It is SQLite's own mapping of the `-shm` file that is looked at. Mapping it once more would take a descriptor of our own,
/// and closing that one would drop all locks that SQLite has on the file (fcntl(2): locks go with the first close).
struct WALIndex: @unchecked Sendable {
  // SAFETY of @unchecked: the memory is only read, and how it may change meanwhile is told at `version`.

  /// What the header said: counter of changes, frames, pages, checksums, salts, twice. In words of eight bytes, not in
  /// vectors: a value that must lie at a multiple of 32 bytes and is kept over an `await` is written behind the end of the
  /// task's frame by the compiler of Swift 6.3.
  struct Version: Equatable {
    fileprivate typealias Copy = (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
    fileprivate let first: Copy
    fileprivate let second: Copy

    static func == (one: Version, other: Version) -> Bool { one.first == other.first && one.second == other.second }
  }

  // SAFETY: SQLite keeps this mapping until the last connection of the process to the file is closed. The store has one for
  // as long as it lives, and nobody looks without it: see `StoredKeys`. That the file stays as large as what is mapped of it
  // is a precondition, as it is for SQLite itself: to look behind the end of a file that somebody has cut is SIGBUS. Its
  // size is looked at once a second (`KeyStore.isInPlace`), which makes that rare, not impossible.
  private let base: UnsafeRawPointer
  /// WALINDEX_PGSZ, the size of each region; the first of them is mapped.
  static let byteCount = 32_768

  /// Nil where the connection shares no WAL index with others, as on a file system without shared memory.
  init?(_ db: Database) {
    guard let connection = db.sqliteConnection else { return nil }
    var file: UnsafeMutablePointer<sqlite3_file>?
    // SAFETY: the operation writes one pointer, to the file of the connection's database, which lives as long as it.
    let answer = withUnsafeMutablePointer(to: &file) {
      sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, $0)
    }
    guard answer == SQLITE_OK, let file, let methods = file.pointee.pMethods?.pointee, methods.iVersion >= 2,
      let map = methods.xShmMap
    else { return nil }
    var region: UnsafeMutableRawPointer?
    // SAFETY: asks for the region 0, which the connection has mapped when it first read, in its own size; nothing is
    // extended.
    guard map(file, 0, Int32(Self.byteCount), 0, &region) == SQLITE_OK, let region else { return nil }
    base = UnsafeRawPointer(region)
  }

  /// What the header says now.
  ///
  /// The loads are plain ones, and another process may be writing at the same time. What is torn then differs from what was
  /// there before and from what will be there in the end, so whoever compares it drops what it remembers, and that is all:
  /// answers are read by SQLite, which has its own way of telling a torn header.
  var version: Version {
    // What was in the request that is being looked at was read before this.
    atomicMemoryFence(ordering: .acquiring)
    return Version(first: copy(at: 0), second: copy(at: 48))
  }

  private func copy(at offset: Int) -> Version.Copy {
    func word(_ index: Int) -> UInt64 {
      // SAFETY: both copies are within the first 96 bytes of the region; for its life see `base`.
      base.loadUnaligned(fromByteOffset: offset + 8 * index, as: UInt64.self)
    }
    return (word(0), word(1), word(2), word(3), word(4), word(5))
  }
}
