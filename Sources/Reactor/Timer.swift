// One libuv timer. A core has few of them, the wheel's tick above all; deadlines of connections are entries in the
// wheel, never handles. The handle keeps the timer alive until close() has gone through the loop.

import CUV

/// Calls a closure on the loop once, some time after it was armed.
public final class Timer {
  private let handle: UnsafeMutablePointer<uv_timer_t>
  private var fire: (() -> Void)?

  /// A timer that is not armed yet. Close it when it is not needed any more.
  public init(loop: Loop, _ fire: @escaping () -> Void) {
    handle = .allocate(capacity: 1)
    self.fire = fire
    uv_timer_init(loop.uv, handle)
    // SAFETY: the reference is given back in the close callback, after which libuv forgets the handle.
    handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
  }

  /// Whether close() was called.
  public var isClosed: Bool { fire == nil }

  /// Fires once, not before `delay` nanoseconds have passed and at most a millisecond later if the loop is free;
  /// replaces what was armed before.
  public func arm(afterNanoseconds delay: UInt64) {
    guard fire != nil else { return }
    // libuv counts whole milliseconds from its own clock, which stands still during a turn and is cut to whole
    // milliseconds itself: adding the delay to it would fire early. So the due time is rounded up, then made relative.
    let due = uv_hrtime().addingReportingOverflow(delay)
    let dueMilliseconds = (due.overflow ? UInt64.max : due.partialValue) / 1_000_000 + 1
    let loopMilliseconds = uv_now(handle.pointee.loop)
    let wait = dueMilliseconds > loopMilliseconds ? dueMilliseconds - loopMilliseconds : 0
    uv_timer_start(handle, { TimerCallbacks.fired($0) }, wait, 0)
  }

  /// Does not fire until it is armed again.
  public func disarm() {
    guard fire != nil else { return }
    uv_timer_stop(handle)
  }

  /// Ends the timer for good and drops the closure.
  public func close() {
    guard fire != nil else { return }
    fire = nil
    uv_close(UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)) { TimerCallbacks.closed($0) }
  }

  fileprivate func fired() {
    // The closure may close the timer; the local reference keeps it until it returns.
    guard let fire else { return }
    fire()
  }
}

@available(*, unavailable)
extension Timer: Sendable {}

enum TimerCallbacks {
  static func fired(_ handle: UnsafeMutablePointer<uv_timer_t>?) {
    guard let data = handle?.pointee.data else { return }
    // SAFETY: data is the timer, retained until the close callback, which runs in a later phase of the loop.
    Unmanaged<Timer>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.fired() }
  }

  static func closed(_ handle: UnsafeMutablePointer<uv_handle_t>?) {
    guard let handle else { return }
    // SAFETY: the last callback of this handle: libuv does not touch it again, and the reference of init is given back.
    if let data = handle.pointee.data { Unmanaged<Timer>.fromOpaque(data).release() }
    UnsafeMutableRawPointer(handle).deallocate()
  }

  /// Closes the timer behind a handle that a walk over the loop found.
  static func close(_ data: UnsafeMutableRawPointer) {
    // SAFETY: as above; the walk only passes handles that are not closing.
    Unmanaged<Timer>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.close() }
  }
}
