// One descriptor under uv_poll_t: the base of Socket and Listener.
//
// The law of the handle: its memory is allocated once, and freed only in the close callback. The object is retained by
// its handle from init to that callback. The descriptor is closed right after uv_close, which takes it out of epoll at
// once, events of the current turn included; no callback follows.

import CUV
import Glibc

/// A descriptor that the loop watches.
public class Poll {
  private let handle: UnsafeMutablePointer<uv_poll_t>
  /// The loop this lives on. Held strongly: a reference that never changes costs nothing to use.
  public final let loop: Loop
  /// The descriptor, owned by this object.
  public final let descriptor: Int32
  /// What libuv was told last. uv_poll_start costs system calls even if the mask stays the same, so this is asked first.
  final private(set) var armed: Int32 = 0
  private final var closed = false

  /// Takes `descriptor` over; when that fails it is closed.
  init(adopting opened: OpenedPoll, loop: Loop) {
    handle = opened.handle
    descriptor = opened.descriptor
    self.loop = loop
    // SAFETY: the reference is given back in the close callback, after which libuv forgets the handle.
    handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
  }

  /// Whether close() was called. Nothing happens on a closed object any more.
  public final var isClosed: Bool { closed }

  /// Watches for `mask`, 0 for nothing. The kernel is told only when it changes.
  final func arm(_ mask: Int32) {
    guard mask != armed, !closed else { return }
    armed = mask
    if mask == 0 {
      uv_poll_stop(handle)
    } else {
      uv_poll_start(handle, mask) { PollCallbacks.polled($0, $1, $2) }
    }
  }

  /// libuv stopped the handle itself, as it does when it reports an error.
  final func wasStopped() { armed = 0 }

  /// Ends it: the descriptor is closed now, the memory is freed when libuv lets go of it. Harmless when repeated.
  public func close() {
    guard !closed else { return }
    closed = true
    // SAFETY: every libuv handle begins with the fields of uv_handle_t.
    uv_close(UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)) { PollCallbacks.closed($0) }
    Glibc.close(descriptor)
  }

  /// Something happened. `status` is negative when the descriptor is broken; the handle is stopped then.
  func polled(status: Int32, events: Int32) {}
}

@available(*, unavailable)
extension Poll: Sendable {}

/// A handle that libuv has accepted and that no object owns yet.
struct OpenedPoll {
  let handle: UnsafeMutablePointer<uv_poll_t>
  let descriptor: Int32

  /// Registers `descriptor`, and makes it non-blocking. Closes it when that fails.
  init(descriptor: Int32, loop: Loop) throws(ReactorError) {
    guard !loop.isClosed else {
      Glibc.close(descriptor)
      throw ReactorError(code: ECANCELED, operation: "uv_poll_init")
    }
    handle = .allocate(capacity: 1)
    self.descriptor = descriptor
    let status = uv_poll_init(loop.uv, handle, descriptor)
    guard status == 0 else {
      handle.deallocate()
      Glibc.close(descriptor)
      throw ReactorError(uv: status, operation: "uv_poll_init")
    }
  }
}

/// libuv's names as numbers of the type its calls take.
enum PollMask {
  static var read: Int32 { Int32(bitPattern: UV_READABLE.rawValue) }
  static var write: Int32 { Int32(bitPattern: UV_WRITABLE.rawValue) }
  static var hangup: Int32 { Int32(bitPattern: UV_DISCONNECT.rawValue) }
}

enum PollCallbacks {
  static func polled(_ handle: UnsafeMutablePointer<uv_poll_t>?, _ status: Int32, _ events: Int32) {
    guard let data = handle?.pointee.data else { return }
    // SAFETY: data is the object, retained until the close callback, which runs in a later phase of the loop.
    Unmanaged<Poll>.fromOpaque(data)._withUnsafeGuaranteedRef { poll in
      poll.loop.eventBegins()
      poll.polled(status: status, events: events)
      poll.loop.eventEnds()
    }
  }

  static func closed(_ handle: UnsafeMutablePointer<uv_handle_t>?) {
    guard let handle else { return }
    // SAFETY: the last callback of this handle: libuv does not touch it again, and the reference of init is given back.
    if let data = handle.pointee.data { Unmanaged<Poll>.fromOpaque(data).release() }
    UnsafeMutableRawPointer(handle).deallocate()
  }

  /// Closes the object behind a handle that a walk over the loop found.
  static func close(_ data: UnsafeMutableRawPointer) {
    // SAFETY: as above; the walk only passes handles that are not closing.
    Unmanaged<Poll>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.close() }
  }
}
