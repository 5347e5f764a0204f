// The heads that leave: to an upstream, to a client. They are written anew, never echoed: what is of one hop only stays
// on it (RFC 9110, 7.6.1), credentials are swapped, and the framing fields are the gateway's own.

import Bytes
import Reactor
import Wire

extension Exchange {
  // MARK: To the upstream

  /// Whether something of the answer must be understood on its way.
  private var readsAnswer: Bool {
    if asksForUsage || !surface.chain.edits.isEmpty { return true }
    guard needsUsage, case .inference(let route) = route else { return false }
    return route.reportsUsage
  }

  /// The request's head for `endpoint`, in the core's scratch; nil when it does not fit.
  func writeUpstreamHead(_ endpoint: EndpointState) -> UnsafeRawBufferPointer? {
    guard let head, let parser else { return nil }
    let cluster = endpoint.cluster
    var writer = HeadWriter(core.headRoom.room)
    writeRequestLine(&writer, head, endpoint.endpoint)
    writer.write("Host: ")
    endpoint.endpoint.authority.withUnsafeBytes { writer.write($0) }
    writer.write("\r\n")
    let trusts = trustsPeer
    for index in 0..<head.fieldCount {
      guard HopByHop.forwards(index, of: head) else { continue }
      let field = head.field(index)
      switch field.known {
      case .host, .contentLength, .transferEncoding, .expect, .xRequestID, .via, .xForwardedFor, .xRealIP: continue
      case .authorization, .xAPIKey, .apiKey:
        guard cluster.authorization == nil, cluster.forwardsCredentials else { continue }
      case .cookie: if ownsCookies { continue }
      case .proxyAuthorization: continue
      case .acceptEncoding: if readsAnswer { continue }
      case .forwarded, .xForwardedProto, .xForwardedHost, .xForwardedPort, .xForwardedPrefix:
        guard trusts else { continue }
      default: break
      }
      let name = head.bytes(field.name)
      guard cluster.fields.isEmpty || !cluster.sets(name) else { continue }
      writer.write(name)
      writer.write(": ")
      writer.write(head.bytes(field.value))
      writer.write("\r\n")
    }
    // What is to be read or edited must not come compressed, which silence would allow (RFC 9110, 12.5.3).
    if readsAnswer, !cluster.sets("accept-encoding") { writer.write("Accept-Encoding: identity\r\n") }
    if let authorization = cluster.authorization {
      writer.write("Authorization: ")
      authorization.withUnsafeBytes { writer.write($0) }
      writer.write("\r\n")
    }
    writeForwarded(&writer, head, trusts)
    writer.write("X-Request-Id: ")
    writer.write(record.requestID)
    writer.write("\r\n")
    writeVia(&writer, head)
    for field in cluster.fields {
      field.name.withUnsafeBytes { writer.write($0) }
      writer.write(": ")
      field.value.withUnsafeBytes { writer.write($0) }
      writer.write("\r\n")
    }
    writeRequestFraming(&writer, parser)
    let links = surface.chain.upstreamRequest
    if !links.isEmpty {
      var fields = HeadFields(writer)
      for link in links { link.upstreamRequest(self, &fields) }
      writer = fields.writer
    }
    writer.write("\r\n")
    return writer.overflowed ? nil : writer.written
  }

  private func writeRequestLine(_ writer: inout HeadWriter, _ head: Head, _ endpoint: Endpoint) {
    writer.write(head.bytes(head.methodSpan))
    writer.write(" ")
    endpoint.basePath.withUnsafeBytes { writer.write($0) }
    let path = head.bytes(head.path)
    writer.write(UnsafeRawBufferPointer(rebasing: path[min(routeSuffix, path.count)...]))
    if head.hasQuery {
      writer.write("?")
      writer.write(head.bytes(head.query))
    }
    writer.write(" HTTP/1.1\r\n")
  }

  /// The chain of addresses: a believed one goes on with the peer added, any other begins here.
  private func writeForwarded(_ writer: inout HeadWriter, _ head: Head, _ trusts: Bool) {
    writer.write("X-Forwarded-For: ")
    if trusts {
      for index in 0..<head.fieldCount {
        let field = head.field(index)
        guard field.known == .xForwardedFor, field.value.count > 0 else { continue }
        writer.write(head.bytes(field.value))
        writer.write(", ")
      }
    }
    if let peer = client.peer { writer.write(peer) } else { writer.write("unknown") }
    writer.write("\r\n")
    if let address = clientAddress {
      writer.write("X-Real-Ip: ")
      writer.write(address)
      writer.write("\r\n")
    }
    if !trusts || !head.has(.xForwardedProto) {
      writer.write("X-Forwarded-Proto: ")
      writer.write(client.door.scheme)
      writer.write("\r\n")
    }
    if !trusts || !head.has(.xForwardedHost), let host = head.first(.host) {
      writer.write("X-Forwarded-Host: ")
      writer.write(head.bytes(host))
      writer.write("\r\n")
    }
  }

  /// RFC 9110, 7.6.3.
  private func writeVia(_ writer: inout HeadWriter, _ head: Head) {
    writer.write("Via: ")
    for index in 0..<(head.has(.via) ? head.fieldCount : 0) {
      let field = head.field(index)
      guard field.known == .via, field.value.count > 0 else { continue }
      writer.write(head.bytes(field.value))
      writer.write(", ")
    }
    writer.write(head.versionMinor == 0 ? "1.0 sluice\r\n" : "1.1 sluice\r\n")
  }

