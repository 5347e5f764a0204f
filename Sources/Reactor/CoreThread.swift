// A thread of our own for each core. Loops do not run on the concurrency runtime's pool: they would hold its threads
// for ever.

import CUV
import Glibc

/// A named thread that runs one closure to its end.
public final class CoreThread: Sendable {
  private let thread: pthread_t

  private init(thread: pthread_t) { self.thread = thread }

  /// Starts `body` on a new thread. `name` is what `top` shows, cut to 15 bytes; `core` pins the thread to that core,
  /// if the scheduler allows.
  public static func start(
    name: String, core: Int? = nil, body: @escaping @Sendable () -> Void
  ) throws(ReactorError) -> CoreThread {
    let start = Unmanaged.passRetained(Start(name: name, core: core, body: body))
    var thread = pthread_t()
    // SAFETY: the new thread takes over the reference; nobody else touches it after a successful start.
    let status = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, start.toOpaque())
    guard status == 0 else {
      start.release()
      throw ReactorError(code: status, operation: "pthread_create")
    }
    return CoreThread(thread: thread)
  }

  /// Waits until the closure has returned. A thread is joined or detached, and only once.
  public func join() {
    pthread_join(thread, nil)
  }

  /// Lets the thread end by itself, unattended.
  public func detach() {
    pthread_detach(thread)
  }
}

private final class Start: Sendable {
  private let name: String
  private let core: Int?
  private let body: @Sendable () -> Void

  init(name: String, core: Int?, body: @escaping @Sendable () -> Void) {
    self.name = String(decoding: name.utf8.prefix(15), as: UTF8.self)
    self.core = core
    self.body = body
  }

  func run() {
    _ = sluice_thread_name(pthread_self(), name)
    if let core, core >= 0, core < 8192 {
      var mask = [UInt64](repeating: 0, count: 128)
      mask[core / 64] = 1 << UInt64(core % 64)
      _ = mask.withUnsafeBytes { sluice_set_affinity(0, UInt($0.count), $0.baseAddress) }
    }
    body()
  }
}
