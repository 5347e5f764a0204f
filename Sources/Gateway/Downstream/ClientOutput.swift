// A client connection's writing: what the exchange sends, and what waits because the client is slow.

import Flow
import Reactor

extension ClientConnection {
  /// Writes the loop's batch, or keeps what the socket does not take. What the source is to do; nil when the peer is
  /// gone, in which case everything has been closed already.
  func send() -> Relay.Action? {
    guard let socket = socketOrNil else { return nil }
    var copied = 0
    let delivery = outlet.send(socket, core.loop, marks: core.snapshot.relay, copied: &copied)
    exchange?.copied(copied)
    return settle(delivery)
  }

  /// Bytes of the answer were read straight into the tail of what waits.
  func commit(_ count: Int) -> Relay.Action? {
    settle(.went(outlet.commit(count, marks: core.snapshot.relay)))
  }

  func settle(_ delivery: Delivery) -> Relay.Action? {
    guard let socket = socketOrNil else { return nil }
    switch delivery {
    case .failed:
      left()
      return nil
    case .went(let action):
      if waitsForPipe { return action }
      if outlet.queue.isEmpty {
        if socket.interest.contains(.write) { socket.interest.subtract(.write) }
        stallDeadline = 0
      } else if !socket.interest.contains(.write) {
        socket.interest.formUnion(.write)
        stall()
      }
      return action
    }
  }

  /// Bytes of a spliced answer wait for the peer.
  func pipeWaits(_ socket: Socket) {
    waitsForPipe = true
    socket.interest.formUnion(.write)
    stall()
  }

  func pipeIsEmpty() {
    guard waitsForPipe else { return }
    waitsForPipe = false
    stallDeadline = 0
    socketOrNil?.interest.subtract(.write)
  }

  /// The socket takes bytes again.
  func writeMore(_ socket: Socket) {
    let before = outlet.queue.byteCount
    let delivery = outlet.drain(socket, core.loop, marks: core.snapshot.relay)
    if outlet.queue.byteCount < before { stall() }
    guard let action = settle(delivery) else { return }
    if outlet.queue.isEmpty, closesWhenDrained { return close() }
    switch action {
    case .none, .pauseReading: if outlet.queue.isEmpty { exchange?.clientTakesMore() }
    case .resumeReading: exchange?.clientTakesMore()
    case .finish: exchange?.delivered()
    }
  }
}
