// The keys of the configuration, known by their SHA-256, and once they were shown by a tag of it. Shared by all cores,
// without locks.

import Reactor
import Synchronization

/// Keys that are all there from the start. Never in the clear.
public final class ConfiguredKeys: Sendable {
  /// One key.
  public struct Key: Sendable {
    public let digest: SHA256Digest
    public let holder: Identity

    public init(digest: SHA256Digest, holder: Identity) {
      self.digest = digest
      self.holder = holder
    }
  }

  private struct Seen: ~Copyable {
    /// Tag of the key that was shown; 0 before it was.
    let tag = Atomic<UInt64>(0)
  }

  private let keys: [Key]
  // SAFETY: allocated and initialised by init, released by deinit; what lies there is atomic.
  private nonisolated(unsafe) let seen: UnsafeMutablePointer<Seen>

  public init(_ keys: [Key]) {
    self.keys = keys
    seen = .allocate(capacity: max(keys.count, 1))
    for index in keys.indices { (seen + index).initialize(to: Seen()) }
  }

  deinit {
    seen.deinitialize(count: keys.count)
    seen.deallocate()
  }

  /// A key that was good before is known again by its tag. Of any other every key's digest is compared, each in the same
  /// time: nothing is learned about a key from how long it took to be refused.
  func find(_ credential: Credential) -> Identity? {
    for index in keys.indices where seen[index].tag.load(ordering: .relaxed) == credential.tag {
      return keys[index].holder
    }
    guard !keys.isEmpty else { return nil }
    let digest = SHA256Digest(hashing: credential.bytes)
    var found: Int?
    for index in keys.indices where keys[index].digest == digest { found = index }
    guard let found else { return nil }
    seen[found].tag.store(credential.tag, ordering: .relaxed)
    return keys[found].holder
  }
}
