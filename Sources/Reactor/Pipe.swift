// A kernel pipe through which bytes go from one plain socket to another without coming into user space (splice(2)). Large
// bodies that nobody reads take it; a loop keeps a few for those that follow.

import CUV
import Glibc

/// A pipe, and how much is in it.
public final class Pipe {
  fileprivate let output: Int32
  fileprivate let input: Int32
  /// Bytes that the pipe holds.
  public let capacity: Int
  /// Bytes inside.
  public fileprivate(set) var pending = 0

  /// Nil where no pipe can be had that is large enough to be worth it: with 64 KiB, the kernel's default, splicing costs
  /// more than reading and writing.
  init?() {
    var ends: (Int32, Int32) = (-1, -1)
    let made = withUnsafeMutableBytes(of: &ends) { room in
      // SAFETY: the kernel writes two numbers into a room of two.
      sluice_pipe2(room.baseAddress?.assumingMemoryBound(to: Int32.self), Int32(O_NONBLOCK) | Int32(O_CLOEXEC))
    }
    guard made == 0 else { return nil }
    output = ends.0
    input = ends.1
    let size = fcntl(input, Self.setSize, CInt(Self.capacityWanted))
    capacity = Int(size)
    // From here on deinit closes both ends.
    guard size >= Self.capacityMin else { return nil }
  }

  deinit {
    Glibc.close(output)
    Glibc.close(input)
  }

  private static let capacityWanted = 1 << 20
  private static let capacityMin = 256 << 10
  /// F_SETPIPE_SZ, which hides behind _GNU_SOURCE.
  private static let setSize: CInt = 1031
}

@available(*, unavailable)
extension Pipe: Sendable {}

extension Socket {
  /// Moves what is there into `pipe`, `limit` bytes at most. For plain sockets; ends and failures as with `read`.
  public func splice(into pipe: Pipe, limit: Int) -> ReadOutcome {
    guard !isTLS, limit > 0, pipe.pending < pipe.capacity else { return .wouldBlock }
    let outcome = taking {
      sluice_splice(descriptor, nil, pipe.input, nil, UInt(min(limit, pipe.capacity)), Self.moveWithoutWaiting)
    }
    if case .bytes(let count) = outcome { pipe.pending += count }
    return outcome
  }

  /// Moves what is in `pipe` to the peer, as far as the kernel takes it.
  public func splice(from pipe: Pipe) -> WriteOutcome {
    guard !isTLS, pipe.pending > 0 else { return .wrote(0) }
    let outcome = giving {
      sluice_splice(pipe.output, nil, descriptor, nil, UInt(pipe.pending), Self.moveWithoutWaiting)
    }
    if case .wrote(let count) = outcome { pipe.pending -= count }
    return outcome
  }

  /// SPLICE_F_MOVE and SPLICE_F_NONBLOCK.
  private static var moveWithoutWaiting: UInt32 { 3 }
}
