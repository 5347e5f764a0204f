import Foundation
import GRDB
import Plugins
import Testing

@testable import KeyStore

@Suite("Keys")
struct KeysTests {
  let place: Place
  let store: KeyStore
  let now = 1_800_000_000

  init() throws {
    place = try Place()
    store = try place.open()
  }

  func new(_ name: String, _ change: (inout NewKey) -> Void = { _ in }) -> NewKey {
    var key = NewKey(name: name)
    change(&key)
    return key
  }

  @Test("a key begins with mp_live_, has 40 letters and digits more, and is found by them alone")
  func created() throws {
    let made = try store.create(new("alice"), now: now)
    #expect(made.secret.hasPrefix("mp_live_") && made.secret.utf8.count == 48)
    #expect(made.secret.dropFirst(8).allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) })
    #expect(made.key.hint == made.secret.prefix(12))
    #expect(made.key.id.hasPrefix("key_") && made.key.id.utf8.count == 20)
    let found = try #require(try store.find(made.secret))
    #expect(found.name == "alice" && found.id == made.key.id && found.permissions == .usual)
    #expect(found.models == nil && found.account == nil && found.expiresAt == nil)
    #expect(try store.find(made.secret + "x") == nil)
    #expect(try store.find(String(made.secret.dropLast())) == nil)
    #expect(try store.find(made.secret.uppercased()) == nil)
  }

  @Test("rights, models and account type come back as they were given")
  func rights() throws {
    let names = ["mistral:7b", "a,b \"c\" \\", "模型"]
    let made = try store.create(
      new("ops") {
        $0.permissions = .all
        $0.models = names
        $0.account = "premium"
        $0.expiresAt = now + 60
      }, now: now)
    let found = try #require(try store.find(made.secret))
    #expect(found.permissions == .all && found.models == Set(names) && found.account == "premium")
    #expect(found.expiresAt == UInt64(now + 60) * 1_000_000_000)
    #expect(try store.list() == [made.key])
  }

