// Credentials that had to be looked for and were found good, known again by their tags: a signature is verified once and
// not for each request, a service is asked once in a while. A table for each core, bounded, and never in the clear.

import Synchronization

/// Remembers whose a credential is, for a time. Any core may use it; each has a table of its own.
public final class CredentialMemo: Sendable {
  private struct Entry {
    let identity: Identity
    /// When it is forgotten, in nanoseconds since 1970.
    let until: UInt64
    /// Which keys, or which rules, it was found good by.
    let edition: UInt64
  }

  private final class Table: Sendable {
    let entries: Mutex<RecentEntries<Entry>>

    init(max: Int) { entries = Mutex(RecentEntries(max: max)) }
  }

  // As many tables as most machines have cores. Two cores of a larger one share a lock, and are right all the same.
  private let tables: [Table]

  /// - Parameter entriesMax: credentials that a core remembers at one time; at least 2.
  public init(entriesMax: Int = 8192) {
    tables = (0..<64).map { _ in Table(max: entriesMax) }
  }

  /// Whose the credential with this tag is, when it was kept for this `edition` and its time is not over.
  /// - Parameter now: nanoseconds since 1970.
  public func find(_ tag: UInt64, edition: UInt64 = 0, now: UInt64, core: Int) -> Identity? {
    table(core)?.entries.withLock { entries in
      entries.find(tag) { $0.edition == edition && now < $0.until }?.identity
    }
  }

  /// Remembers `identity` until `until`, in nanoseconds since 1970.
  public func keep(_ identity: Identity, _ tag: UInt64, edition: UInt64 = 0, until: UInt64, core: Int) {
    table(core)?.entries.withLock { $0.put(Entry(identity: identity, until: until, edition: edition), tag) }
  }

  private func table(_ core: Int) -> Table? {
    let index = core % tables.count
    return tables.indices.contains(index) ? tables[index] : nil
  }
}
