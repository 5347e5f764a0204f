// Signals, delivered on a loop like any other event. For SIGTERM, SIGINT and SIGHUP; never for SIGPIPE, which the loop
// switches off.

import CUV

/// Calls a closure on the loop each time the process gets a signal.
public final class SignalWatcher {
  private let handle: UnsafeMutablePointer<uv_signal_t>
  private var fire: (() -> Void)?

  /// Watches for `signal` until it is closed. Any number of watchers may watch for the same one.
  public init(loop: Loop, signal: Int32, _ fire: @escaping () -> Void) throws(ReactorError) {
    handle = .allocate(capacity: 1)
    let status = uv_signal_init(loop.uv, handle)
    guard status == 0 else {
      handle.deallocate()
      throw ReactorError(uv: status, operation: "uv_signal_init")
    }
    self.fire = fire
    // SAFETY: the reference is given back in the close callback, after which libuv forgets the handle.
    handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
    let started = uv_signal_start(handle, { handle, _ in SignalCallbacks.fired(handle) }, signal)
    guard started == 0 else {
      close()
      throw ReactorError(uv: started, operation: "uv_signal_start")
    }
  }

  /// Ends the watch for good and drops the closure.
  public func close() {
    guard fire != nil else { return }
    fire = nil
    uv_close(UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)) { SignalCallbacks.closed($0) }
  }

  fileprivate func fired() {
    // The closure may close the watcher; the local reference keeps it until it returns.
    guard let fire else { return }
    fire()
  }
}

@available(*, unavailable)
extension SignalWatcher: Sendable {}

enum SignalCallbacks {
  static func fired(_ handle: UnsafeMutablePointer<uv_signal_t>?) {
    guard let data = handle?.pointee.data else { return }
    // SAFETY: data is the watcher, retained until the close callback, which runs in a later phase of the loop.
    Unmanaged<SignalWatcher>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.fired() }
  }

  static func closed(_ handle: UnsafeMutablePointer<uv_handle_t>?) {
    guard let handle else { return }
    // SAFETY: the last callback of this handle: libuv does not touch it again, and the reference of init is given back.
    if let data = handle.pointee.data { Unmanaged<SignalWatcher>.fromOpaque(data).release() }
    UnsafeMutableRawPointer(handle).deallocate()
  }

  /// Closes the watcher behind a handle that a walk over the loop found.
  static func close(_ data: UnsafeMutableRawPointer) {
    // SAFETY: as above; the walk only passes handles that are not closing.
    Unmanaged<SignalWatcher>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.close() }
  }
}
