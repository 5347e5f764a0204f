// How a socket comes to be open: accepted or connected, and the TLS handshake of either side. Who opened it hears of the
// outcome once, as socketOpened or socketFailed, and never from inside the call that began it.

import Glibc

extension Socket {
  /// Takes over a connection that was accepted, with the options of its listener (see `ListenSocket`). A plain one is
  /// open at once; with `tls` the handshake runs first and `socketOpened` or `socketFailed` follows. The descriptor is
  /// closed when this throws.
  public static func accepted(
    descriptor: Int32, loop: Loop, tls: TLSServerContext?, owner: SocketOwner
  ) throws(SocketError) -> Socket {
    let opened = try OpenedPoll(descriptor: descriptor, loop: loop)
    let session = tls.flatMap { TLSSession(accepting: descriptor, context: $0) }
    let wantsTLS = tls != nil
    let socket = Socket(
      adopting: opened, loop: loop, state: wantsTLS ? .handshaking : .open, session: session, owner: owner)
    guard wantsTLS else { return socket }
    guard session != nil else {
      socket.close()
      throw SocketError(code: ENOMEM, operation: "SSL_new")
    }
    socket.arm(PollMask.read)
    return socket
  }

  /// Begins to connect; `socketOpened` or `socketFailed` follows, never from inside this call.
  ///
  /// With `tls`, `serverName` is the name (or literal address) the certificate must be for; a name is also sent as SNI.
  public static func connect(
    to address: SocketAddress, loop: Loop, tls: TLSClientContext?, serverName: String?, owner: SocketOwner
  ) throws(SocketError) -> Socket {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = Glibc.socket(address.domain, kind, 0)
    guard descriptor >= 0 else { throw SocketError(code: errno, operation: "socket") }
    setNoDelay(descriptor)
    let status = address.withSockaddr { Glibc.connect(descriptor, $0, $1) }
    guard status == 0 || errno == EINPROGRESS || errno == EINTR else {
      let error = SocketError(code: errno, operation: "connect")
      Glibc.close(descriptor)
      throw error
    }
    let opened = try OpenedPoll(descriptor: descriptor, loop: loop)
    let session = tls.flatMap { TLSSession(connecting: descriptor, context: $0, serverName: serverName) }
    let made = Socket(adopting: opened, loop: loop, state: .connecting, session: session, owner: owner)
    guard tls == nil || session != nil else {
      made.close()
      throw SocketError(code: ENOMEM, operation: "SSL_new")
    }
    // Writable is how the kernel says that connect() is over, also when it was over at once.
    made.arm(PollMask.write)
    return made
  }

  private static func setNoDelay(_ descriptor: Int32) {
    var on: Int32 = 1
    // Refused by unix sockets, which need no such thing.
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  // MARK: On the way to open

  func connected(failed: Bool) {
    let code = takeKernelError()
    if failed || code != 0 {
      if failed { wasStopped() }
      fail(SocketError(code: code != 0 ? code : ECONNREFUSED, operation: "connect"))
    } else if session != nil {
      state = .handshaking
      tell { $0.socketConnected(self) }
      if state == .handshaking { shakeHands() }
    } else {
      becomeOpen()
    }
  }

  func shakeHands() {
    guard let session else { return }
    // Handshakes are dear: the rest of a crowd waits for the next turn, behind the traffic that flows already. The
    // event is repeated then, since the kernel is level-triggered.
    guard armed == 0 || loop.handshakes < Self.handshakesPerTurn else { return }
    loop.handshakes += 1
    switch session.advance() {
    case .wantsRead: arm(PollMask.read)
    case .wantsWrite: arm(PollMask.write)
    case .done: becomeOpen()
    case .failed(let error): fail(error)
    }
  }

  private func becomeOpen() {
    state = .open
    tell { $0.socketOpened(self) }
    guard state == .open else { return }
    arm(wantedMask)
    deliverAgainIfDue()
  }

  private func fail(_ error: SocketError) {
    arm(0)
    failure = error.code
    notes.formUnion([.ended, .told])
    tell { $0.socketFailed(self, error) }
  }

  private static var handshakesPerTurn: Int { 5 }
}
