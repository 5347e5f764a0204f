// Request methods the gateway tells apart. All others keep their name as a span and go on untouched.

import CLLHTTP

/// The method of a request (RFC 9110 9).
public enum Method: UInt8, Sendable {
  case get, head, post, put, delete, options, patch, connect, trace
  /// A method that is legal but that the gateway does not act on; `Head.methodSpan` has its name.
  case other

  /// The method llhttp recognised; nil for those that belong to other protocols llhttp also knows (RTSP, ICE).
  @inline(__always)
  init?(llhttp code: UInt8) {
    switch UInt32(code) {
    case HTTP_GET.rawValue: self = .get
    case HTTP_POST.rawValue: self = .post
    case HTTP_HEAD.rawValue: self = .head
    case HTTP_PUT.rawValue: self = .put
    case HTTP_DELETE.rawValue: self = .delete
    case HTTP_OPTIONS.rawValue: self = .options
    case HTTP_PATCH.rawValue: self = .patch
    case HTTP_CONNECT.rawValue: self = .connect
    case HTTP_TRACE.rawValue: self = .trace
    case HTTP_SOURCE.rawValue, HTTP_PRI.rawValue...HTTP_FLUSH.rawValue: return nil
    default: self = .other
    }
  }
}
