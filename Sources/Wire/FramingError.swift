// What is wrong with a message. All sentences and all status codes that Wire chooses are in this file.

/// Why a message was refused. The connection it came on must be closed: where the next message begins is not known.
public struct FramingError: Error, Equatable, Sendable {
  /// What sort of mistake it is; decides the status.
  public enum Kind: UInt8, Sendable {
    /// 400: the message can not be read in exactly one way.
    case badRequest
    /// 413: for the gateway's own bound on bodies; no parser of this room raises it.
    case bodyTooLarge
    /// 414: request target too long.
    case targetTooLong
    /// 431: head or trailers too long, or too many lines.
    case headTooLarge
    /// 501: a transfer coding or method this gateway does not implement.
    case notImplemented
    /// 505: not HTTP/1.0 or HTTP/1.1.
    case versionNotSupported
    /// 502: whatever is wrong with a response.
    case badGateway
  }

  /// The sort of mistake.
  public let kind: Kind
  /// One sentence for logs and error envelopes; contains nothing the peer sent.
  public let reason: StaticString

  public init(kind: Kind, reason: StaticString) {
    self.kind = kind
    self.reason = reason
  }

  /// The status that says so.
  public var status: Int {
    switch kind {
    case .badRequest: 400
    case .bodyTooLarge: 413
    case .targetTooLong: 414
    case .headTooLarge: 431
    case .notImplemented: 501
    case .badGateway: 502
    case .versionNotSupported: 505
    }
  }

  public static func == (a: FramingError, b: FramingError) -> Bool {
    a.kind == b.kind && a.reason.description == b.reason.description
  }
}

/// A `FramingError` in one byte, as the parser keeps it.
enum Fault: UInt8 {
  case none, malformed, blankLines, method, methodUnsupported, spacing, version, preface
  case target, targetTooLong, headTooLong, tooManyFields, field, lineEnd, reasonPhrase
  case hostMissing, hostRepeated, host
  case length, lengthRepeated, lengthAndEncoding
  case coding, codingOrder, codingVersion
  case chunkSize, chunkExtensions, trailersTooLong, trailerField

  private var kind: FramingError.Kind {
    switch self {
    case .methodUnsupported, .coding: .notImplemented
    case .version, .preface: .versionNotSupported
    case .targetTooLong: .targetTooLong
    case .headTooLong, .tooManyFields, .trailersTooLong: .headTooLarge
    default: .badRequest
    }
  }

  private var reason: StaticString {
    switch self {
    case .none, .malformed: "The message is not valid HTTP/1.1."
    case .blankLines: "Too many empty lines before the request line."
    case .method: "The method is unknown or malformed."
    case .methodUnsupported: "The method is not supported by this gateway."
    case .spacing: "The parts of the request line must be separated by one space."
    case .version: "Only HTTP/1.0 and HTTP/1.1 are supported."
    case .preface: "HTTP/2 without TLS negotiation is not supported."
    case .target: "The request target is malformed."
    case .targetTooLong: "The request target is too long."
    case .headTooLong: "The header section is too long."
    case .tooManyFields: "There are too many header lines."
    case .field: "A header line is malformed."
    case .lineEnd: "Lines must end with CR LF."
    case .reasonPhrase: "The reason phrase contains a control character."
    case .hostMissing: "The Host header is missing."
    case .hostRepeated: "The Host header must occur once."
    case .host: "The Host header is malformed."
    case .length: "The Content-Length header is malformed."
    case .lengthRepeated: "The Content-Length header must occur once."
    case .lengthAndEncoding: "Content-Length and Transfer-Encoding must not occur together."
    case .coding: "The only supported transfer coding is chunked."
    case .codingOrder: "The transfer coding chunked must be the last one and occur once."
    case .codingVersion: "HTTP/1.0 has no transfer codings."
    case .chunkSize: "A chunk of the body is malformed."
    case .chunkExtensions: "The chunk extensions are too long."
    case .trailersTooLong: "The trailer section is too long."
    case .trailerField: "A trailer must not change the framing or routing of its message."
    }
  }

  /// The error to report; a response's mistakes are all 502.
  func error(_ role: MessageParser.Role) -> FramingError {
    FramingError(kind: role == .request ? kind : .badGateway, reason: reason)
  }
}
