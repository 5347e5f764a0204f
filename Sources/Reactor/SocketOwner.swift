// Who is told what happens on a socket. A class rather than a protocol: an existential costs ARC on every event.

/// Base class of whatever owns sockets. Override what is of interest; everything does nothing by default.
///
/// A socket does not retain its owner. The law: an owner closes its sockets (or gives them to another owner) before it
/// goes away, and one that drops its own last reference inside one of these calls first hands itself to
/// `Loop.atEndOfTurn(_:)`. No call comes after `Socket.close()`.
open class SocketOwner {
  public init() {}

  /// A connect, or a TLS handshake on either side, has succeeded. Not called for accepted plain sockets, which are open
  /// from the start.
  open func socketOpened(_ socket: Socket) {}

  /// A connect has succeeded and a TLS handshake begins: each has a time limit of its own.
  open func socketConnected(_ socket: Socket) {}

  /// There is something to read: bytes, the end, or a failure. Read at least once, or drop `.read` from `interest`. With
  /// TLS it may turn out to be nothing yet: half a record, or a message of the protocol itself.
  open func socketReadable(_ socket: Socket) {}

  /// The kernel takes bytes again. Drop `.write` from `interest` when there is nothing to write.
  open func socketWritable(_ socket: Socket) {}

  /// Connect refused, handshake failed, or a broken connection noticed while only `.write` was of interest. A failure
  /// while `.read` is of interest comes out of `Socket.read(into:)`, behind the bytes that arrived before it.
  open func socketFailed(_ socket: Socket, _ error: SocketError) {}

  /// The peer closed its side, or broke off, while we were not reading. Told once; bytes may still wait to be read.
  open func socketHungUp(_ socket: Socket) {}
}

@available(*, unavailable)
extension SocketOwner: Sendable {}
