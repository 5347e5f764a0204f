// Lets `async` code run on a loop's own thread, with no thread hop: a plugin that waits for a key store suspends, and
// its continuation comes back as a job in the loop's queue. The byte path never passes here.

import Glibc
import Synchronization

/// Runs tasks on the thread of one loop.
///
/// A task stays on the loop when it is isolated to the loop's `LoopActor`; a task that merely prefers this executor
/// starts its unstructured children elsewhere.
public final class LoopExecutor: TaskExecutor, SerialExecutor {
  private let inbox: Inbox
  private let thread = Atomic<UInt>(0)
  // SAFETY: touched on the loop's thread only, which `enqueue` checks first.
  nonisolated(unsafe) private var waiting: [UnownedJob] = []
  nonisolated(unsafe) private var running: [UnownedJob] = []
  nonisolated(unsafe) private let wake: () -> Void

  /// `wake` makes the loop call `drain()` soon; it is called on the loop's thread only.
  init(inbox: Inbox, wake: @escaping () -> Void) {
    self.inbox = inbox
    self.wake = wake
  }

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if isOnLoop {
      waiting.append(job)
      if waiting.count == 1 { wake() }
    } else {
      // A closed loop never runs again: its tasks stay suspended for good, as they would if the thread had died.
      inbox.post(job)
    }
  }

  /// Whether the caller is on the loop's thread while the loop runs.
  public var isOnLoop: Bool { thread.load(ordering: .relaxed) == pthread_self() }

  public func checkIsolated() {
    precondition(isOnLoop, "not on the loop's thread")
  }

  public func isIsolatingCurrentContext() -> Bool? { isOnLoop }

  // MARK: The loop's side

  /// The current thread runs the loop from now on.
  func adoptThread() { thread.store(pthread_self(), ordering: .relaxed) }

  /// No thread runs the loop.
  func releaseThread() { thread.store(0, ordering: .relaxed) }

  /// Takes jobs that came through the inbox.
  func add(_ jobs: [UnownedJob]) {
    guard !jobs.isEmpty else { return }
    waiting.append(contentsOf: jobs)
    wake()
  }

  /// Runs what waits, and what that starts, for a bounded number of rounds, so that sockets get their turn as well.
  func drain() {
    for _ in 0..<Self.roundsPerTurn {
      guard !waiting.isEmpty else { return }
      swap(&waiting, &running)
      for job in running {
        job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
      }
      running.removeAll(keepingCapacity: true)
    }
    if !waiting.isEmpty { wake() }
  }

  private static let roundsPerTurn = 16
}

/// The isolation of one loop. Code that is isolated to it runs on the loop's thread and may touch the loop's objects.
///
/// ```swift
/// loop.actor.assumeIsolated { here in
///   Task.immediate {
///     _ = here  // captures the isolation: without it the task would not be on the loop
///     await plugin.ask(connection, on: here)
///   }
/// }
/// ```
public actor LoopActor {
  /// The executor of the loop this actor stands for.
  public nonisolated let executor: LoopExecutor

  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(executor: LoopExecutor) { self.executor = executor }
}
