// A client's connection: it reads requests one after another, gives each to an exchange, and writes what the exchange
// sends. It owns the socket and the bytes that wait for it; it knows nothing of upstreams.
//
//   idle ─first byte─▶ head ─complete─▶ body ─complete─▶ answering ─answer delivered─▶ idle
//                                        │                                          └▶ discarding, lingering, closed

import Bytes
import Flow
import Reactor
import Wire

/// One downstream connection.
final class ClientConnection: SocketOwner, Enrolled {
  enum State {
    /// Between requests.
    case idle
    /// A request's head is coming in.
    case head
    /// The exchange takes the request's body as it comes.
    case body
    /// The request is whole, or the exchange does not want more of it yet: what comes in is kept for later.
    case answering
    /// The answer is out, the rest of the request's body is read and dropped, so that the connection can go on.
    case discarding
    /// The answer is out and our side is shut; what still comes is dropped, so that no reset destroys the answer.
    case lingering
    case closed
  }

  let core: Core
  let door: Door
  /// Address of the peer; nil on a unix socket.
  let peer: IPAddress?
  var place = -1
  var state = State.idle
  var exchange: Exchange?
  var outlet = Outlet()

  var socketOrNil: Socket?
  var parser: MessageParser?
  var head = HeadStore()
  /// Bytes of later requests, and whether they are being worked on.
  var stash = ChunkQueue()
  var isConsuming = false
  /// The upstream takes the body slowly: nothing of it is read until `resumeBodyInput`.
  var isInputPaused = false
  /// A piece of a stream waits for the end of the turn.
  var departs = false
  /// Bytes of a spliced answer wait in its pipe.
  var waitsForPipe = false
  /// Close when everything is written.
  var closesWhenDrained = false
  var discardsLeft: UInt64 = 0
  var deadline: UInt64 = 0
  var stallDeadline: UInt64 = 0
  var entry: TimerWheel<Unmanaged<ClientConnection>>.Entry?
  var entryTime: UInt64 = 0

  private init(core: Core, door: Door, peer: IPAddress?) {
    self.core = core
    self.door = door
    self.peer = peer
    super.init()
  }

  /// Takes over an accepted descriptor.
  static func open(_ descriptor: Int32, from address: SocketAddress, door: Door, core: Core) {
    let peer = address.ipBits.map { IPAddress(high: $0.high, low: $0.low) }
    let client = ClientConnection(core: core, door: door, peer: peer)
    do throws(SocketError) {
      client.socketOrNil = try Socket.accepted(descriptor: descriptor, loop: core.loop, tls: door.tls, owner: client)
    } catch {
      core.clientLeft()
      return
    }
    core.clients.add(client)
    client.socketOrNil?.interest = .read
    client.wait(core.snapshot.client.times.head)
  }

  var isClosed: Bool { socketOrNil == nil }
  var policy: ClientPolicy { core.snapshot.client }

  // MARK: Events

  override func socketReadable(_ socket: Socket) { readMore(socket) }
  override func socketWritable(_ socket: Socket) { writeMore(socket) }
  override func socketFailed(_ socket: Socket, _ error: SocketError) { left() }
  override func socketHungUp(_ socket: Socket) { left() }

  // MARK: Ending

  /// The exchange is over and its answer delivered. `keepsAlive` tells whether the answer allows another.
  func exchangeEnded(keepsAlive: Bool, unread: Framing) {
    exchange = nil
    isInputPaused = false
    guard !isClosed else { return }
    if keepsAlive, !core.isDraining {
      switch unread {
      case .none:
        state = .idle
        wait(policy.times.idle)
        resumeInput()
        return
      case .length(let left) where left <= Self.discardBytesMax:
        state = .discarding
        discardsLeft = left
        wait(policy.times.body)
        resumeInput()
        return
      default: break
      }
    }
    if case .none = unread, stash.isEmpty { return close() }
    // Unread bytes at a close would reset the connection, and the answer with it (RFC 9112, 9.6).
    state = .lingering
    discardsLeft = Self.lingerBytesMax
    socketOrNil?.shutdownWrite()
    socketOrNil?.interest = .read
    stash.removeAll()
    wait(Self.lingerTime)
  }

  /// Ends the connection after what is already waiting has been written. The client sees that something is missing:
  /// the answer's framing stays unfinished, or the connection is reset where there is no framing.
  func cutAfterDrain(abortively: Bool) {
    exchange = nil
    guard let socket = socketOrNil else { return }
    if abortively {
      socket.closeAbortively()
      return close()
    }
    if outlet.queue.isEmpty { return close() }
    closesWhenDrained = true
    state = .answering
    stall()
  }

  func discard(_ bytes: UnsafeRawBufferPointer) -> Int {
    let used = Int(min(discardsLeft, UInt64(bytes.count)))
    discardsLeft -= UInt64(used)
    if discardsLeft == 0 {
      state = .idle
      wait(policy.times.idle)
    }
    return used
  }

  func linger(_ bytes: UnsafeRawBufferPointer) -> Int {
    if UInt64(bytes.count) >= discardsLeft { close() } else { discardsLeft -= UInt64(bytes.count) }
    return bytes.count
  }

  /// The peer closed its side, or the connection broke: whatever was under way is of no use to anybody any more.
  func left() {
    guard !isClosed else { return }
    if let exchange {
      core.counters.clientsLeft &+= 1
      // First of all: with the last connection a draining core stops, and hands over its log.
      exchange.clientLeft()
    }
    close()
  }

  /// Closes at once. Whoever holds the exchange has been told, or is the caller.
  func close() {
    guard let socket = socketOrNil else { return }
    socketOrNil = nil
    state = .closed
    core.loop.atEndOfTurn(self)
    socket.close()
    outlet.close()
    stash.removeAll()
    head.removeAll()
    if let parser { core.giveRequestParser(parser) }
    parser = nil
    if let entry { core.cancel(entry) }
    entry = nil
    exchange = nil
    core.clients.remove(self)
    core.clientLeft()
  }

  /// No new requests: an idle connection closes, a busy one closes after its answer. A request that has come before is
  /// no new one: a close in front of unread bytes would reset the connection, and the answer before them with it.
  func drain() {
    if state == .idle || state == .discarding, let socket = socketOrNil { readMore(socket) }
    if state == .idle || state == .discarding { close() }
  }

  /// The time for draining is over.
  func endForShutdown() {
    if let exchange {
      exchange.endForShutdown()
    } else {
      close()
    }
  }

  static let readsPerWake = 4
  static let stashBytesMax = 64 << 10
  static let stashSlabBytes = 4 << 10
  static let discardBytesMax: UInt64 = 256 << 10
  static let lingerBytesMax: UInt64 = 4 << 20
  static let lingerTime: UInt64 = 2_000_000_000
}
