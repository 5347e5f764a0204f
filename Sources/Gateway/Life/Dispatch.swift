// From a destination to a request that is on its way: an endpoint, a connection (idle or new), the request's bytes.

import Bytes
import Flow
import Reactor
import Wire

extension Exchange {
  /// Finds an endpoint of the destination's cluster and sends the request to it.
  func dispatch() {
    guard let destination else { return }
    if outgoing.clusterState == nil {
      outgoing.clusterState = core.state(of: destination.cluster)
      editBody(destination)
    }
    guard let (index, endpoint) = outgoing.clusterState?.next(excluding: outgoing.tried) else {
      var last = outgoing.setbacks.last ?? Failure(.upstream, .unreachable, detail: "the cluster has no endpoint")
      last.retry = .never
      return fail(last)
    }
    outgoing.tried |= index < 64 ? 1 << UInt64(index) : .max
    self.endpoint = endpoint
    attempts.began()
    if !streamsBody { boundTotal(destination.cluster.times.total) }
    record.upstream(destination.cluster, endpoint.endpoint)
    // Only what can be sent again may meet a connection that the endpoint has already given up.
    if !streamsBody, let idle = endpoint.takeIdle(core.loop.now) {
      idle.exchange = self
      upstream = idle
      isReused = true
      record.isReused = true
      core.counters.upstreamReuses &+= 1
      sendRequest(idle)
    } else {
      connect(endpoint)
    }
  }

  // MARK: Connecting

  func connect(_ endpoint: EndpointState) {
    stage = .connecting
    isReused = false
    record.isReused = false
    waitingFor = .connect
    bound(endpoint.cluster.times.connect)
    keepBorrowed()
    dialing &+= 1
    let attempt = dialing
    endpoint.withAddresses(core.loop.now) { [self] result in
      guard stage == .connecting, dialing == attempt else { return }
      switch result {
      case .success(let found):
        outgoing.addresses = found.reversed()
        shareTimeToConnect(endpoint.cluster.times.connect)
        connectToNextAddress(nil)
      case .failure(let error):
        fail(Failure(.upstream, .unreachable, retry: .elsewhere, detail: "\(endpoint.endpoint.name): \(error)"))
      }
    }
  }

  /// Each address has its share of the time: one that swallows packets leaves some to those behind it.
  private func shareTimeToConnect(_ time: UInt64) {
    let share = time / UInt64(max(outgoing.addresses.count, 1)) / 1_000_000
    dialMilliseconds = time == 0 ? 0 : UInt32(clamping: max(share, 1))
  }

  func connectToNextAddress(_ last: SocketError?) {
    guard let endpoint else { return }
    var last = last
    while let address = outgoing.addresses.popLast() {
      waitingFor = .connect
      bound(UInt64(dialMilliseconds) * 1_000_000)
      do throws(SocketError) {
        upstream = try UpstreamConnection.connect(to: address, endpoint: endpoint, for: self, core: core)
        return
      } catch {
        last = error
      }
    }
    let detail = last.map { "\($0)" } ?? "no address"
    fail(Failure(.upstream, .unreachable, retry: .elsewhere, detail: "\(endpoint.endpoint.name): \(detail)"))
  }

  /// TCP stands; the handshake has a time of its own.
  func upstreamConnected(_ connection: UpstreamConnection) {
    guard stage == .connecting, upstream === connection, let endpoint else { return }
    waitingFor = .tls
    bound(endpoint.cluster.times.tls)
  }

  func upstreamOpened(_ connection: UpstreamConnection) {
    guard stage == .connecting, upstream === connection else { return }
    outgoing.addresses = []
    connection.socket?.interest = .read
    sendRequest(connection)
  }

  func upstreamFailed(_ connection: UpstreamConnection, _ error: SocketError) {
    guard upstream === connection else { return }
    switch stage {
    case .connecting:
      connection.close()
      upstream = nil
      connectToNextAddress(error)
    case .asking:
      fail(Failure(.upstream, .closedEarly, retry: .ifReused, detail: "\(error)"))
    case .relaying: fail(Failure(.upstream, .cut, detail: "\(error)"))
    default: break
    }
  }

  // MARK: Sending

