// The only door into a loop from other threads. What is posted runs on the loop's thread in the order it was posted.
// Nothing on the byte path goes through here: it is for new configuration, for stopping, and for tasks that come back.

import CUV
import Synchronization

/// Where other threads leave work for a loop.
public final class Inbox: Sendable {
  private struct Letters: @unchecked Sendable {
    // SAFETY: closures and jobs are handed over (`sending`) by who posts and touched again by the loop only.
    var posts: [() -> Void] = []
    var jobs: [UnownedJob] = []
    var stopAsked = false
    var waker: UnsafeMutablePointer<uv_async_t>?

    var isEmpty: Bool { posts.isEmpty && jobs.isEmpty && !stopAsked }
  }

  private let letters = Mutex(Letters())

  init() {}

  /// Runs `job` on the loop's thread, soon. False when the loop is closed; the job is dropped then.
  @discardableResult
  public func post(_ job: sending @escaping () -> Void) -> Bool {
    let letter = Letter(run: job)
    return put { $0.posts.append(letter.run) }
  }

  /// Whether posts are still taken.
  public var isOpen: Bool { letters.withLock { $0.waker != nil } }

  /// Asks the loop to stop, from any thread.
  public func stop() {
    put { $0.stopAsked = true }
  }

  /// A task's job that was enqueued on another thread.
  @discardableResult
  func post(_ job: UnownedJob) -> Bool {
    put { $0.jobs.append(job) }
  }

  @discardableResult
  private func put(_ change: @Sendable (inout Letters) -> Void) -> Bool {
    letters.withLock { letters in
      guard let waker = letters.waker else { return false }
      let wasEmpty = letters.isEmpty
      change(&letters)
      // One wake-up is enough for all that wait. Sent under the lock, so that the handle cannot be closed meanwhile.
      if wasEmpty { uv_async_send(waker) }
      return true
    }
  }

  // MARK: The loop's side

  /// Opens the door: posts are taken from now on.
  func open(_ waker: UnsafeMutablePointer<uv_async_t>) {
    let waker = Waker(handle: waker)
    letters.withLock { $0.waker = waker.handle }
  }

  /// Closes the door; what was not delivered is dropped.
  func close() {
    letters.withLock { $0 = Letters() }
  }

  /// Takes everything out, on the loop's thread.
  func take() -> (posts: [() -> Void], jobs: [UnownedJob], stopAsked: Bool) {
    let taken = letters.withLock { letters in
      let taken = letters
      letters.posts = []
      letters.jobs = []
      letters.stopAsked = false
      return taken
    }
    return (taken.posts, taken.jobs, taken.stopAsked)
  }
}

/// Carries a closure that was handed over across the lock.
private struct Letter: @unchecked Sendable {
  // SAFETY: made from a `sending` closure: its poster has no use of it any more.
  let run: () -> Void
}

private struct Waker: @unchecked Sendable {
  // SAFETY: uv_async_send is the one libuv call that any thread may make; the lock orders it before uv_close.
  let handle: UnsafeMutablePointer<uv_async_t>
}
