// OpenSSL's side of one connection: turns its return codes into plain values. It works on the socket's own descriptor
// and owns nothing but the SSL object; it never tells anybody anything by itself. Only Socket uses it.

import COpenSSL
import Glibc

/// TLS on one connection.
final class TLSSession {
  enum Step {
    case done, wantsRead, wantsWrite
    case failed(SocketError)
  }

  enum Input {
    case bytes(Int)
    case wantsRead, wantsWrite
    case end(clean: Bool)
    case failed(SocketError)
  }

  private var ssl: OpaquePointer?
  private let cache: TLSSessionCache?
  private let server: String
  /// The last read left input behind because the room was full, or found the end behind bytes it had to return first.
  private(set) var hasBufferedInput = false
  /// What was found behind the bytes of the last read.
  private var finale: Input?
  /// OpenSSL does not allow another call after a fatal error, SSL_shutdown included.
  private var isFatal = false
  private var isUp = false
  private var writeBlocked = false
  private var saidGoodbye = false

  /// The server's side. Nil when there is no memory.
  init?(accepting descriptor: Int32, context: TLSServerContext) {
    guard let made = SSL_new(context.pointer) else { return nil }
    guard SSL_set_fd(made, descriptor) == 1 else {
      SSL_free(made)
      return nil
    }
    SSL_set_accept_state(made)
    ssl = made
    cache = nil
    server = ""
  }

  /// The client's side. `serverName` is what the certificate must be for. Nil when there is no memory.
  init?(connecting descriptor: Int32, context: TLSClientContext, serverName: String?) {
    guard let made = SSL_new(context.pointer) else { return nil }
    cache = serverName == nil ? nil : context.sessions
    server = serverName ?? ""
    guard SSL_set_fd(made, descriptor) == 1, Self.expect(serverName, made, verifies: context.verifies) else {
      SSL_free(made)
      return nil
    }
    SSL_set_connect_state(made)
    ssl = made
    sluice_ssl_set_owner(made, Unmanaged.passUnretained(self).toOpaque())
    cache?.apply(to: made, for: server)
  }

  deinit {
    if let ssl { SSL_free(ssl) }
  }

  /// A name goes into SNI and must be in the certificate; a literal address must be in it as an address (RFC 6066, 3).
  private static func expect(_ serverName: String?, _ ssl: OpaquePointer, verifies: Bool) -> Bool {
    guard var name = serverName, !name.isEmpty else {
      // Verifying a chain and not whom it is for would accept any site's certificate.
      return !verifies
    }
    let parameters = SSL_get0_param(ssl)
    if let literal = SocketAddress(literal: name, port: 0) {
      return X509_VERIFY_PARAM_set1_ip_asc(parameters, literal.host) == 1
    }
    // A final dot is DNS's way to say "absolute"; certificates are written without.
    if name.last == "." { name.removeLast() }
    X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
    return X509_VERIFY_PARAM_set1_host(parameters, name, name.utf8.count) == 1
      && sluice_ssl_server_name(ssl, name) == 1
  }

  /// Called by OpenSSL from inside `advance` or `read`. True when the reference was kept.
  func keep(_ session: OpaquePointer) -> Bool {
    guard let cache else { return false }
    cache.keep(session, for: server)
    return true
  }

  // MARK: Handshake

  /// Goes on with the handshake.
  func advance() -> Step {
    guard let ssl, !isFatal else { return .failed(SocketError(code: EPROTO, operation: "TLS handshake")) }
    ERR_clear_error()
    let status = SSL_do_handshake(ssl)
    if status == 1 {
      isUp = true
      // The peer's first bytes may have come in one segment with the end of the handshake.
      hasBufferedInput = SSL_has_pending(ssl) == 1
      return .done
    }
    switch SSL_get_error(ssl, status) {
    case SSL_ERROR_WANT_READ: return .wantsRead
    case SSL_ERROR_WANT_WRITE: return .wantsWrite
    case let error: return .failed(failure(error, "TLS handshake"))
    }
  }

  /// "http/1.1" when ALPN agreed on it.
  var negotiatedProtocol: String? {
    guard let ssl else { return nil }
    var name: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    SSL_get0_alpn_selected(ssl, &name, &count)
    guard let name, count > 0 else { return nil }
    return String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
  }

  /// Whether the handshake was short because both sides knew each other.
  var wasResumed: Bool { ssl.map { SSL_session_reused($0) == 1 } ?? false }

  // MARK: Bytes

  /// Decrypts what is there into `room`, as many records as fit.
  func read(into room: UnsafeMutableRawBufferPointer) -> Input {
    hasBufferedInput = false
    if let finale {
      self.finale = nil
      return finale
    }
    guard let ssl, let base = room.baseAddress, !isFatal else { return .wantsRead }
    var filled = 0
    while filled < room.count {
      ERR_clear_error()
      var count = 0
      // SAFETY: OpenSSL writes at most the rest of the room.
      let status = SSL_read_ex(ssl, base + filled, room.count - filled, &count)
      guard status == 1 else {
        let outcome = inputEnded(SSL_get_error(ssl, status))
        if filled == 0 { return outcome }
        switch outcome {
        case .end, .failed:
          // The kernel need not announce this again: the loop has to.
          finale = outcome
          hasBufferedInput = true
        default: break
        }
        return .bytes(filled)
      }
      filled += count
      // A record that is not full is most likely the last: asking on would be a read() that says EAGAIN.
      if SSL_has_pending(ssl) == 0, count < Self.recordBytesMax { return .bytes(filled) }
    }
    hasBufferedInput = SSL_has_pending(ssl) == 1
    return .bytes(filled)
  }

