// Small pieces of streams that came in one turn, and leave together at its end. Each stays where it was read; later reads of
// the turn go behind it.
//
//   read A · read B · read C · … · write A · write B · write C        instead of        read A · write A · read B · …
//
// Whoever receives is woken once and finds more to do, instead of being woken for each piece: on 500 streams with 20 events
// a second each, a relay that does nothing else saves a tenth of its CPU time (14.6 us an event against 16.3).

import Reactor

/// What leaves a core at the end of the turn.
final class Departures {
  private struct Departure {
    let client: Unmanaged<ClientConnection>
    let bytes: UnsafeRawBufferPointer
  }

  private let loop: Loop
  private let waiting: UnsafeMutablePointer<Departure>
  private var count = 0
  private var isLeaving = false

  init(loop: Loop) {
    self.loop = loop
    waiting = .allocate(capacity: Self.countMax)
  }

  deinit { waiting.deallocate() }

  /// Whether a piece of so many bytes may wait. A large one leaves at once: it is work enough for whoever receives it.
  func takes(_ byteCount: Int) -> Bool { byteCount <= Self.bytesMax && count < Self.countMax && !isLeaving }

  /// Room to read into, large enough for a head or a piece of a body.
  func readRoom() -> UnsafeMutableRawBufferPointer {
    let room = loop.readRoom
    if room.count >= Self.roomMin || count == 0 { return room }
    leave()
    return loop.readRoom
  }

  /// Lets `bytes`, which were just read into the loop's room, leave with the others. Asked of `takes` before.
  func add(_ client: ClientConnection, _ bytes: UnsafeRawBufferPointer) {
    guard count < Self.countMax else { return }
    // SAFETY: a client that closes lives to the end of the turn, which is behind `leave`; the bytes are claimed until then.
    (waiting + count).initialize(to: Departure(client: Unmanaged.passUnretained(client), bytes: bytes))
    count += 1
    loop.claimRoom(through: bytes)
    client.departs = true
    if count == Self.countMax { leave() }
  }

  /// All of them leave now.
  func leave() {
    guard count > 0, !isLeaving else { return }
    isLeaving = true
    for index in 0..<count {
      let departure = waiting[index]
      departure.client._withUnsafeGuaranteedRef { $0.depart(departure.bytes) }
    }
    count = 0
    isLeaving = false
    loop.freeRoom()
  }

  /// A turn of so many events is cut into pieces, so that the first does not wait for the last.
  private static let countMax = 64
  private static let bytesMax = 4 << 10
  private static let roomMin = 32 << 10
}

extension ClientConnection {
  /// Writes a piece that has waited for the end of the turn.
  fileprivate func depart(_ bytes: UnsafeRawBufferPointer) {
    departs = false
    guard let socket = socketOrNil else { return }
    let batch = core.loop.batch
    batch.reset()
    batch.add(bytes)
    var copied = 0
    let delivery = outlet.send(
      socket, core.loop, marks: core.snapshot.relay, copied: &copied, sharesRoom: true)
    exchange?.copied(copied)
    guard let action = settle(delivery) else { return }
    exchange?.act(on: action)
  }

  /// What waits for the end of the turn leaves now: something else is about to be sent.
  func departFirst() {
    if departs { core.departures.leave() }
  }
}
