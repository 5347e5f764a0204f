// Where all failures of an exchange meet. One of three things happens: another attempt, an answer with an envelope, or an
// honest end of a stream that has begun.

import Bytes
import Flow
import Reactor
import Wire

extension Exchange {
  /// The exchange cannot go on as it was going.
  func fail(_ failure: Failure) {
    guard stage != .over, stage != .delivering else { return }
    if stage == .relaying { return endHonestly(failure) }
    if tryAgain(after: failure) { return }
    dropUpstream()
    record.failure = failure
    for link in surface.chain.failed {
      if var reply = link.failed(self, failure) {
        reply.closes = reply.closes || failure.closes
        return self.reply(reply)
      }
    }
    reply(Reply(status: failure.status, body: [], closes: failure.closes))
  }

  /// Whether the request was sent only just now: an endpoint that had given up an idle connection is found out at once.
  /// One that closes later may well have worked on the request, and have died of it.
  private var isSoon: Bool { record.sentAt == 0 || core.loop.now &- record.sentAt < Self.replayTime }

  private static let replayTime: UInt64 = 1_000_000_000

  /// Whether another attempt is under way now.
  private func tryAgain(after failure: Failure) -> Bool {
    let action = attempts.decide(
      failure.retry, isReused: isReused && isSoon, hasAnswer: responseParser != nil, canAddress: parser != nil)
    switch action {
    case .fail: return false
    case .retrySame:
      guard let endpoint else { return false }
      core.counters.replays &+= 1
      dropUpstream()
      connect(endpoint)
    case .elsewhere:
      outgoing.setbacks.append(failure)
      dropUpstream()
      dispatch()
    }
    return true
  }

  /// Something that was awaited from the upstream did not come in time.
  func deadlineReached(_ now: UInt64) {
    deadline = 0
    let wait: Failure.Wait = totalDeadline != 0 && now >= totalDeadline ? .total : waitingFor
    switch stage {
    case .connecting:
      if wait == .connect, !outgoing.addresses.isEmpty {
        upstream?.close()
        upstream = nil
        return connectToNextAddress(nil)
      }
      let retry: AnotherAttempt = wait == .total ? .never : .elsewhere
      fail(Failure(.upstream, .timeout(wait), retry: retry, detail: endpoint?.endpoint.name ?? ""))
    case .asking, .relaying: fail(Failure(.upstream, .timeout(wait)))
    case .deciding:
      if let pending = outgoing.pendingWait { pluginFailed(pending.ticket, "took longer than it may") }
    default: break
    }
  }

  /// Closes the upstream's connection at once, whatever it is doing.
  func dropUpstream() {
    deadline = 0
    dialing &+= 1
    outgoing.addresses = []
    upstream?.close()
    upstream = nil
    if let responseParser { core.giveResponseParser(responseParser) }
    responseParser = nil
    responseStore.removeAll()
  }

  // MARK: Streams that have begun

  /// The head is out, so no status can be taken back. An event stream gets an event that says what happened, where one
  /// can be put without tearing another apart; then the connection ends without the framing's end, so that nobody takes
  /// the answer for whole.
  private func endHonestly(_ failure: Failure) {
    client.departFirst()
    // The client may have gone over it.
    guard stage == .relaying else { return }
    record.failure = failure
    let parser = responseParser
    if takesEvents, let parser, SSE.endsEvent(tail: parser.payloadTail, count: parser.payloadCount),
      let event = streamFailedEvent(failure)
    {
      sendLastEvent(event, parser)
    }
    let hasNoFraming = !isAnswerFramed || (passage == .asIs && isVersion10)
    let client = client
    end()
    client.cutAfterDrain(abortively: hasNoFraming)
  }

  private func streamFailedEvent(_ failure: Failure) -> [UInt8]? {
    for link in surface.chain.failed {
      if let event = link.streamFailed(self, failure) { return event }
    }
    return nil
  }

  private func sendLastEvent(_ event: [UInt8], _ parser: MessageParser) {
    let batch = core.loop.batch
    batch.reset()
    event.withUnsafeBytes { bytes in
      switch (passage, parser.framing) {
      case (.chunked, _), (.asIs, .chunked):
        if passage == .asIs, let left = parser.chunkRemaining {
          // Within a chunk: the event must fit into what the chunk has announced.
          guard left >= UInt64(bytes.count) else { return }
          batch.add(bytes)
        } else {
          batch.add(core.chunkHead(bytes.count))
          batch.add(bytes)
          batch.add(ChunkedWriter.end)
        }
      case (.asIs, .length), (.none, _): return
      default: batch.add(bytes)
      }
      guard batch.byteCount > 0 else { return }
      record.bytesOut &+= UInt64(batch.byteCount)
      _ = client.send()
    }
  }
}