  private func writeRequestFraming(_ writer: inout HeadWriter, _ parser: MessageParser) {
    if streamsBody {
      switch parser.framing {
      case .length(let length): writer.field("Content-Length", length)
      case .chunked: writer.write("Transfer-Encoding: chunked\r\n")
      case .none, .untilClose: break
      }
    } else if outgoing.body.sentCount > 0 || expectsBody(record.method) {
      writer.field("Content-Length", UInt64(outgoing.body.sentCount))
    }
  }

  /// Methods whose missing body is worth saying (RFC 9110, 8.6).
  private func expectsBody(_ method: Method) -> Bool { method == .post || method == .put || method == .patch }

  // MARK: To the client

  /// The head of an upstream's answer, in the core's scratch; nil when it does not fit.
  func writeAnswerHead(_ parser: MessageParser) -> UnsafeRawBufferPointer? {
    let head = parser.head
    var writer = HeadWriter(core.headRoom.room)
    writeStatusLine(&writer, head)
    var hasBufferingHint = false
    for index in 0..<head.fieldCount {
      guard HopByHop.forwards(index, of: head) else { continue }
      let field = head.field(index)
      switch field.known {
      case .transferEncoding, .via: continue
      case .contentLength:
        // A length belongs to a body that goes on as it came, or to the one a HEAD did not ask for.
        if case .length = parser.framing {} else if !isHead, head.status != 304 { continue }
        if passage == .chunked || passage == .unchunked { continue }
      case .xRequestID:
        writer.write("X-Upstream-Request-Id: ")
        writer.write(head.bytes(field.value))
        writer.write("\r\n")
        continue
      case .xAccelBuffering: hasBufferingHint = true
      case .accessControlAllowOrigin, .accessControlExposeHeaders: if ownsCORS { continue }
      case .other:
        let name = head.bytes(field.name)
        if ownsCORS, hasPrefixIgnoringCase(name, "access-control-") { continue }
        // Says where else the upstream can be reached; the client has no business there.
        if equalsIgnoringCase(name, "alt-svc") { continue }
        if hasPrefixIgnoringCase(name, "x-ratelimit-") { answerHasRateFields = true }
      default: break
      }
      writer.write(head.bytes(field.name))
      writer.write(": ")
      writer.write(head.bytes(field.value))
      writer.write("\r\n")
    }
    if let length = editedLength(parser) { writer.field("Content-Length", length) }
    if isEventStream, !hasBufferingHint { writer.write("X-Accel-Buffering: no\r\n") }
    if passage == .chunked || (passage == .asIs && parser.framing == .chunked) {
      writer.write("Transfer-Encoding: chunked\r\n")
    }
    writer.write("Via: 1.1 sluice\r\n")
    finishHead(&writer)
    return writer.overflowed ? nil : writer.written
  }

  /// The head of an answer of the gateway's own.
  func writeReplyHead(_ reply: Reply) -> UnsafeRawBufferPointer? {
    var writer = HeadWriter(core.headRoom.room)
    writer.statusLine(reply.status)
    // RFC 9110, 8.6: an answer without content has no length either.
    if reply.status != 204 {
      writer.write("Content-Type: ")
      writer.write(reply.contentType)
      writer.write("\r\n")
      writer.field("Content-Length", UInt64(reply.body.count))
    }
    writer.field("Date", utf8: core.date())
    var fields = HeadFields(writer)
    for field in reply.fields { fields.add(field.name, field.value) }
    writer = fields.writer
    finishHead(&writer)
    return writer.overflowed ? nil : writer.written
  }

  /// What every head for the client ends with.
  private func finishHead(_ writer: inout HeadWriter) {
    writer.write("X-Request-Id: ")
    writer.write(record.requestID)
    writer.write("\r\n")
    let links = surface.chain.response
    if !links.isEmpty {
      var fields = HeadFields(writer)
      for link in links { link.response(self, &fields) }
      writer = fields.writer
    }
    if !answerKeepsAlive {
      writer.write("Connection: close\r\n")
    } else if isVersion10 {
      writer.write("Connection: keep-alive\r\n")
    }
    writer.write("\r\n")
  }

  private func writeStatusLine(_ writer: inout HeadWriter, _ head: Head) {
    writer.write("HTTP/1.1 ")
    writer.writeDecimal(UInt64(max(head.status, 0)))
    writer.write(" ")
    writer.write(head.bytes(head.reason))
    writer.write("\r\n")
  }

  /// An interim answer: its status and its end-to-end fields.
  func writeInterimHead(_ writer: inout HeadWriter, _ head: Head) {
    writeStatusLine(&writer, head)
    for index in 0..<head.fieldCount where HopByHop.forwards(index, of: head) {
      let field = head.field(index)
      // There is no body whose length this could be (RFC 9110, 8.6).
      if field.known == .contentLength { continue }
      writer.write(head.bytes(field.name))
      writer.write(": ")
      writer.write(head.bytes(field.value))
      writer.write("\r\n")
    }
    writer.write("\r\n")
  }
}
