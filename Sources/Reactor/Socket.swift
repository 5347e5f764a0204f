// One stream connection, plain or TLS, TCP or unix. This file is its life: what it is told, what its owner is told, how
// it ends. How it opens is in SocketOpening.swift, the bytes are in SocketBytes.swift. Belongs to one owner on one loop.
//
//   connect ─▶ connecting ─▶ handshaking (TLS) ─▶ open ─▶ closed
//   accepted ─────────────────────┴────────────────┘

import CUV
import Glibc

/// A connection.
///
/// Nothing is allocated per event, read or write. An idle plain socket is this object and a `uv_poll_t`, about 250
/// bytes in all.
public final class Socket: Poll {
  /// What the owner wants to be told.
  public struct Interest: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `socketReadable`: bytes, end or failure.
    public static let read = Interest(rawValue: 1)
    /// `socketWritable`.
    public static let write = Interest(rawValue: 2)
    /// `socketHungUp`, while `.read` is not wanted. Told once.
    public static let hangup = Interest(rawValue: 4)
  }

  enum State: UInt8 {
    case connecting, handshaking, open, closed
  }

  struct Notes: OptionSet {
    let rawValue: UInt8
    /// read(into:) has said `.end` or `.failed`: there is nothing more to be read.
    static let ended = Notes(rawValue: 1)
    /// The end came as the protocol wants it (TLS: with close_notify).
    static let clean = Notes(rawValue: 2)
    /// The kernel reported the connection as broken; libuv has stopped the handle.
    static let broken = Notes(rawValue: 4)
    /// socketHungUp, or socketFailed of a broken socket, was called.
    static let told = Notes(rawValue: 8)
    /// Stands in the loop's list of sockets to be delivered again.
    static let queued = Notes(rawValue: 16)
    /// TLS cannot read on before it has written something of its own (a key update).
    static let readNeedsWrite = Notes(rawValue: 32)
  }

  var state: State
  var notes: Notes = []
  /// Error number of the first failure, 0 while there was none.
  var failure: Int32 = 0
  let session: TLSSession?
  private var owner: Unmanaged<SocketOwner>

  init(adopting opened: OpenedPoll, loop: Loop, state: State, session: TLSSession?, owner: SocketOwner) {
    self.state = state
    self.session = session
    self.owner = Unmanaged.passUnretained(owner)
    super.init(adopting: opened, loop: loop)
  }

  // MARK: Interest

  private var wanted: Interest = []

  /// What the owner wants to be told; nothing at first. The kernel hears of it only when it must.
  public var interest: Interest {
    get { wanted }
    set {
      guard newValue != wanted else { return }
      wanted = newValue
      interestChanged()
    }
  }

  /// Tells the kernel what changed, if it has to know, and the loop, if the owner is owed something already.
  func interestChanged() {
    guard state == .open else { return }
    if !notes.contains(.broken) {
      let mask = wantedMask
      // More is told at once, and that nobody wants to write: a socket is nearly always writable. That nobody reads is
      // told when something arrives (see `ready`): short pauses then cost no system call.
      if mask & ~armed != 0 || armed & ~mask & PollMask.write != 0 { arm(mask) }
    }
    deliverAgainIfDue()
  }

  /// What epoll has to watch for. FIN counts as readable: hang-up rides along with reading, so that a pause changes nothing.
  var wantedMask: Int32 {
    var mask: Int32 = 0
    if wanted.contains(.write) { mask |= PollMask.write }
    if notes.contains(.ended) { return mask }
    if wanted.contains(.read) {
      mask |= notes.contains(.readNeedsWrite) ? PollMask.write : PollMask.read | PollMask.hangup
    } else if wanted.contains(.hangup), !notes.contains(.told) {
      mask |= PollMask.hangup
    }
    return mask
  }

  /// Hands the socket to another owner on the same loop.
  public func setOwner(_ owner: SocketOwner) {
    self.owner = Unmanaged.passUnretained(owner)
  }

  // MARK: Events

  override func polled(status: Int32, events: Int32) {
    switch state {
    case .open:
      if status < 0 { broke() } else { ready(events) }
    case .connecting: connected(failed: status < 0)
    case .handshaking:
      if status < 0 { wasStopped() }
      // A broken connection is told by the handshake itself, which may have an alert of the peer to read first.
      shakeHands()
    case .closed: break
    }
  }

  private func ready(_ events: Int32) {
    if events & PollMask.write != 0 {
      if notes.contains(.readNeedsWrite) {
        notes.remove(.readNeedsWrite)
        if wanted.contains(.read) { tellReadable() }
      }
      if state == .open, wanted.contains(.write) { tell { $0.socketWritable(self) } }
    }
    if events & PollMask.read != 0, state == .open, wanted.contains(.read), !notes.contains(.ended) {
      tellReadable()
    }
    if events & PollMask.hangup != 0, state == .open, !wanted.contains(.read) { tellHungUp() }
    guard state == .open, !notes.contains(.broken) else { return }
    // The kernel repeats itself until it is told that nobody listens.
    let mask = wantedMask
    if events & ~mask != 0 || mask & ~armed != 0 { arm(mask) }
  }

  /// EPOLLERR. The kernel may still hold bytes that came before the reset: they are read first.
  private func broke() {
    wasStopped()
    notes.insert(.broken)
    let code = takeKernelError()
    if failure == 0 { failure = code != 0 ? code : ECONNRESET }
    deliverBroken()
  }

  private func deliverBroken() {
    if wanted.contains(.read), !notes.contains(.ended) {
      tell { $0.socketReadable(self) }
      deliverAgainIfDue()
    } else if wanted.contains(.hangup), !notes.contains(.told) {
      tellHungUp()
    } else if wanted.contains(.write), !notes.contains(.told) {
      notes.insert(.told)
      tell { $0.socketFailed(self, SocketError(code: failure, operation: "poll")) }
    }
  }

  /// Whether the owner is owed a call that no event of the kernel will cause.
  private var isDue: Bool {
    if notes.contains(.broken) {
      if wanted.contains(.read), !notes.contains(.ended) { return true }
      return !notes.contains(.told) && !wanted.isDisjoint(with: [.hangup, .write])
    }
    return wanted.contains(.read) && !notes.contains(.ended) && session?.hasBufferedInput == true
  }

  func deliverAgainIfDue() {
    guard session != nil || notes.contains(.broken) else { return }
    guard state == .open, !notes.contains(.queued), isDue else { return }
    notes.insert(.queued)
    loop.deliverAgain(self)
  }

  /// The loop's next turn, for what the kernel does not announce: input that TLS holds, and the rest of a broken connection.
  func deliverAgain() {
    notes.remove(.queued)
    guard state == .open, isDue else { return }
    if notes.contains(.broken) { deliverBroken() } else { tellReadable() }
  }

  private func tellReadable() {
    tell { $0.socketReadable(self) }
    deliverAgainIfDue()
  }

  private func tellHungUp() {
    guard wanted.contains(.hangup), !notes.contains(.told) else { return }
    notes.insert(.told)
    tell { $0.socketHungUp(self) }
  }

  @inline(__always)
  func tell(_ call: (SocketOwner) -> Void) {
    // SAFETY: an owner closes its sockets before it goes away (SocketOwner's law), so it is alive now. It is retained for
    // the call, ten nanoseconds, because a call may well drop the last reference to it before it comes back.
    let owner = owner.takeUnretainedValue()
    withExtendedLifetime(owner) { call(owner) }
  }

  func takeKernelError() -> Int32 {
    var code: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
  }

  // MARK: Closing

  /// Closes the connection. TLS says goodbye if that works without waiting. No call to the owner follows.
  override public func close() {
    guard state != .closed else { return }
    if state == .open, failure == 0 { session?.sayGoodbye() }
    state = .closed
    super.close()
    session?.free()
  }

  /// Closes with RST instead of FIN, so that the peer cannot take a cut for an end.
  public func closeAbortively() {
    guard state != .closed else { return }
    var rule = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &rule, socklen_t(MemoryLayout<linger>.size))
    if failure == 0 { failure = ECONNABORTED }
    close()
  }

  /// Says that nothing more will be written; reading goes on.
  public func shutdownWrite() {
    guard state == .open else { return }
    session?.sayGoodbye()
    shutdown(descriptor, Int32(SHUT_WR))
  }

  // MARK: Facts

  /// Whether bytes pass through TLS.
  public var isTLS: Bool { session != nil }
  /// Whether the connection is usable: connected, and the handshake over.
  public var isOpen: Bool { state == .open }
  /// TLS only: more input is at hand than the last read took. `socketReadable` follows in the next turn if wanted.
  public var hasBufferedInput: Bool { session?.hasBufferedInput ?? false }
  /// After `.end`: the peer ended on purpose. False when a TLS connection was cut without close_notify.
  public var endedCleanly: Bool { notes.contains(.clean) }
  /// What ALPN agreed on ("http/1.1"), nil without TLS or without ALPN. Builds a string: not for the byte path.
  public var negotiatedProtocol: String? { session?.negotiatedProtocol }
  /// Who is at the other end. Asks the kernel each time.
  public var peerAddress: SocketAddress? { isClosed ? nil : SocketAddress.peer(of: descriptor) }
}
