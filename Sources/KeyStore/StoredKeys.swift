// The store as a source of credentials: answers from each core's memo while nothing was committed, else reads the store,
// off the loop. Fails closed: of a store that cannot be read nothing is believed, not even what was true a moment ago.

import Foundation
import Gateway
import Plugins
import Reactor
import Synchronization

/// Keys and sessions of one store, for all cores. It goes on over reloads, and over the store's own file being exchanged.
public final class StoredKeys: CredentialSource {
  /// A change of the store's state, for the operator's log.
  public enum Notice: Sendable, Equatable {
    case trouble(String)
    case mended(String)
  }

  private struct State {
    var store: KeyStore?
    var problem: KeyStoreError?
    /// When opening it was tried last, on the monotonic clock.
    var triedAt: UInt64 = 0
    /// Marks of the configuration's keys that may begin sessions.
    var configured: Set<String> = []
    /// Marks of those that were dropped, whose sessions are still in the store.
    var dropped: Set<String> = []
  }

  public let path: String
  private let notice: @Sendable (Notice) -> Void
  private let state: Mutex<State>
  /// Counts the stores that were opened here.
  private let term = Atomic<Int>(0)
  /// When the file at the path was last seen to be the one that is open, on the loop's clock.
  private let checkedAt = Atomic<UInt64>(0)
  /// Cores beyond their number share them.
  private let memos = (0..<64).map { _ in KeyMemo() }
  /// What blocks is done here, one after another: opening a store, and letting one go.
  private let errands = DispatchQueue(label: "key store")

  /// Opens the store at `path`, and makes it when it is missing. Blocks; for the start and for reloads.
  ///
  /// - Parameter notice: told of every change of the store's state, on any thread.
  public init(path: String, notice: @escaping @Sendable (Notice) -> Void) throws(KeyStoreError) {
    self.path = path
    self.notice = notice
    state = Mutex(State(store: try KeyStore.open(path, creating: true)))
  }

  /// The configuration's keys; sessions that began with one are over where it is gone, or may not manage keys any more.
  public func adopt(configured keys: [ConfiguredKeys.Key]) {
    let marks = Set(keys.filter { $0.holder.permissions.contains(.admin) }.map(Self.mark))
    let (changed, drops) = state.withLock { state in
      let (before, after) = (state.configured, marks)
      state.configured = marks
      state.dropped.formUnion(before.subtracting(after))
      return (before != after, !state.dropped.isEmpty)
    }
    // What was remembered of such sessions may be wrong now.
    if changed { for memo in memos { memo.clear() } }
    // They are over for good: they do not come back with their key.
    if drops { errands.async { self.endDropped() } }
  }

  /// On the queue for errands. Until it is done, a session of such a key is good for nothing, whatever is configured.
  private func endDropped() {
    let marks = state.withLock { $0.dropped }
    guard !marks.isEmpty else { return }
    if case .success(let (store, _)) = reopened(), store.isInPlace {
      do throws(KeyStoreError) {
        try store.writeNow { table in
          for mark in marks { try table.endSessions(of: mark) }
        }
        return state.withLock { $0.dropped.subtract(marks) }
      } catch {
        // Tried again; whoever asks for a key finds out what is wrong.
      }
    }
    errands.asyncAfter(deadline: .now() + 1) { [weak self] in self?.endDropped() }
  }

  // MARK: Finding

  public func find(_ credential: Credential, _ exchange: Exchange) -> Finding {
    guard Secret.hasForm(credential.kind, credential.bytes) else { return .unknown }
    // Whether the file at the path is still the same is looked at by `look`, which one request a second must wait for.
    guard exchange.core.loop.now < checkedAt.load(ordering: .relaxed) &+ Self.checkAge,
      let identity = memo(exchange).identity(credential.tag)
    else { return .later }
    return .known(identity)
  }

  public func look(
    for secret: String?, _ kind: Credential.Kind?, _ exchange: Exchange, on loop: isolated LoopActor
  ) async throws -> Finding {
    guard var secret, let kind else { return .unknown }
    let tag = secret.withUTF8 { CredentialTag.of(UnsafeRawBufferPointer($0)) }
    return try await look(for: secret, tag, kind, memo(exchange), at: exchange.core.loop.now)
  }

  /// Looks for `secret` and remembers in `memo` what was found.
  func look(
    for secret: String, _ tag: UInt64, _ kind: Credential.Kind, _ memo: KeyMemo, at loopTime: UInt64
  ) async throws(KeyStoreError) -> Finding {
    let digest = SHA256Digest(hashing: secret)
    let storedKind: StoredKey.Kind = kind == .session ? .session : .key
    return try await using { (store, term) throws(KeyStoreError) in
      // In front of any look at its index.
      try store.checkPlace()
      // In front of the query: what is committed behind this makes the memo's version an old one.
      let version = store.index?.version
      let found = try await store.read { try $0.find(digest, kind: storedKind) }
      checkedAt.store(loopTime, ordering: .relaxed)
      guard let found, isGood(found.key.parent) else { return .unknown }
      let identity = found.key.identity(digest, until: found.until)
      if let version, let index = store.index {
        memo.keep(identity, tag, index, version) {
          // Once more: `adopt` says what is configured, and then empties every memo.
          self.term.load(ordering: .sequentiallyConsistent) == term && isGood(found.key.parent)
        }
      }
      return .known(identity)
    }
  }

