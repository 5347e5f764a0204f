// What all TLS connections of a listener, or towards a cluster, have in common. Made once from configuration, then only
// read: OpenSSL counts its references atomically, so one context serves all cores.

import COpenSSL
import Glibc

/// Certificate and rules of a listener.
public final class TLSServerContext: Sendable {
  // SAFETY: an SSL_CTX that is not changed after init may be used from any thread.
  nonisolated(unsafe) let pointer: OpaquePointer

  /// Loads a chain of certificates (leaf first) and its private key, both PEM. TLS 1.2 and 1.3, ALPN "http/1.1", no
  /// renegotiation, no compression.
  public init(certificateFile: String, keyFile: String) throws(ReactorError) {
    ERR_clear_error()
    pointer = try TLSRules.makeContext(TLS_server_method())
    guard SSL_CTX_use_certificate_chain_file(pointer, certificateFile) == 1 else {
      throw TLSRules.lastError("load certificate", file: certificateFile)
    }
    guard SSL_CTX_use_PrivateKey_file(pointer, keyFile, SSL_FILETYPE_PEM) == 1 else {
      throw TLSRules.lastError("load private key", file: keyFile)
    }
    guard SSL_CTX_check_private_key(pointer) == 1 else { throw TLSRules.lastError("match private key") }
    SSL_CTX_set_alpn_select_cb(pointer, { TLSCallbacks.selectProtocol($1, $2, $3, $4, $5) }, nil)
  }

  deinit { SSL_CTX_free(pointer) }
}

/// Trust and rules towards backends. Keeps sessions per server, so that a reconnect costs no signature.
public final class TLSClientContext: Sendable {
  // SAFETY: an SSL_CTX that is not changed after init may be used from any thread.
  nonisolated(unsafe) let pointer: OpaquePointer
  let sessions = TLSSessionCache()
  let verifies: Bool

  /// - Parameters:
  ///   - caFile: PEM file of the authorities to trust; nil for the system's.
  ///   - verify: false accepts any certificate, for a backend that is trusted otherwise.
  public init(caFile: String?, verify: Bool = true) throws(ReactorError) {
    ERR_clear_error()
    verifies = verify
    pointer = try TLSRules.makeContext(TLS_client_method())
    if let caFile {
      guard SSL_CTX_load_verify_file(pointer, caFile) == 1 else {
        throw TLSRules.lastError("load authorities", file: caFile)
      }
    } else if verify {
      guard SSL_CTX_set_default_verify_paths(pointer) == 1 else { throw TLSRules.lastError("load system authorities") }
    }
    SSL_CTX_set_verify(pointer, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)
    let offered = TLSRules.offeredProtocols
    guard SSL_CTX_set_alpn_protos(pointer, offered, UInt32(truncatingIfNeeded: offered.count)) == 0 else {
      throw TLSRules.lastError("offer ALPN")
    }
    sluice_ssl_cache_client_sessions(pointer)
    SSL_CTX_sess_set_new_cb(pointer) { TLSCallbacks.keepSession($0, $1) }
  }

  deinit { SSL_CTX_free(pointer) }
}

/// What both sides have in common.
enum TLSRules {
  /// ALPN's wire form: a length, then the name.
  static let offeredProtocols: [UInt8] = [8] + Array("http/1.1".utf8)

  static func makeContext(_ method: OpaquePointer?) throws(ReactorError) -> OpaquePointer {
    guard let context = SSL_CTX_new(method) else { throw lastError("SSL_CTX_new") }
    guard sluice_ssl_min_version(context, TLS1_2_VERSION) == 1 else {
      SSL_CTX_free(context)
      throw lastError("set minimum TLS version")
    }
    sluice_ssl_set_options(context)
    sluice_ssl_set_mode(context)
    sluice_ssl_read_ahead(context)
    return context
  }

  /// The newest complaint of this thread; the error number too when `file` cannot even be opened.
  static func lastError(_ operation: StaticString, file: String? = nil) -> ReactorError {
    let complaint = ERR_peek_last_error()
    ERR_clear_error()
    let code = file.map { access($0, R_OK) == 0 ? 0 : errno } ?? 0
    return ReactorError(tls: complaint, code: code, operation: operation)
  }
}

enum TLSCallbacks {
  /// Picks "http/1.1" from what the client offers. A client that only offers others is refused (RFC 7301, 3.2).
  static func selectProtocol(
    _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ length: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?, _ offeredCount: UInt32, _: UnsafeMutableRawPointer?
  ) -> Int32 {
    guard let offered, let chosen, let length else { return SSL_TLSEXT_ERR_NOACK }
    let all = UnsafeBufferPointer(start: offered, count: Int(offeredCount))
    var start = 0
    while start < all.count {
      let size = Int(all[start])
      guard size < all.count - start else { break }
      // SAFETY: the name ends inside what OpenSSL lends, which stays until the handshake has used the answer.
      let name = UnsafeBufferPointer(rebasing: all[(start + 1)..<(start + 1 + size)])
      if name.elementsEqual("http/1.1".utf8) {
        chosen.pointee = name.baseAddress
        length.pointee = UInt8(truncatingIfNeeded: size)
        return SSL_TLSEXT_ERR_OK
      }
      start += 1 + size
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
  }

  /// A server gave us a session to come back with. Returns 1 when the reference is kept.
  static func keepSession(_ ssl: OpaquePointer?, _ session: OpaquePointer?) -> Int32 {
    guard let ssl, let session, let owner = sluice_ssl_owner(ssl) else { return 0 }
    // SAFETY: set by the connection, which frees its SSL before it goes away; called from inside its own methods.
    return Unmanaged<TLSSession>.fromOpaque(owner)._withUnsafeGuaranteedRef { $0.keep(session) ? 1 : 0 }
  }
}
