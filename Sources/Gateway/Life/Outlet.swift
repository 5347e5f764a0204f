// One direction of bytes into a socket: what could not be written yet, and the relay that decides when its source must
// pause. Both sides of an exchange have one. The deeds only; `Relay` in Flow holds the decisions.

import Bytes
import Flow
import Reactor

/// What a write came to.
enum Delivery {
  /// The kernel took it, or it waits; `action` tells what the source is to do.
  case went(Relay.Action)
  /// The peer is gone.
  case failed(SocketError)
}

/// A socket's waiting bytes and their relay.
struct Outlet: ~Copyable {
  /// Bytes the socket has not taken.
  var queue = ChunkQueue()
  var relay = Relay.flowing(pending: 0)

  /// Writes the loop's batch. What the socket does not take is kept: a piece that lies in the loop's room takes the
  /// room with it, so that relayed bytes are not copied; any other piece is copied.
  ///
  /// Where the room is shared with pieces of others (`Departures`) it cannot go with one of them, and nothing can be read
  /// behind it: what is left of a piece is copied to the front of a room of its own.
  mutating func send(
    _ socket: Socket, _ loop: Loop, marks: Watermarks, copied: inout Int, sharesRoom: Bool = false
  ) -> Delivery {
    let batch = loop.batch
    let total = batch.byteCount
    var accepted = 0
    if queue.isEmpty {
      switch socket.write(batch) {
      case .wrote(let count): accepted = count
      case .failed(let error): return .failed(error)
      }
    }
    if accepted < total {
      if sharesRoom, queue.tailRoom(atLeast: total - accepted) == nil {
        queue.appendEmpty(Slab(capacity: loop.room.capacity))
      }
      keep(batch, after: accepted, loop, copied: &copied)
    }
    return .went(relay.wrote(total, accepted: accepted, marks: marks))
  }

  /// Takes in `count` bytes that were read straight into the tail of the queue.
  mutating func commit(_ count: Int, marks: Watermarks) -> Relay.Action {
    queue.commit(count)
    return relay.wrote(count, accepted: 0, marks: marks)
  }

  /// Writes what waits, as far as the socket takes it.
  mutating func drain(_ socket: Socket, _ loop: Loop, marks: Watermarks) -> Delivery {
    var action = Relay.Action.none
    while !queue.isEmpty {
      let batch = loop.batch
      batch.reset()
      queue.lendEach { batch.add($0) }
      let offered = batch.byteCount
      switch socket.write(batch) {
      case .failed(let error): return .failed(error)
      case .wrote(let count):
        queue.consume(count)
        let next = relay.drained(count, marks: marks)
        if next != .none { action = next }
        if count < offered { return .went(action) }
      }
    }
    return .went(action)
  }

  /// Forgets what waits: the peer is gone.
  mutating func close() {
    queue.removeAll()
    relay.close()
  }

  private mutating func keep(_ batch: WriteBatch, after accepted: Int, _ loop: Loop, copied: inout Int) {
    var skip = accepted
    let room = loop.room
    let start = UInt(bitPattern: room.base)
    var handedOver = false
    for index in 0..<batch.count {
      let piece = batch[index]
      guard skip < piece.count, let address = piece.baseAddress else {
        skip -= piece.count
        continue
      }
      let rest = UnsafeRawBufferPointer(rebasing: piece[skip...])
      let at = UInt(bitPattern: address) &+ UInt(skip)
      if !handedOver, rest.count <= Self.copiedBytesMax, let tail = queue.tailRoom(atLeast: Self.copiedBytesMax) {
        // Many small pieces behind a slow peer would otherwise hold a room each, a thousand times their size.
        tail.copyMemory(from: rest)
        queue.commit(rest.count)
        copied &+= rest.count
      } else if at >= start, at &+ UInt(rest.count) <= start &+ UInt(room.capacity) {
        // The bytes stay where the kernel put them; the room goes with them.
        if !handedOver {
          _ = loop.handOverRoom()
          handedOver = true
        }
        queue.append(Chunk(slab: room, offset: Int(at &- start), count: rest.count))
      } else {
        queue.append(Chunk(copying: rest))
        copied &+= rest.count
      }
      skip = 0
    }
  }

  /// The largest piece that is copied behind others that wait already.
  private static let copiedBytesMax = 4 << 10
}