  private func memo(_ exchange: Exchange) -> KeyMemo { memo(ofCore: exchange.core.index) }

  func memo(ofCore index: Int) -> KeyMemo { memos[index & (memos.count - 1)] }

  /// Whether what a session began with, if it was no key of the store, is still configured.
  private func isGood(_ parent: String?) -> Bool {
    guard let parent, Self.isMark(parent) else { return true }
    return state.withLock { $0.configured.contains(parent) && !$0.dropped.contains(parent) }
  }

  /// Whether the configuration's key with this mark is still there, and may manage keys.
  func isConfigured(_ mark: String) -> Bool { state.withLock { $0.configured.contains(mark) } }

  /// Whether what a session began with is a key of the configuration.
  static func isMark(_ parent: String) -> Bool { parent.hasPrefix(configuredMark) }

  /// What sessions keep of the configuration's key that they began with: another key of the same name is another one.
  static func mark(_ key: ConfiguredKeys.Key) -> String { "\(configuredMark)\(key.holder.name):\(key.digest)" }

  private static let configuredMark = "file:"
  /// How long the file at the path is believed to be the same, in nanoseconds.
  private static let checkAge: UInt64 = 1_000_000_000

  // MARK: The store, and its state

  /// Does `work` with the store, opened anew where its file was exchanged, and tells the operator when its state changes.
  func using<Value>(
    _ work: (_ store: KeyStore, _ term: Int) async throws(KeyStoreError) -> Value
  ) async throws(KeyStoreError) -> Value {
    var isSecond = false
    while true {
      do throws(KeyStoreError) {
        let (store, term) = try await opened()
        do throws(KeyStoreError) {
          let value = try await work(store, term)
          told(nil)
          return value
        } catch {
          if error.isOfTheFile { letGo(store) }
          throw error
        }
      } catch {
        if error.kind == .replaced, !isSecond {
          isSecond = true
          continue
        }
        told(error)
        throw error
      }
    }
  }

  private typealias Opened = (store: KeyStore, term: Int)

  private func current() -> Opened? {
    state.withLock { state in state.store.map { ($0, term.load(ordering: .sequentiallyConsistent)) } }
  }

  private func opened() async throws(KeyStoreError) -> Opened {
    if let current = current() { return current }
    let result = await withCheckedContinuation { (done: CheckedContinuation<Result<Opened, KeyStoreError>, Never>) in
      errands.async { done.resume(returning: self.reopened()) }
    }
    return try result.get()
  }

  /// On the queue for errands.
  private func reopened() -> Result<Opened, KeyStoreError> {
    if let current = current() { return .success(current) }
    let now = Machine.monotonicNanoseconds()
    let problem = state.withLock { now < $0.triedAt &+ Self.tryAge ? $0.problem : nil }
    // Whoever has just been told so need not be asked again for every request.
    if let problem, problem.isOfTheFile { return .failure(problem) }
    do throws(KeyStoreError) {
      // Not made anew: whoever took it away did not mean that there are no keys.
      let store = try KeyStore.open(path, creating: false)
      state.withLock { state in
        state.store = store
        state.triedAt = now
      }
      return .success((store, term.load(ordering: .sequentiallyConsistent)))
    } catch {
      state.withLock { $0.triedAt = now }
      return .failure(error)
    }
  }

  /// Nothing more is asked of `store`, and nothing is believed that it said.
  private func letGo(_ store: KeyStore) {
    let wasCurrent = state.withLock { state in
      guard state.store === store else { return false }
      state.store = nil
      term.add(1, ordering: .sequentiallyConsistent)
      return true
    }
    guard wasCurrent else { return }
    // In this order: see `KeyMemo.keep`. `store` is held until no memo has its index.
    for memo in memos { memo.clear() }
    errands.async { [weak store] in
      // What is under way ends first. SQLite must have let go of the file before it is opened again, or it would go on with
      // the WAL index that it has.
      for _ in 0..<1000 where store != nil { usleep(10_000) }
    }
  }

  /// How long an attempt to open the store is not repeated, in nanoseconds.
  private static let tryAge: UInt64 = 250_000_000

  /// Notes whether the store does what it is asked for; the operator is told of changes, not of every request.
  private func told(_ error: KeyStoreError?) {
    // Which says nothing of the store.
    if error?.kind == .abandoned { return }
    if let error, [.noSuchKey, .ambiguous, .over, .forbidden].contains(error.kind) { return told(nil) }
    let before = state.withLock { state in
      defer { state.problem = error }
      return state.problem
    }
    guard before != error else { return }
    if let error {
      notice(.trouble("\(error)"))
    } else {
      notice(.mended("\(path): the key store is usable again"))
    }
  }
}
