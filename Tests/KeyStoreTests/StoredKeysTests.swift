import Foundation
import GRDB
import Glibc
import Plugins
import Reactor
import Synchronization
import Testing

@testable import KeyStore

@Suite("The store as a source of credentials")
struct StoredKeysTests {
  final class Journal: Sendable {
    private let notices = Mutex<[StoredKeys.Notice]>([])
    func add(_ notice: StoredKeys.Notice) { notices.withLock { $0.append(notice) } }
    var all: [StoredKeys.Notice] { notices.withLock { $0 } }
  }

  final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
  }

  let place: Place
  let journal = Journal()
  let keys: StoredKeys
  let memo: KeyMemo
  /// Another process's connection, as `sluice keys` has one.
  let other: KeyStore

  init() throws {
    place = try Place()
    keys = try StoredKeys(path: place.path) { [journal] in journal.add($0) }
    memo = keys.memo(ofCore: 0)
    other = try place.open()
  }

  func tag(_ secret: String) -> UInt64 { Array(secret.utf8).withUnsafeBytes { CredentialTag.of($0) } }

  /// The name of whoever is found; nil for nobody.
  func look(_ secret: String, _ kind: Credential.Kind = .bearer) async throws -> String? {
    switch try await keys.look(for: secret, tag(secret), kind, memo, at: Machine.monotonicNanoseconds()) {
    case .known(let identity): return identity.name
    default: return nil
    }
  }

  func problem(_ secret: String) async -> KeyStoreError.Kind? {
    do {
      _ = try await look(secret)
      return nil
    } catch { return (error as? KeyStoreError)?.kind }
  }

  @Test("what was found is remembered until somebody commits, through whatever connection")
  func watched() async throws {
    let made = try other.create(NewKey(name: "alice"))
    #expect(memo.identity(tag(made.secret)) == nil)
    #expect(try await look(made.secret) == "alice")
    #expect(memo.identity(tag(made.secret))?.name == "alice")
    // A read of another is no commit.
    _ = try other.list()
    #expect(memo.identity(tag(made.secret))?.name == "alice")
    _ = try other.create(NewKey(name: "bob"))
    #expect(memo.identity(tag(made.secret)) == nil && memo.count == 0)
    #expect(try await look(made.secret) == "alice")
    _ = try other.revoke("alice")
    #expect(memo.identity(tag(made.secret)) == nil)
    #expect(try await look(made.secret) == nil)
    #expect(memo.count == 0)
  }

  @Test("a commit is seen whatever becomes of the log: checkpoints, a log begun anew, a connection that ends")
  func checkpoints() async throws {
    let made = try other.create(NewKey(name: "alice"))
    for mode in ["PASSIVE", "FULL", "RESTART", "TRUNCATE"] {
      #expect(try await look(made.secret) == "alice")
      try await place.other().writeWithoutTransaction { try $0.execute(sql: "PRAGMA wal_checkpoint(\(mode))") }
      #expect(try await look(made.secret) == "alice")
      let sacrifice = try other.create(NewKey(name: "short"))
      #expect(try await look(sacrifice.secret) == "short")
      do { _ = try place.open().revoke(sacrifice.key.id) }
      #expect(memo.identity(tag(sacrifice.secret)) == nil, "\(mode)")
      #expect(try await look(sacrifice.secret) == nil)
    }
  }

  @Test("a commit between the look at the version and the answer is not missed")
  func between() async throws {
    let store = try place.open()
    let made = try other.create(NewKey(name: "alice"))
    let index = try #require(store.index)
    let before = index.version
    #expect(index.version == before)
    _ = try other.revoke("alice")
    #expect(index.version != before)
    // What was read in front of it comes too late to be kept.
    memo.keep(Identity(name: "alice"), tag(made.secret), index, before) { true }
    #expect(memo.identity(tag(made.secret)) == nil)
    memo.keep(Identity(name: "alice"), tag(made.secret), index, index.version) { false }
    #expect(memo.identity(tag(made.secret)) == nil)
  }

  @Test("a revoked key is refused at once, however many ask while it is revoked")
  func race() async throws {
    for round in 0..<12 {
      let made = try other.create(NewKey(name: "key \(round)"))
      let revoked = Flag()
      let tag = tag(made.secret)
      await withTaskGroup(of: Int.self) { group in
        for core in 0..<2 {
          group.addTask {
            // Each with a memo of its own, as cores have. Counts answers that were good behind the revocation.
            let memo = keys.memo(ofCore: core)
            var wrong = 0
            for _ in 0..<400 {
              let wasRevoked = revoked.isSet
              var isGood = memo.identity(tag) != nil
              if !isGood {
                if case .known? = try? await keys.look(for: made.secret, tag, .bearer, memo, at: 0) { isGood = true }
              }
              if wasRevoked, isGood { wrong += 1 }
              if wasRevoked { break }
            }
            return wrong
          }
        }
        group.addTask {
          _ = try? other.revoke(made.key.id)
          revoked.set()
          return 0
        }
        for await wrong in group { #expect(wrong == 0) }
      }
    }
  }

  @Test("what is remembered is bounded, what was asked for of late stays, and a change throws all of it away")
  func bounded() async throws {
    let store = try place.open()
    let index = try #require(store.index)
    let version = index.version
    for tag in 1...UInt64(KeyMemo.entriesMax * 3) {
      memo.keep(Identity(name: "a"), tag, index, version) { true }
      #expect(memo.count <= KeyMemo.entriesMax && memo.identity(1) != nil)
    }
    #expect(memo.identity(2) == nil && memo.identity(UInt64(KeyMemo.entriesMax * 3)) != nil)
    _ = try other.create(NewKey(name: "alice"))
    #expect(memo.identity(1) == nil && memo.count == 0)
    memo.clear()
    #expect(memo.count == 0 && memo.identity(1) == nil)
  }

  @Test("a store that was taken away lets nobody in, is told once, and is used again when it is back")
  func takenAway() async throws {
    let made = try other.create(NewKey(name: "alice"))
    #expect(try await look(made.secret) == "alice")
    // A copy as SQLite makes one, whole and in one file.
    let copy = place.directory + "/copy"
    try await other.pool.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [copy]) }
    for suffix in ["", "-wal", "-shm"] { unlink(place.path + suffix) }
    for _ in 0..<3 { #expect(await problem(made.secret) == .missing) }
    #expect(memo.identity(tag(made.secret)) == nil && place.mode() == nil)
    guard case .trouble(let words)? = journal.all.first else {
      Issue.record("nothing was told")
      return
    }
    #expect(words.contains("no such file") && journal.all.count == 1)
    #expect(rename(place.directory + "/copy", place.path) == 0)
    try await until { try await look(made.secret) == "alice" }
    #expect(journal.all.count == 2 && journal.all.last == .mended("\(place.path): the key store is usable again"))
    // And it is watched again.
    _ = try place.open().revoke("alice")
    #expect(try await look(made.secret) == nil)
  }

  @Test("an empty file in its place lets nobody in, and is not made a store")
  func emptied() async throws {
    let made = try other.create(NewKey(name: "alice"))
    #expect(try await look(made.secret) == "alice")
    try place.write("", to: "empty")
    for suffix in ["-wal", "-shm"] { unlink(place.path + suffix) }
    #expect(rename(place.directory + "/empty", place.path) == 0)
    for _ in 0..<3 { #expect(await problem(made.secret) == .damaged) }
    #expect(journal.all.count == 1)
    #expect(try Data(contentsOf: URL(filePath: place.path)).isEmpty)
  }

  @Test("another store in its place is taken for what it is")
  func replaced() async throws {
    let made = try other.create(NewKey(name: "alice"))
    #expect(try await look(made.secret) == "alice")
    let another = try Place()
    let bob = try another.open().create(NewKey(name: "bob"))
    for suffix in ["-wal", "-shm"] { unlink(place.path + suffix) }
    #expect(rename(another.path, place.path) == 0)
    #expect(try await look(bob.secret) == "bob")
    #expect(try await look(made.secret) == nil && memo.identity(tag(made.secret)) == nil)
    #expect(journal.all == [])
  }

  @Test("a store that is spoilt where it stands lets nobody in, and is used again when it was mended")
  func spoilt() async throws {
    let made = try other.create(NewKey(name: "alice"))
    #expect(try await look(made.secret) == "alice")
    let copy = place.directory + "/copy"
    try await other.pool.writeWithoutTransaction { db in
      try db.execute(sql: "VACUUM INTO ?", arguments: [copy])
      try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
    }
    // Another inode with nonsense in it.
    for suffix in ["-wal", "-shm"] { unlink(place.path + suffix) }
    try place.write(String(repeating: "nonsense", count: 1000), to: "nonsense")
    #expect(rename(place.directory + "/nonsense", place.path) == 0)
    for _ in 0..<3 { #expect(await problem(made.secret) == .damaged) }
    #expect(journal.all.count == 1)
    #expect(rename(place.directory + "/copy", place.path) == 0)
    try await until { try await look(made.secret) == "alice" }
    #expect(journal.all.count == 2)
  }

  @Test("a session of the configuration's key ends when that is not configured any more")
  func configured() async throws {
    let key = ConfiguredKeys.Key(
      digest: SHA256Digest(hashing: "sk-admin"), holder: Identity(name: "admin", permissions: .all))
    let session = try other.writeNow {
      var new = NewKey(name: "admin")
      new.permissions = .all
      return try $0.create(new, kind: .session, parent: StoredKeys.mark(key), now: KeyStore.now)
    }
    #expect(try await look(session.secret, .session) == nil)
    keys.adopt(configured: [key])
    #expect(try await look(session.secret, .session) == "admin")
    #expect(try await look(session.secret) == nil)
    keys.adopt(configured: [])
    #expect(try await look(session.secret, .session) == nil)
    // Another secret under the same name is another key.
    keys.adopt(configured: [.init(digest: SHA256Digest(hashing: "else"), holder: key.holder)])
    #expect(try await look(session.secret, .session) == nil)
  }

  @Test("a session of a key that was removed does not come back with it, whenever the store can be written to")
  func removedForGood() async throws {
    let key = ConfiguredKeys.Key(
      digest: SHA256Digest(hashing: "sk-admin"), holder: Identity(name: "admin", permissions: .all))
    func begin() throws -> NewSecret {
      try other.writeNow {
        try $0.create(NewKey(name: "admin"), kind: .session, parent: StoredKeys.mark(key), now: KeyStore.now)
      }
    }
    let session = try begin()
    keys.adopt(configured: [key])
    #expect(try await look(session.secret, .session) == "admin")
    let locking = try place.other()
    try await locking.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
    keys.adopt(configured: [])
    keys.adopt(configured: [key])
    #expect(try await look(session.secret, .session) == nil)
    try await locking.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
    try await until { try other.find(session.secret) == nil }
    // One that begins from now on is another one.
    let later = try begin()
    try await until { try await look(later.secret, .session) == "admin" }
    #expect(try await look(session.secret, .session) == nil)
  }

  @Test("a session that is looked for while its key is removed from the configuration is not remembered")
  func removedMeanwhile() async throws {
    let key = ConfiguredKeys.Key(
      digest: SHA256Digest(hashing: "sk-admin"), holder: Identity(name: "admin", permissions: .all))
    let session = try other.writeNow {
      try $0.create(NewKey(name: "admin"), kind: .session, parent: StoredKeys.mark(key), now: KeyStore.now)
    }
    for _ in 0..<300 {
      keys.adopt(configured: [key])
      async let found = try? look(session.secret, .session)
      await Task.yield()
      keys.adopt(configured: [])
      _ = await found
      #expect(memo.identity(tag(session.secret)) == nil)
    }
  }

  private func until(_ condition: () async throws -> Bool) async throws {
    let end = Date(timeIntervalSinceNow: 10)
    while Date() < end {
      if (try? await condition()) == true { return }
      try await Task.sleep(nanoseconds: 20_000_000)
    }
    Issue.record("did not become true within 10 seconds")
  }
}
