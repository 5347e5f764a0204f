// A request that was read and the reply to it, as values: between them lie the routes, which know nothing of sockets.

import Wire

/// A request, read to its end.
struct DemoRequest {
  var method = "GET"
  /// Path of the target as it was sent, without the query.
  var path = "/"
  /// The request's id, when who sent it chose one.
  var requestID: String?
  /// The value of `x-demo`.
  var wishes = ""
  /// 0 for HTTP/1.0, 1 for HTTP/1.1.
  var versionMinor: UInt8 = 1
  /// Whether the peer wants to send another request.
  var keepAlive = true
  var body: [UInt8] = []
}

/// What is answered, before anybody thinks of time.
struct DemoReply {
  enum Body {
    case whole([UInt8])
    case events(any EventScript)
  }

  var status = 200
  /// Header lines beside those every reply has.
  var fields: [(name: String, value: String)] = []
  var body: Body
  var switches = DemoSwitches()
  /// Whether a model would have needed time for it.
  var isGenerated = false

  init(_ json: JSON) {
    body = .whole(json.bytes)
  }

  init(events: any EventScript) {
    body = .events(events)
  }

  init(error: APIError, switches: DemoSwitches = DemoSwitches()) {
    status = error.status
    body = .whole(error.envelope.bytes)
    self.switches = switches
    let retry = switches.retry ?? (error.status == 429 || error.status == 503 ? 1 : nil)
    if let retry { fields.append(("retry-after", String(retry))) }
  }

  /// The reply to a message that could not be read.
  init(framing error: FramingError) {
    self.init(error: APIError(status: error.status, message: error.reason.description))
  }
}
