// Bytes on their way out of a demo connection. The gateway's byte path copies nothing; here a copy is cheaper than the
// thought.

import Reactor

/// Bytes that were written and that the kernel has not taken yet.
struct Outbox {
  /// What a flush came to.
  enum Outcome {
    case empty, full, failed
  }

  /// Everything since the outbox was last empty; append to it.
  var bytes: [UInt8] = []
  private var sent = 0

  /// Whether the kernel has taken everything.
  var isEmpty: Bool { sent == bytes.count }

  /// Sends as much as the socket takes.
  mutating func flush(to socket: Socket, _ batch: WriteBatch) -> Outcome {
    while !isEmpty {
      let outcome = bytes.withUnsafeBytes { bytes in
        batch.reset()
        batch.add(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
        return socket.write(batch)
      }
      switch outcome {
      case .wrote(0): return .full
      case .wrote(let count): sent = min(sent + count, bytes.count)
      case .failed: return .failed
      }
    }
    bytes.removeAll(keepingCapacity: bytes.count <= Self.keptBytesMax)
    sent = 0
    return .empty
  }

  /// A larger room is given back once it is empty.
  private static let keptBytesMax = 32_768
}
