// A body that is not held: it goes to the upstream as it comes from the client, chunk framing included, at the speed of
// the slower of the two.

import Bytes
import Flow
import Reactor
import Wire

extension Exchange {
  /// The head goes out; the body follows as it comes.
  func startStreaming(_ connection: UpstreamConnection) {
    outgoing.sentHead = nil
    // From here on the outlet knows what is missing.
    outgoing.sent = outgoing.sentTotal
    guard let socket = connection.socket else { return }
    var copied = 0
    connection.outlet.relay = .flowing(pending: 0)
    switch connection.outlet.send(socket, core.loop, marks: snapshot.relay, copied: &copied) {
    case .failed(let error): return fail(Failure(.upstream, .closedEarly, detail: "\(error)"))
    case .went: break
    }
    afterUpload(connection, socket)
    waitingFor = .writeStall
    client.readBody()
  }

  /// Passes on bytes of a streamed body. How many of them belong to it.
  func streamBody(_ bytes: UnsafeRawBufferPointer, _ parser: MessageParser) -> Int {
    guard let upstream, let socket = upstream.socket, stage == .asking || stage == .relaying else {
      return discardUpload(bytes, parser)
    }
    client.bodyMoved()
    let used: Int
    var isLast = false
    switch parser.parseBody(bytes, to: nil) {
    case .more: used = bytes.count
    case .complete(let consumed):
      used = consumed
      isLast = true
    case .failed(let error):
      fail(Failure(.downstream, .framing(status: error.status, reason: error.reason)))
      return bytes.count
    }
    record.bytesIn &+= UInt64(used)
    let batch = core.loop.batch
    batch.reset()
    batch.add(UnsafeRawBufferPointer(rebasing: bytes[..<used]))
    var copied = 0
    if isLast {
      isRequestWhole = true
      client.requestIsWhole()
    }
    switch upstream.outlet.send(socket, core.loop, marks: snapshot.relay, copied: &copied) {
    case .failed(let error):
      requestWasRefused(socket, error)
      return used
    case .went(let action):
      self.copied(copied)
      if action == .pauseReading { client.pauseInput() }
    }
    afterUpload(upstream, socket)
    return used
  }

  /// Reads over what nobody wants any more.
  func discardUpload(_ bytes: UnsafeRawBufferPointer, _ parser: MessageParser) -> Int {
    guard case .complete(let consumed) = parser.parseBody(bytes, to: nil) else { return bytes.count }
    isRequestWhole = true
    client.requestIsWhole()
    return consumed
  }

  /// The endpoint takes more of the body.
  func drainUpload(_ connection: UpstreamConnection) {
    guard let socket = connection.socket else { return }
    switch connection.outlet.drain(socket, core.loop, marks: snapshot.relay) {
    case .failed(let error): return requestWasRefused(socket, error)
    case .went(let action):
      if action == .resumeReading { client.resumeBodyInput() }
    }
    afterUpload(connection, socket)
  }

  /// Sees to the interest and the deadline that the state of an upload calls for.
  private func afterUpload(_ connection: UpstreamConnection, _ socket: Socket) {
    let waits = !connection.outlet.queue.isEmpty
    if waits != socket.interest.contains(.write) {
      if waits { socket.interest.formUnion(.write) } else { socket.interest.subtract(.write) }
    }
    guard stage == .asking, let endpoint else { return }
    if waits {
      waitingFor = .writeStall
      bound(endpoint.cluster.times.writeStall)
    } else if isRequestWhole {
      releaseHead()
      requestWasSent()
    } else {
      // The client's own deadline bounds the wait for more of the body.
      deadline = 0
    }
  }
}
