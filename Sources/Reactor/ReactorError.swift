// The one error type of this room. It is a plain value of a few words, made where a call failed: nothing is allocated
// and no text is built until somebody asks for it, so that errors may travel on the byte path.

import COpenSSL
import CUV
import Glibc

/// A call to the kernel, to libuv or to OpenSSL that failed.
public struct ReactorError: Error, Sendable {
  /// What kind of failure this is, as far as anybody has to act differently.
  public enum Kind: Sendable {
    /// Nobody listens there.
    case refused
    /// The peer tore the connection down.
    case reset
    /// The kernel gave up waiting for the peer.
    case timedOut
    /// There is no way to the address, or the name has none.
    case unreachable
    /// The peer's certificate does not convince us.
    case tlsVerification
    /// The peer does not speak TLS as we do.
    case tls
    /// This process, or the machine, has no descriptors, ports or socket memory left.
    case descriptors
    /// Anything else.
    case other
  }

  /// The error number of the kernel (`ECONNREFUSED`), or of libuv when its own, without the sign; 0 when only TLS failed.
  public let code: Int32
  /// The call that failed.
  public let operation: StaticString
  /// What kind of failure this is.
  public let kind: Kind
  /// OpenSSL's packed error, 0 when there is none.
  let tlsCode: UInt
  /// OpenSSL's verdict on the peer's certificate, `X509_V_OK` when it has no complaint.
  let verifyCode: Int

  /// A failed system call.
  public init(code: Int32, operation: StaticString) {
    self.code = code
    self.operation = operation
    kind = Self.kind(of: code)
    tlsCode = 0
    verifyCode = 0
  }

  /// A failed call to libuv, which returns error numbers with a minus sign.
  init(uv status: Int32, operation: StaticString) {
    self.init(code: 0 &- status, operation: operation)
  }

  /// A failure inside TLS.
  init(tls tlsCode: UInt, verify verifyCode: Int = 0, code: Int32 = 0, operation: StaticString) {
    self.code = code
    self.operation = operation
    self.tlsCode = tlsCode
    self.verifyCode = verifyCode
    kind = verifyCode != 0 ? .tlsVerification : .tls
  }

  /// OpenSSL's own words, when TLS failed.
  public var tlsDetail: String? {
    if verifyCode != 0, let words = X509_verify_cert_error_string(verifyCode) { return String(cString: words) }
    if tlsCode != 0, let words = ERR_reason_error_string(tlsCode) { return String(cString: words) }
    return kind == .tls ? "TLS failed" : nil
  }

  private static func kind(of code: Int32) -> Kind {
    switch code {
    case ECONNREFUSED, ENOENT: .refused
    case ECONNRESET, EPIPE, ECONNABORTED: .reset
    case ETIMEDOUT: .timedOut
    case EHOSTUNREACH, ENETUNREACH, ENETDOWN, EHOSTDOWN: .unreachable
    // EADDRNOTAVAIL from connect means that all ports of our own are taken.
    case EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL: .descriptors
    // libuv numbers the failures of name lookup from 3000 on (UV_EAI_*).
    case 3000...3014: .unreachable
    default: .other
    }
  }
}

/// The same error, under the name that reads well next to a socket.
public typealias SocketError = ReactorError

extension ReactorError: CustomStringConvertible {
  /// "connect: connection refused", and what TLS adds.
  public var description: String {
    var words = "\(operation)"
    if code != 0 {
      words += ": "
      words += withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
        // SAFETY: uv_strerror_r writes at most `capacity` bytes and ends them with a zero.
        guard let base = buffer.baseAddress, uv_strerror_r(0 &- code, base, buffer.count) != nil else { return "?" }
        return String(cString: base)
      }
    }
    if let detail = tlsDetail { words += ": " + detail }
    return words
  }
}