  private func sendRequest(_ connection: UpstreamConnection) {
    guard let endpoint, let socket = connection.socket else { return }
    stage = .asking
    let batch = core.loop.batch
    batch.reset()
    if let sentHead = outgoing.sentHead {
      // A replay: the head was written before, for the same endpoint.
      batch.add(sentHead.bytes)
      outgoing.sentTotal = sentHead.count + outgoing.body.sentCount
    } else {
      guard let bytes = writeUpstreamHead(endpoint) else {
        return fail(Failure(.downstream, .framing(status: 431, reason: "The header section is too long.")))
      }
      batch.add(bytes)
      outgoing.sentTotal = bytes.count + outgoing.body.sentCount
    }
    let headBytes = batch.byteCount
    outgoing.sent = 0
    if streamsBody { return startStreaming(connection) }
    outgoing.body.lendSent(skipping: 0) { batch.add($0) }
    switch socket.write(batch) {
    case .failed(let error): return requestWasRefused(socket, error)
    case .wrote(let count): outgoing.sent = count
    }
    if outgoing.sent < outgoing.sentTotal {
      let head = UnsafeRawBufferPointer(rebasing: core.headRoom.room[..<headBytes])
      if outgoing.sentHead == nil { outgoing.sentHead = Chunk(copying: head) }
      outgoing.body.keep(core.loop)
      socket.interest.formUnion(.write)
      waitingFor = .writeStall
      bound(endpoint.cluster.times.writeStall)
    } else {
      if isReused, outgoing.sentHead == nil { keepForReplay(batch, headBytes) }
      requestWasSent()
    }
    releaseHead()
  }

  /// A reused connection may turn out to be dead: the request is kept until a byte of an answer has come. A small one is
  /// kept in one piece, from a large one the body keeps its place.
  private func keepForReplay(_ batch: WriteBatch, _ headBytes: Int) {
    if batch.byteCount - headBytes <= Self.replayCopyBytesMax {
      outgoing.sentHead = Chunk(copying: batch)
      outgoing.body.removeAll()
    } else {
      outgoing.sentHead = Chunk(copying: UnsafeRawBufferPointer(rebasing: core.headRoom.room[..<headBytes]))
    }
  }

  private static let replayCopyBytesMax = 8 << 10

  func upstreamWritable(_ connection: UpstreamConnection) {
    guard upstream === connection, let socket = connection.socket, let endpoint else { return }
    if streamsBody { return drainUpload(connection) }
    guard stage == .asking || stage == .relaying else { return }
    while outgoing.sent < outgoing.sentTotal {
      let batch = core.loop.batch
      batch.reset()
      let sent = outgoing.sent
      let headCount = outgoing.sentHead?.count ?? 0
      if let head = outgoing.sentHead, sent < headCount {
        batch.add(UnsafeRawBufferPointer(rebasing: head.bytes[sent...]))
      }
      outgoing.body.lendSent(skipping: max(0, sent - headCount)) { batch.add($0) }
      let offered = batch.byteCount
      guard offered > 0 else { break }
      switch socket.write(batch) {
      case .failed(let error): return requestWasRefused(socket, error)
      case .wrote(let count):
        outgoing.sent += count
        if stage == .asking, count > 0 { bound(endpoint.cluster.times.writeStall) }
        if count < offered { return }
      }
    }
    socket.interest.subtract(.write)
    if stage == .asking { requestWasSent() }
  }

  /// The endpoint takes no more of the request. It may have answered before it closed (413, 401): what it said is read
  /// first, and the end of that tells of the failure.
  func requestWasRefused(_ socket: Socket, _ error: SocketError) {
    socket.interest.subtract(.write)
    guard stage == .asking, let endpoint else { return }
    // OpenSSL reads nothing more after a write that failed.
    guard !socket.isTLS else {
      return fail(Failure(.upstream, .closedEarly, retry: .ifReused, detail: "\(error)"))
    }
    waitingFor = .writeStall
    bound(endpoint.cluster.times.writeStall)
  }

  func requestWasSent() {
    guard let endpoint else { return }
    record.sentAt = core.loop.now
    boundTotal(endpoint.cluster.times.total)
    waitingFor = .firstByte
    bound(endpoint.cluster.times.firstByte)
    // A fresh connection is never sent the same request twice: its bytes can go.
    if !isReused {
      outgoing.sentHead = nil
      outgoing.body.removeAll()
    }
  }

  // MARK: Time

  /// Bounds a plain answer as a whole, from the first time that its request is ready to be sent. A stream has no such
  /// bound, and whoever asked for one gets none until the answer turns out to be something else.
  func boundTotal(_ time: UInt64) {
    guard totalDeadline == 0, time != 0, !members.stream else { return }
    totalDeadline = core.loop.now &+ time
  }

  /// Bounds what is awaited from the upstream by `time` nanoseconds from now; 0 is no bound.
  func bound(_ time: UInt64) {
    deadline = time == 0 ? 0 : core.loop.now &+ time
    if totalDeadline != 0 { deadline = nearest(deadline, totalDeadline) }
    client.reschedule()
  }
}

extension Chunk {
  /// All pieces of a batch, one behind the other.
  fileprivate init(copying batch: WriteBatch) {
    let slab = Slab(capacity: batch.byteCount)
    var end = 0
    for index in 0..<batch.count {
      let piece = batch[index]
      UnsafeMutableRawBufferPointer(rebasing: slab.room[end...]).copyMemory(from: piece)
      end += piece.count
    }
    self.init(slab: slab, offset: 0, count: end)
  }
}
