// How an exchange ends: its answer delivered, its client gone, or the gateway's own reply out.

import Bytes
import Flow
import Reactor
import Wire

extension Exchange {
  /// The upstream's part is done: its connection goes back to the pool, or closes. `hasExtra` tells that it said more than
  /// it should have, or has closed.
  func answerIsWhole(hasExtra: Bool) {
    guard stage == .relaying else { return }
    stage = .delivering
    deadline = 0
    totalDeadline = 0
    if let upstream, let endpoint {
      let isReusable =
        !hasExtra && isRequestWhole && outgoing.sent >= outgoing.sentTotal && upstream.outlet.queue.isEmpty
        && (responseParser?.keepAlive ?? false)
      self.upstream = nil
      upstream.exchange = nil
      if isReusable {
        if let socket = upstream.socket, socket.interest != .read { socket.interest = .read }
        endpoint.putIdle(upstream, core.loop.now)
      } else {
        upstream.close()
      }
    }
    if let responseParser { core.giveResponseParser(responseParser) }
    responseParser = nil
    if client.outlet.relay.sourceEnded() == .finish { delivered() }
  }

  /// The client's socket has taken the last byte.
  func delivered() {
    guard stage == .delivering else { return }
    let keepsAlive = answerKeepsAlive
    let unread = unreadRequest()
    let client = client
    end()
    client.exchangeEnded(keepsAlive: keepsAlive, unread: unread)
  }

  /// Answers without an upstream.
  func reply(_ reply: Reply) {
    guard stage != .over, stage != .delivering, stage != .relaying else { return }
    dropUpstream()
    stage = .delivering
    record.status = reply.status
    answerKeepsAlive = clientKeepsAlive && !reply.closes && !core.isDraining
    switch unreadRequest() {
    case .none: break
    // An unread body of known and bearable length is dropped as it comes; any other ends the connection.
    case .length(let left) where left <= Self.unreadBytesMax && !expectsContinue: break
    default: answerKeepsAlive = false
    }
    guard let head = writeReplyHead(reply) else { return clientLeft() }
    let batch = core.loop.batch
    batch.reset()
    batch.add(head)
    let action: Relay.Action? = reply.body.withUnsafeBytes { bytes in
      if !isHead { batch.add(bytes) }
      record.bytesOut &+= UInt64(batch.byteCount)
      return client.send()
    }
    guard action != nil else { return }
    if client.outlet.relay.sourceEnded() == .finish { delivered() }
  }

  private static let unreadBytesMax: UInt64 = 256 << 10

  /// What of the request has not been read.
  private func unreadRequest() -> Framing {
    guard !isRequestWhole else { return .none }
    guard let parser, case .length(let length) = parser.framing else { return .untilClose }
    return .length(length - min(length, parser.payloadCount))
  }

  /// The client is gone: the upstream is freed in the same turn.
  func clientLeft() {
    guard stage != .over else { return }
    record.clientLeft = true
    end()
    client.close()
  }

  /// The time for draining is over.
  func endForShutdown() {
    switch stage {
    case .delivering:
      record.failure = record.failure ?? Failure(.own, .draining)
      end()
      client.close()
    case .over: break
    default: fail(Failure(.own, .draining))
    }
  }

  /// Lets go of everything and tells the plugins that want to know.
  func end() {
    guard stage != .over else { return }
    dropUpstream()
    stage = .over
    isRequestWhole = true
    releaseHead()
    releaseOutgoing()
    if let pipe { core.loop.givePipe(pipe) }
    pipe = nil
    editor = nil
    endpoint = nil
    record.endedAt = core.loop.now
    record.attempts = UInt8(clamping: attempts.count)
    for link in surface.chain.finished { link.finished(self) }
    if snapshot.logsAccess { core.accessLog?.add(&record) }
  }
}
