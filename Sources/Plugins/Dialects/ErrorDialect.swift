// What the dialects have in common: an error is words in an envelope, and in a stream that has begun the same envelope is
// one last event.

import Gateway
import Wire

/// A plugin that puts failures into the words of one dialect.
protocol ErrorDialect: Plugin {
  /// Status, type and the rest, as this dialect has them.
  func words(for failure: Failure, _ exchange: Exchange) -> ErrorWords
  /// The body that says it: one JSON object.
  func envelope(_ words: ErrorWords, _ failure: Failure, _ exchange: Exchange) -> [UInt8]
}

extension ErrorDialect {
  public var phases: Phases { .failed }

  public func failed(_ exchange: Exchange, _ failure: Failure) -> Reply? {
    let words = words(for: failure, exchange)
    var reply = Reply(status: words.status, body: envelope(words, failure, exchange))
    switch failure.cause {
    case .noKey, .badKey: reply.fields = [("WWW-Authenticate", "Bearer realm=\"OpenAI API\"")]
    case .method(let allowed): reply.fields = [("Allow", "\(allowed)")]
    // The SDKs repeat whatever is 500 or more; these are the same a second later.
    case .modelStopped, .unsupported: reply.fields = [("x-should-retry", "false")]
    default: break
    }
    return reply
  }

  /// A stream that broke ends with one event that the SDKs raise as an error, and without `[DONE]`. The Responses API has
  /// an event type of its own for this, and Anthropic's Messages another.
  public func streamFailed(_ exchange: Exchange, _ failure: Failure) -> [UInt8]? {
    let words = words(for: failure, exchange)
    var out: [UInt8] = []
    switch exchange.route {
    case .inference(.responses):
      out += Array(#"event: error\#ndata: {"type":"error","code":"#.utf8)
      JSONText.append(nullable: words.code, to: &out)
      out += Array(#","message":"#.utf8)
      JSONText.append(words.message, to: &out)
      out += Array(#","param":null,"sequence_number":0}"#.utf8)
    case .inference(.messages):
      out += Array(#"event: error\#ndata: {"type":"error","error":{"type":"api_error","message":"#.utf8)
      JSONText.append(words.message, to: &out)
      out += Array("}}".utf8)
    default:
      out += Array("data: ".utf8)
      out += envelope(words, failure, exchange)
    }
    out += Array("\n\n".utf8)
    return out
  }
}

extension ErrorWords {
  /// `{"error":{…}}` with all four members; `extra` stands behind it, as further members of the outer object.
  func fullEnvelope(extra: [UInt8] = []) -> [UInt8] {
    var out = Array(#"{"error":{"message":"#.utf8)
    JSONText.append(message, to: &out)
    out += Array(#","type":"#.utf8)
    JSONText.append(type, to: &out)
    out += Array(#","param":"#.utf8)
    JSONText.append(nullable: param, to: &out)
    out += Array(#","code":"#.utf8)
    JSONText.append(nullable: code, to: &out)
    out += Array("}".utf8)
    if !extra.isEmpty { out += Array(",".utf8) + extra }
    out += Array("}".utf8)
    return out
  }
}

extension JSONText {
  /// Appends a string, or `null`.
  static func append(nullable text: String?, to out: inout [UInt8]) {
    if let text { append(text, to: &out) } else { out += Array("null".utf8) }
  }
}
