// Accepts connections, in bounded batches so that a flood of them does not starve those that are served. When the
// descriptors run out it pauses instead of spinning: the kernel would report the same connection over and over.

import CUV
import Glibc

/// Accepts connections from one listening descriptor, which it owns.
public final class Listener: Poll {
  private let acceptsPerWake: Int
  private var onAccept: ((Int32, SocketAddress) -> Void)?
  private var retry: Timer?
  private var pausedByOwner = false
  private var pausedByShortage = false

  /// Connections accepted so far.
  public private(set) var acceptedCount: UInt64 = 0
  /// Times accepting had to pause because descriptors or memory ran out.
  public private(set) var shortageCount: UInt64 = 0
  /// Whether connections are being accepted.
  public var isPaused: Bool { pausedByOwner || pausedByShortage || isClosed }

  /// Accepts from `descriptor`, which must listen; at most `acceptsPerWake` connections at a time. `onAccept` gets a
  /// non-blocking descriptor and owns it. The descriptor is closed when this throws.
  public convenience init(
    descriptor: Int32, loop: Loop, acceptsPerWake: Int = 64,
    onAccept: @escaping (Int32, SocketAddress) -> Void
  ) throws(ReactorError) {
    let opened = try OpenedPoll(descriptor: descriptor, loop: loop)
    self.init(adopting: opened, loop: loop, acceptsPerWake: acceptsPerWake, onAccept: onAccept)
    arm(PollMask.read)
  }

  private init(
    adopting opened: OpenedPoll, loop: Loop, acceptsPerWake: Int,
    onAccept: @escaping (Int32, SocketAddress) -> Void
  ) {
    self.acceptsPerWake = max(acceptsPerWake, 1)
    self.onAccept = onAccept
    super.init(adopting: opened, loop: loop)
  }

  /// Stops accepting; connections wait in the kernel's backlog.
  public func pause() {
    pausedByOwner = true
    arm(0)
  }

  /// Accepts again, also after a shortage: for who has just closed descriptors and need not wait for the retry.
  public func resume() {
    pausedByOwner = false
    endShortage()
  }

  /// Stops for good. What waits in the backlog is reset by the kernel.
  override public func close() {
    guard !isClosed else { return }
    super.close()
    retry?.close()
    retry = nil
    onAccept = nil
  }

  override func polled(status: Int32, events: Int32) {
    guard status >= 0 else {
      // Not known to happen to a listening socket; treated as a shortage, so that it is tried again and never spins.
      wasStopped()
      beginShortage()
      return
    }
    for _ in 0..<acceptsPerWake {
      guard !isPaused, let onAccept, let (descriptor, peer) = acceptOne() else { return }
      acceptedCount &+= 1
      onAccept(descriptor, peer)
    }
  }

  /// Nil when there is none, or none can be had.
  private func acceptOne() -> (Int32, SocketAddress)? {
    // A connection that died in the backlog is skipped; the bound keeps a peer that resets many from holding the loop.
    for _ in 0..<acceptsPerWake {
      var storage = sockaddr_storage()
      var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
      // SAFETY: the kernel writes at most `length` bytes, the size of the storage.
      let accepted = sluice_accept4(
        descriptor, &storage, &length, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
      if accepted >= 0 {
        if let peer = SocketAddress(storage, length: length) { return (accepted, peer) }
        Glibc.close(accepted)
        continue
      }
      switch errno {
      case EAGAIN: return nil
      case EMFILE, ENFILE, ENOBUFS, ENOMEM:
        beginShortage()
        return nil
      default: continue
      }
    }
    return nil
  }

  // MARK: Shortage

  private func beginShortage() {
    guard !pausedByShortage, !isClosed else { return }
    pausedByShortage = true
    shortageCount &+= 1
    arm(0)
    if retry == nil {
      retry = Timer(loop: loop) { [unowned(unsafe) self] in
        // SAFETY: the timer is closed, and its closure dropped, before the listener goes away.
        self.endShortage()
      }
    }
    retry?.arm(afterNanoseconds: Self.retryNanoseconds)
  }

  private func endShortage() {
    guard !isClosed else { return }
    pausedByShortage = false
    retry?.disarm()
    if !pausedByOwner { arm(PollMask.read) }
  }

  private static let retryNanoseconds: UInt64 = 100_000_000
}
