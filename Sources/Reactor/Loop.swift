// One uv_loop_t and what everybody on it shares: the read room, the write batch, the inbox, the executor, and the list
// of what dies at the end of the turn. Owned by the thread that runs it; only the inbox may be touched from elsewhere.
//
//   timers ─▶ again (idle) ─▶ poll: sockets, listeners, inbox ─▶ end of turn (check) ─▶ close callbacks ─▶ …

import Bytes
import CUV
import Glibc

/// An event loop: one thread, and everything that lives on it.
public final class Loop {
  let uv: UnsafeMutablePointer<uv_loop_t>
  private let againHandle: UnsafeMutablePointer<uv_idle_t>
  private let turnHandle: UnsafeMutablePointer<uv_check_t>
  private let wakeHandle: UnsafeMutablePointer<uv_async_t>
  private var againArmed = false
  private var again: [Socket] = []
  private var againRunning: [Socket] = []
  private var later: [() -> Void] = []
  private var kept: [AnyObject] = []
  /// Whether anything is in `kept`: asked every turn, and cheaper than asking an array whose elements' deaths may change it.
  private var keeps = false
  private let roomCapacity: Int
  /// TLS handshakes that advanced in this turn.
  var handshakes = 0
  private var records: Slab?
  private var pipes: [Pipe] = []
  private var pipesRefusedAt: UInt64 = 0

  /// Where other threads leave work.
  public let inbox: Inbox
  /// Scratch for one gathered write.
  public let batch: WriteBatch
  /// Runs `async` code on this loop's thread.
  public let executor: LoopExecutor
  /// The isolation of this loop.
  public let actor: LoopActor
  // Behind getters because exclusivity checks at run time are dropped only for what no other module could touch.
  private var closed = false
  private var isWithinEvent = false
  private var eventTime: UInt64 = 0
  private var currentRoom: Slab
  private var currentBytes: UnsafeMutableRawBufferPointer
  private var claimed = 0

  /// Whether close() was called.
  public var isClosed: Bool { closed }
  /// The room every socket of this loop is read into. Its bytes are valid until the next read, unless they are claimed.
  public var room: Slab { currentRoom }
  /// What of `room` is read into next: all of it but what was claimed.
  public var readRoom: UnsafeMutableRawBufferPointer {
    // SAFETY: `claimed` never passes the room's size.
    UnsafeMutableRawBufferPointer(rebasing: currentBytes[claimed...])
  }
  /// Called before the loop sleeps or anything dies, in a turn in which room was claimed.
  public var whenRoomWasClaimed: (() -> Void)?

  /// A loop that does not run yet, with a read room of `roomCapacity` bytes: by default 64 KiB of a body and the head in
  /// front of it, which then come in one read. Close it when it has stopped.
  public init(roomCapacity: Int = 80 << 10) throws(ReactorError) {
    _ = Self.brokenPipesAreErrors
    uv = .allocate(capacity: 1)
    againHandle = .allocate(capacity: 1)
    turnHandle = .allocate(capacity: 1)
    wakeHandle = .allocate(capacity: 1)
    self.roomCapacity = max(roomCapacity, 4096)
    let room = Slab(capacity: self.roomCapacity)
    currentRoom = room
    currentBytes = room.room
    batch = WriteBatch()
    inbox = Inbox()
    let waker = LoopWaker()
    executor = LoopExecutor(inbox: inbox, wake: waker.wake)
    actor = LoopActor(executor: executor)

    var status = uv_loop_init(uv)
    guard status == 0 else {
      freeHandles()
      uv.deallocate()
      closed = true
      throw ReactorError(uv: status, operation: "uv_loop_init")
    }
    uv_idle_init(uv, againHandle)
    uv_check_init(uv, turnHandle)
    status = uv_async_init(uv, wakeHandle) { LoopCallbacks.woken($0) }
    guard status == 0 else {
      // Neither of the two handles was started: the loop counts nothing active and closes at once.
      uv_close(Self.asHandle(againHandle), nil)
      uv_close(Self.asHandle(turnHandle), nil)
      uv_run(uv, UV_RUN_DEFAULT)
      uv_loop_close(uv)
      freeHandles()
      uv.deallocate()
      closed = true
      throw ReactorError(uv: status, operation: "uv_async_init")
    }
    // SAFETY: callbacks run inside run() and close(), which are methods of self: self is alive then.
    let me = Unmanaged.passUnretained(self).toOpaque()
    againHandle.pointee.data = me
    turnHandle.pointee.data = me
    wakeHandle.pointee.data = me
    waker.loop = Unmanaged.passUnretained(self)
    uv_check_start(turnHandle) { LoopCallbacks.turnEnded($0) }
    inbox.open(wakeHandle)
  }

