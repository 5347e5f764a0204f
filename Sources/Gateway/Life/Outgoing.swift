// What an exchange keeps of its request until nothing of it will be asked for again: the bytes to send, or to send once
// more, and where it has been tried. Apart from the exchange, because a stream that is under way needs none of it, and
// streams are many and long: each core keeps a few of these for the exchanges that begin.

import Bytes
import Reactor
import Wire

/// The sending side of one exchange.
final class Outgoing {
  /// The request's head, where it did not come in one read or had to outlive it.
  var headStore = HeadStore()
  var body = RequestBody()
  var places = BodyPlaces()
  /// The plugin that waits, where one does.
  var pendingWait: PendingWait?
  /// Counts the times that a plugin waited; never set back.
  var waits: UInt32 = 0
  var scanner: BodyScanner?
  /// What the head of the answer will say of limits.
  var rates = Rates()
  /// The head that went to the endpoint, kept for a replay; a small request with its body.
  var sentHead: Chunk?
  var sent = 0
  var sentTotal = 0
  var clusterState: ClusterState?
  /// One bit for each endpoint that was tried.
  var tried: UInt64 = 0
  /// Why the endpoints before this one were given up.
  var setbacks: [Failure] = []
  /// Addresses of the endpoint that have not been tried, the next one last.
  var addresses: [SocketAddress] = []

  func reset() {
    headStore = HeadStore()
    body = RequestBody()
    places = BodyPlaces()
    pendingWait = nil
    scanner = nil
    rates = Rates()
    sentHead = nil
    sent = 0
    sentTotal = 0
    clusterState = nil
    tried = 0
    if !setbacks.isEmpty { setbacks = [] }
    if !addresses.isEmpty { addresses = [] }
  }
}

extension Exchange {
  /// The answer has begun and the request is out: nothing of it will be sent again.
  func releaseOutgoing() {
    guard outgoing !== core.spent else { return }
    let done = outgoing
    outgoing = core.spent
    core.giveOutgoing(done)
  }
}
