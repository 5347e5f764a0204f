import Foundation
import GRDB
import Glibc
import Testing

@testable import KeyStore

@Suite("The store's file")
struct FileTests {
  let place: Place

  init() throws { place = try Place() }

  @Test("is made when it is missing, and only its owner may read it or what is beside it")
  func modes() throws {
    let store = try place.open()
    _ = try store.create(NewKey(name: "a"))
    #expect([place.mode(), place.mode("-wal"), place.mode("-shm")] == [0o600, 0o600, 0o600])
  }

  @Test("is in WAL mode, and a commit is on the disk before it is told")
  func settings() throws {
    let store = try place.open()
    func said(_ pragma: String) throws -> String? {
      try store.pool.writeWithoutTransaction { try String.fetchOne($0, sql: "PRAGMA \(pragma)") }
    }
    #expect(try said("journal_mode") == "wal")
    #expect(try said("synchronous") == "2")
    #expect(try said("cache_size") == "-256")
    #expect(try said("busy_timeout") == "5000")
    let ofReaders = try store.pool.read { try Int.fetchOne($0, sql: "PRAGMA busy_timeout") }
    #expect(ofReaders == 5000)
  }

  @Test("keeps its keys when it is opened again, also one that was opened by nobody but us and then left alone")
  func again() throws {
    let secret = try place.open().create(NewKey(name: "a")).secret
    #expect(try place.open(creating: false).find(secret)?.name == "a")
  }

  @Test("is not made where nobody asked for it")
  func missing() {
    let error = place.problem(creating: false)
    #expect(error?.kind == .missing && error?.description.contains("no such file") == true)
    #expect(place.mode() == nil)
  }

  @Test("that is no database, or a cut one, is left as it is and told", arguments: ["garbage", "SQLite format 3\0"])
  func noDatabase(text: String) throws {
    let text = String(repeating: text, count: 200)
    try place.write(text)
    let error = place.problem()
    #expect(error?.kind == .damaged, "\(String(describing: error))")
    #expect(error?.description.hasPrefix(place.path + ": ") == true)
    #expect(try String(contentsOfFile: place.path, encoding: .utf8) == text)
  }

  @Test("that is damaged in the middle is told when that is read")
  func damaged() throws {
    do {
      try place.open().writeNow { table in
        for index in 0..<200 { _ = try table.create(NewKey(name: "key \(index)"), now: 1) }
      }
    }
    let file = try #require(FileHandle(forUpdatingAtPath: place.path))
    let size = try file.seekToEnd()
    try file.seek(toOffset: 4096)
    try file.write(contentsOf: Data(repeating: 0xA5, count: Int(size) - 4096))
    try file.close()
    let error = problem {
      let store = try place.open()
      _ = try store.list()
      _ = try store.create(NewKey(name: "more"))
    }
    #expect(error?.kind == .damaged, "\(String(describing: error))")
  }

  @Test("of another program is not touched")
  func foreign() throws {
    try place.other().write { try $0.execute(sql: "CREATE TABLE their (own)") }
    let before = try Data(contentsOf: URL(filePath: place.path))
    #expect(place.problem()?.kind == .foreign)
    #expect(try Data(contentsOf: URL(filePath: place.path)) == before)
  }

  @Test("of a newer version is not touched")
  func newer() throws {
    _ = try place.open()
    try place.other().write { try $0.execute(sql: "PRAGMA user_version = 2") }
    let error = place.problem()
    #expect(error?.kind == .newer && error?.description.contains("layout 2, this one knows 1") == true)
    let version = try place.other().read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
    #expect(version == 2)
  }

  @Test("that is a directory, or is to be where there is none, is told")
  func directory() throws {
    try FileManager.default.createDirectory(atPath: place.path, withIntermediateDirectories: false)
    #expect(place.problem()?.description.contains("found a directory, expected a file") == true)
    let nowhere = problem { _ = try KeyStore.open(place.directory + "/none/keys.db", creating: true) }
    #expect(nowhere?.kind == .missing && nowhere?.description.contains("make that directory") == true)
  }