  /// Runs until `stop()`. The calling thread is the loop's thread meanwhile.
  public func run() {
    guard !isClosed else { return }
    executor.adoptThread()
    uv_run(uv, UV_RUN_DEFAULT)
    executor.releaseThread()
  }

  /// Makes `run()` return at the end of this turn. On the loop's thread; elsewhere use `inbox.stop()`.
  public func stop() {
    guard !isClosed else { return }
    uv_stop(uv)
  }

  /// Closes everything that still lives on the loop, waits for name lookups under way, and frees it. After `run()`.
  public func close() {
    guard !closed else { return }
    closed = true
    inbox.close()
    executor.adoptThread()
    uv_walk(uv, { handle, _ in LoopCallbacks.closeEach(handle) }, nil)
    uv_close(Self.asHandle(wakeHandle), nil)
    uv_close(Self.asHandle(againHandle), nil)
    uv_close(Self.asHandle(turnHandle), nil)
    // Nothing is left but closing handles and requests: this returns when the last close callback has run.
    uv_run(uv, UV_RUN_DEFAULT)
    again = []
    later = []
    pipes = []
    releaseKept()
    whenRoomWasClaimed = nil
    // What died just now may have closed something of its own.
    uv_run(uv, UV_RUN_DEFAULT)
    executor.releaseThread()
    uv_loop_close(uv)
    freeHandles()
    uv.deallocate()
  }

  deinit {
    // A loop that was never closed leaks its handles: freeing memory that libuv may still reach would be worse.
  }

  /// Nanoseconds on a clock that only goes forward. It is read once for each socket event, however often it is asked.
  public var now: UInt64 {
    guard isWithinEvent else { return uv_hrtime() }
    if eventTime == 0 { eventTime = uv_hrtime() }
    return eventTime
  }

  func eventBegins() {
    eventTime = 0
    isWithinEvent = true
  }

  func eventEnds() { isWithinEvent = false }

  /// Keeps `bytes`, which were read into `readRoom`, and all in front of them as they are: later reads go behind them.
  /// Until `freeRoom`, which the owner of `whenRoomWasClaimed` calls at the end of the turn at the latest.
  public func claimRoom(through bytes: UnsafeRawBufferPointer) {
    guard let room = currentBytes.baseAddress, let start = bytes.baseAddress, start >= UnsafeRawPointer(room) else {
      return
    }
    let end = start - UnsafeRawPointer(room) + bytes.count
    if end > claimed, end <= currentBytes.count { claimed = end }
  }

  /// Nobody needs what was claimed any more.
  public func freeRoom() { claimed = 0 }

  /// Gives the read room away, bytes and all; the loop takes another. For bytes that have to wait. Claimed bytes in it
  /// stay where they are until the end of the turn.
  public func handOverRoom() -> Slab {
    let given = currentRoom
    if claimed > 0 { atEndOfTurn(given) }
    claimed = 0
    let fresh = Slab(capacity: roomCapacity)
    currentRoom = fresh
    currentBytes = fresh.room
    return given
  }

  /// Keeps `object` alive until the turn is over. For who closes itself inside one of its own callbacks.
  public func atEndOfTurn(_ object: AnyObject) {
    kept.append(object)
    keeps = true
  }

  // MARK: Pipes

  /// An empty pipe to splice through; nil where the system gives none.
  public func takePipe() -> Pipe? {
    if let pipe = pipes.popLast() { return pipe }
    // A user's share of pipes, or the descriptors, may be used up: that is not asked about with every read.
    guard pipesRefusedAt == 0 || now &- pipesRefusedAt > Self.pipesRetryNanoseconds else { return nil }
    let pipe = Pipe()
    pipesRefusedAt = pipe == nil ? now : 0
    return pipe
  }

  /// Keeps an empty pipe for the next who needs one. One that is not empty is of no use to anybody else.
  public func givePipe(_ pipe: Pipe) {
    guard pipe.pending == 0, pipes.count < Self.pipesKept, !closed else { return }
    pipes.append(pipe)
  }

