// Plugins that must wait for something: their `async` form runs on the loop's own executor, and the phase goes on behind it.
// Whatever a plugin does, an exchange waits no longer than the plugin's time, and is answered when it throws.

import Reactor

/// A plugin that waits on behalf of an exchange.
struct PendingWait {
  let phase: Phases
  /// The plugin's place in the phase.
  let index: Int
  /// Tells this wait from those before it, whose tasks may still be under way.
  let ticket: UInt32
}

extension Exchange {
  /// The plugin at `index` has said that it must wait.
  func wait(_ phase: Phases, _ index: Int) {
    keepBorrowed()
    let plugin = surface.chain.deciding(phase)[index]
    outgoing.waits &+= 1
    let ticket = outgoing.waits
    outgoing.pendingWait = PendingWait(phase: phase, index: index, ticket: ticket)
    bound(plugin.waitMax)
    // SAFETY: the exchange belongs to this loop, and so does the actor: whatever the task does, it does on this thread.
    nonisolated(unsafe) let exchange = self
    // A continuation is resumed by way of the task's preference before it is anywhere else: without one it would pass
    // through a thread of the global pool.
    let executor = core.loop.actor.executor
    core.loop.actor.assumeIsolated { loop in
      _ = Task.immediate(executorPreference: executor) {
        _ = loop
        do {
          let verdict = try await plugin.wait(in: phase, exchange, on: loop)
          exchange.resume(ticket, verdict)
        } catch {
          exchange.pluginFailed(ticket, "threw \(error)")
        }
      }
    }
  }

  /// The plugin that waited has come to its verdict. Dropped when the exchange has ended or gone on without it.
  private func resume(_ ticket: UInt32, _ verdict: Verdict) {
    guard stage != .over, let pending = outgoing.pendingWait, pending.ticket == ticket else { return }
    if case .wait = verdict { return pluginFailed(ticket, "waits for ever") }
    endWait()
    guard act(on: verdict, pending.phase, pending.index) else { return }
    goOn(behind: pending)
  }

  /// The plugin that waits has thrown, or its time is over.
  func pluginFailed(_ ticket: UInt32, _ how: String) {
    guard stage != .over, let pending = outgoing.pendingWait, pending.ticket == ticket else { return }
    let plugin = surface.chain.deciding(pending.phase)[pending.index]
    endWait()
    switch plugin.failing {
    case .closed: fail(Failure(.own, .internalFault, detail: "the plugin \(plugin.name) \(how)"))
    case .open: goOn(behind: pending)
    }
  }

  private func endWait() {
    outgoing.pendingWait = nil
    deadline = 0
  }

  private func goOn(behind pending: PendingWait) {
    run(pending.phase, from: pending.index + 1)
    keepBorrowed()
  }
}