  @Test("no two keys are alike, and each character of the alphabet is as likely as any other")
  func random() throws {
    var counts: [Character: Int] = [:]
    var seen: Set<String> = []
    for _ in 0..<5000 {
      let secret = Secret.make(.key)
      #expect(seen.insert(secret).inserted)
      for character in secret.dropFirst(8) { counts[character, default: 0] += 1 }
    }
    #expect(counts.count == 62)
    // 200000 draws, 3226 of each expected: a bias of a remainder (256 = 4 * 62 + 8) would give eight of them 3906.
    for (character, count) in counts { #expect((2900...3550).contains(count), "\(character): \(count)") }
  }

  @Test("the store holds no secret, only its digest and first characters")
  func secretIsNowhere() throws {
    let made = try store.create(new("alice"), now: now)
    let rotated = try store.rotate("alice", grace: 60, now: now)
    for suffix in ["", "-wal", "-shm"] {
      let data = try Data(contentsOf: URL(filePath: place.path + suffix))
      for secret in [made.secret, rotated.secret] {
        #expect(data.range(of: Data(secret.utf8)) == nil && data.range(of: Data(secret.dropFirst(12).utf8)) == nil)
      }
    }
    #expect("\(made)" == made.key.id && !String(reflecting: made).contains(made.secret))
    var dumped = ""
    dump(made, to: &dumped)
    #expect(!dumped.contains(made.secret))
  }

  @Test("a revoked key is nobody's, by id or by name, and stays in the list")
  func revoked() throws {
    let one = try store.create(new("alice"), now: now)
    let two = try store.create(new("bob"), now: now)
    #expect(try store.revoke(one.key.id, now: now + 1).revokedAt == now + 1)
    #expect(try store.revoke("bob", now: now + 2).status(at: now + 2) == .revoked)
    #expect(try store.find(one.secret) == nil && store.find(two.secret) == nil)
    #expect(try store.list().map(\.id) == [one.key.id, two.key.id])
    // Again: it stays as it was.
    #expect(try store.revoke(one.key.id, now: now + 9).revokedAt == now + 1)
  }

  @Test("a name that several keys have, or none, revokes nothing")
  func ambiguous() throws {
    let one = try store.create(new("alice"), now: now)
    let two = try store.create(new("alice"), now: now)
    let error = problem { _ = try store.revoke("alice") }
    #expect(error?.kind == .ambiguous)
    #expect(error?.description.contains(one.key.id) == true && error?.description.contains(two.key.id) == true)
    #expect(problem { _ = try store.revoke("nobody\u{1B}[2J") }?.description.contains("nobody?[2J") == true)
    #expect(try store.find(one.secret) != nil && store.find(two.secret) != nil)
    _ = try store.revoke(one.key.id)
    // One of them is left.
    #expect(try store.revoke("alice").id == two.key.id)
  }

  @Test("a rotated key has its id and rights, and its old secret is nobody's at once")
  func rotated() throws {
    let one = try store.create(new("alice") { $0.models = ["m"] }, now: now)
    let two = try store.rotate("alice", now: now)
    #expect(two.key.id == one.key.id && two.secret != one.secret && two.key.hint == two.secret.prefix(12))
    #expect(try store.find(one.secret) == nil)
    #expect(try store.find(two.secret)?.models == ["m"])
  }

  @Test("with a grace the old secret is good until its end, and the one before that is nobody's")
  func grace() throws {
    let one = try store.create(new("alice") { $0.expiresAt = now + 1000 }, now: now)
    let two = try store.rotate("alice", grace: 60, now: now)
    #expect(try store.find(one.secret)?.expiresAt == UInt64(now + 60) * 1_000_000_000)
    #expect(try store.find(two.secret)?.expiresAt == UInt64(now + 1000) * 1_000_000_000)
    let three = try store.rotate("alice", grace: 5000, now: now)
    #expect(try store.find(one.secret) == nil)
    // No longer than the key itself.
    #expect(try store.find(two.secret)?.expiresAt == UInt64(now + 1000) * 1_000_000_000)
    _ = try store.revoke("alice", now: now)
    #expect(try store.find(two.secret) == nil && store.find(three.secret) == nil)
  }

  @Test("a key that is over is not rotated")
  func notRotated() throws {
    _ = try store.create(new("old") { $0.expiresAt = now + 1 }, now: now)
    #expect(problem { _ = try store.rotate("old", now: now + 1) }?.kind == .over)
    let gone = try store.create(new("gone"), now: now)
    _ = try store.revoke(gone.key.id)
    #expect(problem { _ = try store.rotate(gone.key.id) }?.kind == .over)
  }

  @Test("a key expires at its second, and says so until it is revoked")
  func expired() throws {
    let made = try store.create(new("alice") { $0.expiresAt = now + 10 }, now: now)
    #expect(made.key.status(at: now + 9) == .active && made.key.status(at: now + 10) == .expired)
    #expect(try store.find(made.secret)?.expiresAt == UInt64(now + 10) * 1_000_000_000)
    #expect(try store.revoke("alice", now: now + 20).status(at: now + 20) == .revoked)
  }

  @Test(
    "whatever else is shown is nobody's, and does nothing",
    arguments: [
      "", " ", "mp_live_", "mp_sess_", "' OR 1=1 --", "\"; DROP TABLE keys; --", "%", "\u{0}", "mp_live_\u{0}",
      String(repeating: "x", count: 4096), "mp_live_" + String(repeating: "A", count: 40), "\u{FFFD}\u{FFFD}", "模型",
      "mp_live_' UNION SELECT * FROM keys --",
    ])
  func hostile(secret: String) throws {
    let made = try store.create(new("alice"), now: now)
    #expect(try store.find(secret) == nil)
    #expect(problem { _ = try store.revoke(secret) }?.kind == .noSuchKey)
    #expect(try store.find(made.secret) != nil)
  }

  @Test("names are kept as they are, whatever SQL they look like")
  func hostileNames() throws {
    let names = ["'); DROP TABLE keys; --", "a\"b", "%_", "模型", "key_aaaaaaaaaaaaaaaa"]
    for name in names { _ = try store.create(new(name), now: now) }
    #expect(try store.list().map(\.name) == names)
    for name in names { #expect(try store.revoke(name).name == name) }
  }

  @Test("bytes are of a secret's form or not, and only those that are cost a look")
  func form() {
    func isOurs(_ text: String, _ kind: Credential.Kind = .bearer) -> Bool {
      Array(text.utf8).withUnsafeBytes { Secret.hasForm(kind, $0) }
    }
    let key = Secret.make(.key)
    let session = Secret.make(.session)
    #expect(isOurs(key) && isOurs(key, .apiKey) && !isOurs(key, .session))
    #expect(isOurs(session, .session) && !isOurs(session) && !isOurs(session, .apiKey))
    for other in ["", "mp_live_", key + "x", String(key.dropLast()), key.dropLast() + "-", "sk-" + key.dropFirst(3)] {
      #expect(!isOurs(other), "\(other)")
    }
    #expect(![UInt8](repeating: 0xFF, count: 48).withUnsafeBytes { Secret.hasForm(.bearer, $0) })
  }

  @Test("a session is no key: it is not listed, not revoked by id, and ends with what it began with")
  func sessions() throws {
    let key = try store.create(new("alice"), now: now)
    func begin() throws -> NewSecret {
      try store.writeNow {
        try $0.create(new("alice") { $0.expiresAt = now + 10 }, kind: .session, parent: key.key.id, now: now)
      }
    }
    let one = try begin()
    #expect(one.secret.hasPrefix("mp_sess_") && one.key.id.hasPrefix("ses_"))
    #expect(try store.find(one.secret)?.id == one.key.parent)
    #expect(try store.list().map(\.id) == [key.key.id])
    #expect(problem { _ = try store.revoke(one.key.id) }?.kind == .noSuchKey)
    _ = try store.rotate(key.key.id, grace: 60, now: now)
    #expect(try store.find(one.secret) == nil)
    let two = try begin()
    _ = try store.revoke(key.key.id, now: now)
    #expect(try store.find(two.secret) == nil)
    let three = try begin()
    try store.writeNow { try $0.sweepSessions(now: now + 10) }
    #expect(try store.find(three.secret) == nil)
  }

  @Test("a change that nobody waits for any more, or that waited too long, is not done")
  func patience() async throws {
    let store = try place.open()
    let (late, gone, good) = (
      Patience(nanoseconds: 0), Patience(nanoseconds: .max / 2), Patience(nanoseconds: .max / 2)
    )
    gone.lose()
    func kind(_ patience: Patience) async -> KeyStoreError.Kind? {
      do throws(KeyStoreError) {
        _ = try await store.write(patience) { try $0.create(NewKey(name: "a"), now: 1) }
        return nil
      } catch {
        return error.kind
      }
    }
    #expect(await kind(late) == .locked)
    #expect(await kind(gone) == .abandoned)
    #expect(try store.list() == [])
    #expect(await kind(good) == nil)
    #expect(try store.list().count == 1)
  }
}
