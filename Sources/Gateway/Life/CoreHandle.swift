// A core as other threads see it: something that work can be posted to.

import Reactor

/// Reaches a core from any thread. Everything asked of it happens on the core's own loop.
public struct CoreHandle: @unchecked Sendable {
  // SAFETY (of the unchecked Sendable): `core` is touched only inside jobs that its own loop runs, and the inbox keeps
  // jobs only while the loop lives.
  private let core: Core
  private let inbox: Inbox

  public init(_ core: Core) {
    self.core = core
    inbox = core.loop.inbox
  }

  /// New exchanges use `snapshot`.
  public func adopt(_ snapshot: Snapshot) { post { $0.adopt(snapshot) } }

  /// Stops accepting through `closing` and begins to accept from the descriptors of `opening`, which become the core's.
  public func change(closing: [Door], opening: [(descriptor: Int32, door: Door)]) {
    post { core in
      core.closeListeners(of: closing)
      // The kernel refuses to watch a descriptor only when it is out of memory: the other cores serve the door then.
      for socket in opening { try? core.listen(socket.descriptor, door: socket.door) }
    }
  }

  /// Stops taking work and ends when its streams have, or its time is over.
  public func drain() { post { $0.drain() } }

  /// What the core counted. Only for when its thread has ended: nothing else guards the numbers.
  public var countersAfterEnd: Counters { core.counters }

  private func post(_ job: @escaping @Sendable (Core) -> Void) {
    let handle = self
    _ = inbox.post { job(handle.core) }
  }
}
