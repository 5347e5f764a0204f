// Reading and writing of a socket: one system call each, no memory of its own, nothing copied when it is plain.

import Glibc

extension Socket {
  /// What a read came to.
  public enum ReadOutcome {
    /// So many bytes lie in the room. Fewer than fit means that the kernel has no more just now.
    case bytes(Int)
    /// Nothing there; `socketReadable` follows when there is.
    case wouldBlock
    /// The peer is done, see `endedCleanly`. Final.
    case end
    /// The connection broke. Final.
    case failed(SocketError)
  }

  /// What a write came to.
  public enum WriteOutcome {
    /// So many bytes were taken, in order, perhaps not all; 0 when the peer's side is full. `socketWritable` tells when
    /// it takes more.
    case wrote(Int)
    /// The connection broke. Bytes that arrived before that can still be read.
    case failed(SocketError)
  }

  /// Reads what is there into `room`.
  public func read(into room: UnsafeMutableRawBufferPointer) -> ReadOutcome {
    guard let base = room.baseAddress, room.count > 0 else { return .wouldBlock }
    if let session, state == .open, !notes.contains(.ended) { return read(through: session, into: room) }
    return taking {
      // recv and send go straight to the socket, past what read and write do for files.
      // SAFETY: the kernel writes at most `count` bytes behind `base`, which the caller keeps for the call.
      Glibc.recv(descriptor, base, room.count, 0)
    }
  }

  /// What a call came to that takes bytes from the kernel.
  @inline(__always)
  func taking(_ call: () -> Int) -> ReadOutcome {
    guard state == .open else { return .wouldBlock }
    guard !notes.contains(.ended) else { return theEnd }
    while true {
      let count = call()
      if count > 0 { return .bytes(count) }
      if count == 0 {
        notes.formUnion(broughtDown ? .ended : [.ended, .clean])
        return theEnd
      }
      switch errno {
      case EINTR: continue
      case EAGAIN: return .wouldBlock
      default:
        failure = errno
        notes.insert(.ended)
        return theEnd
      }
    }
  }

  /// Writes the pieces of `batch` in order, as far as the kernel takes them.
  ///
  /// TLS seals whole records: bytes that were not taken have to be offered again, the same bytes first, with or without
  /// more behind them.
  public func write(_ batch: WriteBatch) -> WriteOutcome {
    guard batch.count > 0 else { return .wrote(0) }
    if let session, state == .open { return write(batch, through: session) }
    return giving {
      // SAFETY: the batch's pieces are alive by the caller's promise; the kernel reads at most their lengths.
      if batch.count == 1 {
        return Glibc.send(descriptor, batch.pieces.pointee.iov_base, batch.pieces.pointee.iov_len, 0)
      }
      var message = msghdr()
      message.msg_iov = batch.pieces
      message.msg_iovlen = batch.count
      return Glibc.sendmsg(descriptor, &message, 0)
    }
  }

  /// What a call came to that gives bytes to the kernel.
  @inline(__always)
  func giving(_ call: () -> Int) -> WriteOutcome {
    guard state == .open else { return .wrote(0) }
    while true {
      let count = call()
      if count >= 0 { return .wrote(count) }
      switch errno {
      case EINTR: continue
      case EAGAIN: return .wrote(0)
      default:
        let code = errno
        if failure == 0 { failure = code }
        return .failed(SocketError(code: code, operation: "write"))
      }
    }
  }

  /// Whether an end of input is really a failure that was noticed elsewhere: the error number is told only once by the
  /// kernel. EPIPE is about our side alone; what the peer sent before it closed is complete.
  private var broughtDown: Bool { failure != 0 && failure != EPIPE }

  private var theEnd: ReadOutcome {
    notes.contains(.clean) || !broughtDown ? .end : .failed(SocketError(code: failure, operation: "read"))
  }

  private func read(through session: TLSSession, into room: UnsafeMutableRawBufferPointer) -> ReadOutcome {
    let outcome = session.read(into: room)
    switch outcome {
    case .bytes(let count): return .bytes(count)
    case .wantsRead: return .wouldBlock
    case .wantsWrite:
      notes.insert(.readNeedsWrite)
      interestChanged()
      return .wouldBlock
    case .end(let clean):
      notes.formUnion(clean ? [.ended, .clean] : .ended)
      return broughtDown ? theEnd : .end
    case .failed(let error):
      if failure == 0 { failure = error.code != 0 ? error.code : EPROTO }
      notes.insert(.ended)
      return .failed(error)
    }
  }

  private func write(_ batch: WriteBatch, through session: TLSSession) -> WriteOutcome {
    let outcome = session.write(batch, gathering: loop.recordRoom)
    if case .failed(let error) = outcome, failure == 0 { failure = error.code != 0 ? error.code : EPROTO }
    return outcome
  }
}
