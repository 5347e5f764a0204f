// A set of keys that an issuer publishes (jwks_url): fetched by whoever needs it first, on that core's loop, and shared by
// all. It outlives a reload, so that one does not depend on the issuer's answering just then.

import Gateway
import Reactor
import Synchronization

/// The keys behind a URL.
public final class FetchedKeys: Sendable {
  /// Why there are no keys.
  struct Unavailable: Error, CustomStringConvertible {
    let description: String
  }

  private struct State {
    var refresh: KeyRefresh
    var keys: TokenKeys?
    var problem = "not fetched yet"
    /// Those who wait for the fetch that is under way, on any core.
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let place: FetchPlace
  private let state: Mutex<State>
  // What `settled` reads, without the lock.
  private let number = Atomic<UInt64>(0)
  private let settledUntil = Atomic<UInt64>(0)

  /// Largest set, in bytes.
  static let bytesMax = 512 << 10

  /// - Parameters:
  ///   - fresh: how long a set is used before it is asked for again, in nanoseconds.
  ///   - stale: how much longer it is used when no newer one can be had, in nanoseconds.
  public init(_ place: FetchPlace, fresh: UInt64, stale: UInt64) {
    self.place = place
    var times = KeyRefresh.Times()
    times.fresh = fresh
    times.stale = stale
    state = Mutex(State(refresh: KeyRefresh(times)))
  }

  /// The number of the set that may be used without asking; nil when that is to be asked for by `keys`.
  func settled(_ now: UInt64) -> UInt64? {
    guard now < settledUntil.load(ordering: .acquiring) else { return nil }
    let number = number.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  /// The set to use, fetched first where it must be.
  func keys(_ core: Core, on loop: isolated LoopActor) async throws(Unavailable) -> TokenKeys {
    let (step, keys) = state.withLock { ($0.refresh.wanted(Machine.monotonicNanoseconds()), $0.keys) }
    switch step {
    case .use: if let keys { return keys }
    case .fetch: await fetch(core, on: loop)
    case .wait: await wait()
    case .none: break
    }
    let (found, until, problem) = state.withLock { ($0.keys, $0.refresh.endsAt, $0.problem) }
    guard let found, Machine.monotonicNanoseconds() < until else { throw Unavailable(description: problem) }
    return found
  }

  /// A set that is newer than `old`, which has no good key for a token; nil when there is none.
  func newer(than old: TokenKeys, _ core: Core, on loop: isolated LoopActor) async -> TokenKeys? {
    let step = state.withLock { state -> KeyRefresh.Step in
      // Somebody else has fetched one meanwhile.
      if state.keys !== old { return .use }
      return state.refresh.missed(Machine.monotonicNanoseconds())
    }
    switch step {
    case .fetch: await fetch(core, on: loop)
    case .wait: await wait()
    case .use, .none: break
    }
    let keys = state.withLock { $0.keys }
    return keys === old ? nil : keys
  }

  /// Returns when the fetch that is under way is over, or at once when none is.
  private func wait() async {
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if state.refresh.isFetching { state.waiters.append(continuation) }
        return !state.refresh.isFetching
      }
      if isOver { continuation.resume() }
    }
  }

  // MARK: Fetching

  /// Goes on although the client that it was begun for may leave: others wait for it.
  private func fetch(_ core: Core, on loop: isolated LoopActor) async {
    var request = FetchRequest(target: place.path)
    request.fields = [("Accept", "application/jwk-set+json, application/json")]
    request.bytesMax = Self.bytesMax
    let outcome: Result<TokenKeys, Unavailable>
    do {
      let answer = try await core.fetch(request, from: place, on: loop)
      outcome = await withTaskExecutorPreference(globalConcurrentExecutor) { await Self.read(answer) }
    } catch {
      outcome = .failure(Unavailable(description: "key set: \(error)"))
    }
    let waiters = state.withLock { state in
      switch outcome {
      case .success(let keys) where keys.digest == state.keys?.digest: break
      case .success(let keys): state.keys = keys
      case .failure(let unavailable): state.problem = unavailable.description
      }
      state.refresh.fetched(Machine.monotonicNanoseconds(), worked: (try? outcome.get()) != nil)
      number.store(state.keys?.number ?? 0, ordering: .relaxed)
      settledUntil.store(state.refresh.settledUntil, ordering: .releasing)
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Off the loop: a large set takes a while.
  @concurrent
  private static func read(_ answer: FetchAnswer) async -> Result<TokenKeys, Unavailable> {
    guard answer.status == 200 else {
      return .failure(Unavailable(description: "key set: answered with status \(answer.status)"))
    }
    do throws(TokenKeys.Mistake) {
      return .success(try TokenKeys(jwks: answer.body))
    } catch {
      return .failure(Unavailable(description: "key set: \(error)"))
    }
  }
}
