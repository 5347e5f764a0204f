import Plugins
import Testing

@testable import KeyStore

@Suite("Stored keys")
struct StoredKeyTests {
  @Test("a key has the permissions of its holder")
  func holder() {
    let key = StoredKey(id: "k1", identity: Identity(name: "alice", permissions: .all))
    #expect(key.identity.permissions.contains(.admin))
  }
}
