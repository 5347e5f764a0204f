// The answer's shortest way: a large body of known length that nobody reads goes from socket to socket through a kernel
// pipe, and is never in user space. Begun when a read came back full and much is still to come; it ends with the body.
//
//   upstream's socket ─splice─▶ pipe ─splice─▶ client's socket
//
// While the client's socket is full the pipe holds what was taken, and the upstream is not read: the bound is the pipe.

import Flow
import Reactor
import Wire

extension Exchange {
  /// Goes over to splicing, where that is possible and worth it. Asked behind a read that filled the room.
  func considerSplicing() {
    guard stage == .relaying, passage == .asIs, !isEventStream, !isHeard, let left = responseParser?.lengthLeft,
      left >= Self.spliceBytesMin, client.outlet.queue.isEmpty, let from = upstream?.socket, !from.isTLS,
      let to = client.socketOrNil, !to.isTLS
    else { return }
    pipe = core.loop.takePipe()
  }

  /// The upstream has bytes for the pipe.
  func splice(_ socket: Socket, through pipe: Pipe) {
    guard let endpoint, let parser = responseParser, let connection = upstream else { return }
    touch(endpoint.cluster.times)
    for _ in 0..<Self.splicesPerWake {
      guard let left = parser.lengthLeft else { return }
      switch socket.splice(into: pipe, limit: Int(clamping: left)) {
      case .wouldBlock: return
      case .end: return upstreamEnded(socket)
      case .failed(let error): return upstreamFailed(connection, error)
      case .bytes(let count):
        parser.passBody(count)
        record.bytesOut &+= UInt64(count)
        core.counters.bytesSpliced &+= UInt64(count)
        guard emptyPipe(pipe) else { return }
      }
    }
  }

  /// The client takes bytes again.
  func clientTakesSpliced(_ pipe: Pipe) {
    let before = pipe.pending
    guard emptyPipe(pipe) else {
      // Not behind the last bytes: with these the exchange is over, and nothing waits any more.
      if pipe.pending > 0, pipe.pending < before { client.stall() }
      return
    }
    guard stage == .relaying, let socket = upstream?.socket, let endpoint else { return }
    socket.interest.formUnion(.read)
    touch(endpoint.cluster.times)
  }

  /// Gives the client what is in the pipe. False when some is left, or nothing more is to come.
  private func emptyPipe(_ pipe: Pipe) -> Bool {
    guard let to = client.socketOrNil else { return false }
    if case .failed = to.splice(from: pipe) {
      client.left()
      return false
    }
    guard pipe.pending == 0 else {
      waitForClient(to)
      return false
    }
    client.pipeIsEmpty()
    guard responseParser?.isComplete ?? false else { return true }
    answerIsWhole(hasExtra: false)
    return false
  }

  private func waitForClient(_ to: Socket) {
    guard !client.waitsForPipe else { return }
    client.pipeWaits(to)
    guard let socket = upstream?.socket, socket.interest.contains(.read) else { return }
    core.counters.pauses &+= 1
    socket.interest.subtract(.read)
    // A slow client is bounded by its own stall time, not by the upstream's.
    deadline = totalDeadline
  }

  /// Less than this is not worth a pipe.
  private static let spliceBytesMin: UInt64 = 128 << 10
  private static let splicesPerWake = 4
}