  @Test("may be called what SQLite takes for something else")
  func oddNames() throws {
    for name in [":memory:", "file:x?mode=ro", "a b'c"] {
      let path = place.directory + "/" + name
      let secret = try KeyStore.open(path, creating: true).create(NewKey(name: "a")).secret
      #expect(try KeyStore.open(path, creating: false).find(secret) != nil)
    }
  }

  @Test("that is empty becomes a store only where one is to be made, and else is left as it is", arguments: [0, 4096])
  func empty(size: Int) throws {
    if size == 0 {
      try place.write("")
    } else {
      // One page of a database that nothing was ever put into.
      try place.other().writeWithoutTransaction { try $0.execute(sql: "VACUUM") }
    }
    let before = try Data(contentsOf: URL(filePath: place.path))
    let error = place.problem(creating: false)
    #expect(error?.kind == .damaged && error?.description.contains("an empty file") == true)
    #expect(try Data(contentsOf: URL(filePath: place.path)) == before)
    #expect(try place.open().list() == [])
  }

  @Test("that is a link to nowhere is told as one, whoever asks")
  func link() throws {
    #expect(symlink(place.directory + "/none", place.path) == 0)
    for creating in [true, false] {
      let error = place.problem(creating: creating)
      #expect(error?.kind == .missing && error?.description.contains("a symbolic link that leads to no file") == true)
    }
    unlink(place.path)
    #expect(symlink(place.path, place.path) == 0)
    let loop = place.problem()
    #expect(loop?.kind == .unusable && loop?.description.contains("a symbolic link") == true)
  }

  @Test("that may not be written to is told", .enabled(if: geteuid() != 0))
  func readOnly() throws {
    _ = try place.open()
    chmod(place.path, 0o400)
    #expect(place.problem()?.kind == .unusable)
    chmod(place.path, 0o600)
    chmod(place.directory, 0o500)
    defer { chmod(place.directory, 0o700) }
    #expect(place.problem()?.kind == .unusable)
  }

  @Test("that cannot be made is told, whoever asks")
  func cannotBeMade() {
    let error = problem { _ = try KeyStore.open("/sys/kernel/keys.db", creating: true) }
    #expect(error?.kind == .unusable && error?.description.contains("cannot be made") == true)
  }

  @Test("that another has locked for writing can be read, and is written to as soon as that ends")
  func locked() throws {
    let store = try place.open()
    let secret = try store.create(NewKey(name: "a")).secret
    let other = try place.other()
    try other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
    #expect(try store.find(secret) != nil)
    try store.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA busy_timeout = 50") }
    let error = problem { _ = try store.create(NewKey(name: "b")) }
    #expect(error?.kind == .locked && error?.description.contains("locked by another process") == true)
    try other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
    _ = try store.create(NewKey(name: "c"))
    #expect(try store.list().map(\.name) == ["a", "c"])
  }

  @Test("whose disk is full keeps what it has, and takes more when there is room again")
  func full() throws {
    let store = try place.open()
    let secret = try store.create(NewKey(name: "first")).secret
    try store.pool.writeWithoutTransaction { db in
      _ = try Int.fetchOne(db, sql: "PRAGMA max_page_count = 9")
    }
    var error: KeyStoreError?
    var kept = 1
    for index in 0..<500 where error == nil {
      error = problem { _ = try store.create(NewKey(name: "key \(index)")) }
      if error == nil { kept += 1 }
    }
    #expect(error?.kind == .full && error?.description.contains("nothing was changed") == true)
    #expect(try store.list().count == kept && store.find(secret) != nil)
    try store.pool.writeWithoutTransaction { db in _ = try Int.fetchOne(db, sql: "PRAGMA max_page_count = 1000") }
    _ = try store.create(NewKey(name: "last"))
    #expect(try store.list().count == kept + 1)
  }

  @Test("is made once when several begin at the same moment")
  func together() async throws {
    try await withThrowingTaskGroup(of: String.self) { group in
      for index in 0..<8 {
        group.addTask { try place.open().create(NewKey(name: "key \(index)")).secret }
      }
      for try await secret in group { #expect(try place.open().find(secret) != nil) }
    }
    #expect(try place.open().list().count == 8)
  }
}