  private static let pipesKept = 8
  private static let pipesRetryNanoseconds: UInt64 = 1_000_000_000

  // MARK: Next turn

  /// `socket` has something to deliver that the kernel will not announce. The loop does not sleep before it did.
  func deliverAgain(_ socket: Socket) {
    again.append(socket)
    armAgain()
  }

  /// Runs `job` in the next turn.
  func runLater(_ job: @escaping () -> Void) {
    later.append(job)
    armAgain()
  }

  fileprivate func armAgain() {
    guard !againArmed, !isClosed else { return }
    againArmed = true
    // An active idle handle makes libuv poll without sleeping.
    uv_idle_start(againHandle) { LoopCallbacks.againDue($0) }
  }

  fileprivate func runAgain() {
    // Disarmed first: whatever comes up meanwhile arms it for the turn after, behind the sockets that are ready.
    againArmed = false
    uv_idle_stop(againHandle)
    if !again.isEmpty {
      swap(&again, &againRunning)
      for socket in againRunning { socket.deliverAgain() }
      againRunning.removeAll(keepingCapacity: true)
    }
    if !later.isEmpty {
      let jobs = later
      later = []
      for job in jobs { job() }
    }
    executor.drain()
    // The loop may sleep now, and the turn would not end before it wakes. A room that was handed over is claimed no more,
    // and what lies in it has still to leave.
    if claimed > 0 || keeps { whenRoomWasClaimed?() }
  }

  fileprivate func readInbox() {
    let (posts, jobs, stopAsked) = inbox.take()
    for post in posts { post() }
    executor.add(jobs)
    if stopAsked { stop() }
  }

  fileprivate func releaseKept() {
    handshakes = 0
    if claimed > 0 || keeps { whenRoomWasClaimed?() }
    guard keeps else { return }
    // What dies may keep something else; it dies in the same sweep.
    while !kept.isEmpty { kept.removeLast() }
    keeps = false
  }

  /// 16 KiB in which the pieces of one TLS record are put together.
  var recordRoom: UnsafeMutableRawBufferPointer {
    if let records { return records.room }
    let made = Slab(capacity: 16_384)
    records = made
    return made.room
  }

  // MARK: Handles

  private func freeHandles() {
    againHandle.deallocate()
    turnHandle.deallocate()
    wakeHandle.deallocate()
  }

  private static func asHandle<Handle>(_ handle: UnsafeMutablePointer<Handle>) -> UnsafeMutablePointer<uv_handle_t> {
    // SAFETY: every libuv handle begins with the fields of uv_handle_t.
    UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)
  }

  /// Writing to a connection the peer has closed is an error value here, never a signal that ends the process.
  private static let brokenPipesAreErrors: Void = { signal(SIGPIPE, SIG_IGN) }()
}

@available(*, unavailable)
extension Loop: Sendable {}

/// Breaks the circle between a loop and its executor, which must exist before the loop does.
private final class LoopWaker {
  var loop: Unmanaged<Loop>?

  func wake() {
    // SAFETY: called on the loop's thread while the loop runs.
    loop?._withUnsafeGuaranteedRef { $0.armAgain() }
  }
}

enum LoopCallbacks {
  // SAFETY, for all below: data is the loop, which is alive while one of its methods runs the callbacks.

  static func woken(_ handle: UnsafeMutablePointer<uv_async_t>?) {
    guard let data = handle?.pointee.data else { return }
    Unmanaged<Loop>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.readInbox() }
  }

  static func againDue(_ handle: UnsafeMutablePointer<uv_idle_t>?) {
    guard let data = handle?.pointee.data else { return }
    Unmanaged<Loop>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.runAgain() }
  }

  static func turnEnded(_ handle: UnsafeMutablePointer<uv_check_t>?) {
    guard let data = handle?.pointee.data else { return }
    Unmanaged<Loop>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.releaseKept() }
  }

  /// Closes what others left open. The loop closes its own three handles itself.
  static func closeEach(_ handle: UnsafeMutablePointer<uv_handle_t>?) {
    guard let handle, uv_is_closing(handle) == 0, let data = handle.pointee.data else { return }
    switch handle.pointee.type {
    case UV_POLL: PollCallbacks.close(data)
    case UV_TIMER: TimerCallbacks.close(data)
    case UV_SIGNAL: SignalCallbacks.close(data)
    default: break
    }
  }
}