  private func inputEnded(_ error: Int32) -> Input {
    switch error {
    case SSL_ERROR_WANT_READ: return .wantsRead
    case SSL_ERROR_WANT_WRITE: return .wantsWrite
    case SSL_ERROR_ZERO_RETURN: return .end(clean: true)
    case SSL_ERROR_SSL where sluice_error_is_unexpected_eof(ERR_peek_error()) == 1:
      isFatal = true
      ERR_clear_error()
      return .end(clean: false)
    default: return .failed(failure(error, "TLS read"))
    }
  }

  /// Seals and sends the pieces in order; small ones are put together in `gather`, so that they share a record.
  func write(_ batch: WriteBatch, gathering gather: UnsafeMutableRawBufferPointer) -> Socket.WriteOutcome {
    guard !isFatal else { return .failed(SocketError(code: EPIPE, operation: "TLS write")) }
    var written = 0
    var piece = 0
    var offset = 0
    while piece < batch.count {
      let run = batch.piece(piece, from: offset)
      let bytes: UnsafeRawBufferPointer
      if run.count >= gather.count || piece == batch.count - 1 {
        bytes = run
      } else {
        bytes = batch.gather(into: gather, piece: piece, offset: offset)
      }
      switch send(bytes) {
      case .wrote(let count):
        written += count
        if count < bytes.count, writeBlocked { return .wrote(written) }
        batch.advance(&piece, &offset, by: count)
      case .failed(let error): return .failed(error)
      }
    }
    return .wrote(written)
  }

  /// One SSL_write: at most one record, because partial writes are allowed.
  private func send(_ bytes: UnsafeRawBufferPointer) -> Socket.WriteOutcome {
    guard let ssl, let base = bytes.baseAddress else {
      return .failed(SocketError(code: EPIPE, operation: "TLS write"))
    }
    ERR_clear_error()
    var count = 0
    let status = SSL_write_ex(ssl, base, bytes.count, &count)
    if status == 1 {
      writeBlocked = false
      return .wrote(count)
    }
    let error = SSL_get_error(ssl, status)
    switch error {
    case SSL_ERROR_WANT_WRITE, SSL_ERROR_WANT_READ:
      writeBlocked = true
      return .wrote(0)
    default: return .failed(failure(error, "TLS write"))
    }
  }

  private func failure(_ error: Int32, _ operation: StaticString) -> SocketError {
    isFatal = true
    let code = error == SSL_ERROR_SYSCALL ? errno : 0
    let complaint = ERR_peek_error()
    ERR_clear_error()
    if error == SSL_ERROR_SYSCALL, complaint == 0 {
      return SocketError(code: code != 0 ? code : ECONNRESET, operation: operation)
    }
    let verdict = isUp ? 0 : ssl.map { SSL_get_verify_result($0) } ?? 0
    return SocketError(tls: complaint, verify: verdict, operation: operation)
  }

  // MARK: The end

  /// close_notify, if it goes out without waiting. Not repeated.
  func sayGoodbye() {
    guard let ssl, isUp, !isFatal, !writeBlocked, !saidGoodbye else { return }
    saidGoodbye = true
    ERR_clear_error()
    SSL_shutdown(ssl)
    ERR_clear_error()
  }

  /// Frees OpenSSL's memory; nothing works afterwards.
  func free() {
    if let ssl { SSL_free(ssl) }
    ssl = nil
    hasBufferedInput = false
  }

  private static let recordBytesMax = 16_384
}

extension WriteBatch {
  /// What is left of a piece behind `offset`.
  func piece(_ index: Int, from offset: Int) -> UnsafeRawBufferPointer {
    guard index < count else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    let piece = pieces[index]
    let start = min(offset, piece.iov_len)
    // SAFETY: start is within the piece, which whoever added it keeps alive until the write is over.
    let base = piece.iov_base.map { UnsafeRawPointer($0) + start }
    return UnsafeRawBufferPointer(start: base, count: piece.iov_len - start)
  }

  /// Copies from `piece` on into `room` until it is full or the batch is over.
  func gather(into room: UnsafeMutableRawBufferPointer, piece: Int, offset: Int) -> UnsafeRawBufferPointer {
    var filled = 0
    var piece = piece
    var offset = offset
    while piece < count, filled < room.count {
      let run = self.piece(piece, from: offset)
      let size = min(run.count, room.count - filled)
      UnsafeMutableRawBufferPointer(rebasing: room[filled..<(filled + size)])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: run[..<size]))
      filled += size
      advance(&piece, &offset, by: size)
    }
    return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(room)[..<filled])
  }

  /// Moves a place in the batch on by `amount` bytes.
  func advance(_ piece: inout Int, _ offset: inout Int, by amount: Int) {
    offset += amount
    while piece < count, offset >= pieces[piece].iov_len {
      offset -= pieces[piece].iov_len
      piece += 1
    }
  }
}
