// The first half of an exchange's life: from the head to the moment an endpoint is looked for.

import Bytes
import Reactor
import Wire

extension Exchange {
  // MARK: Head

  /// The head is whole.
  func begin() {
    guard let head else { return }
    record.method = head.method
    isHead = head.method == .head
    isVersion10 = head.versionMinor == 0
    clientKeepsAlive = parser?.keepAlive ?? false
    isRequestWhole = parser?.isComplete ?? true
    let (path, found) = core.routes.find(head.bytes(head.path), snapshot.surfaces)
    record.path = path
    route = found.route
    routeSuffix = found.suffix
    surface = snapshot.surfaces.surface(found.surface, dialect: client.door.dialect)
    clientAddress = findClientAddress(head)
    record.client = clientAddress
    chooseRequestID(head)
    if let expect = head.first(.expect) {
      guard equalsIgnoringCase(head.bytes(expect), "100-continue") else {
        return fail(Failure(.downstream, .expectation))
      }
      expectsContinue = !isVersion10 && !isRequestWhole
    }
    run(.request)
  }

  /// A head that broke the rules, or did not end: answered as far as an answer makes sense, and closed.
  func refuse(_ failure: Failure) {
    isRequestWhole = false
    chooseRequestID(nil)
    clientAddress = client.peer
    record.client = clientAddress
    fail(failure)
  }

  private func findClientAddress(_ head: Head) -> IPAddress? {
    let trusted = snapshot.client.trustedProxies
    guard let peer = client.peer else {
      // A unix socket: whoever can open it is on this machine, and what it forwards is believed.
      guard client.door.isUnix else { return nil }
      let here = IPAddress(ipv4: 0x7f00_0001)
      guard let local = AddressPrefix(here, bits: 128) else { return nil }
      let found = ForwardedFor.client(peer: here, head: head, trusted: trusted + [local])
      return found == here ? nil : found
    }
    guard trusted.contains(where: { $0.contains(peer) }) else { return peer }
    return ForwardedFor.client(peer: peer, head: head, trusted: trusted)
  }

  /// Whether what the peer forwards about its client is believed.
  var trustsPeer: Bool {
    guard let peer = client.peer else { return client.door.isUnix }
    return snapshot.client.trustedProxies.contains { $0.contains(peer) }
  }

  private func chooseRequestID(_ head: Head?) {
    if let head, let span = head.first(.xRequestID), let given = RequestID(head.bytes(span)) {
      record.requestID = given
    } else {
      record.requestID = RequestID(core.random.next(), core.random.next())
    }
  }

  // MARK: Phases

  /// Runs a deciding phase from its first plugin.
  func run(_ phase: Phases) { run(phase, from: 0) }

  func run(_ phase: Phases, from first: Int) {
    let links = surface.chain.deciding(phase)
    for index in first..<max(first, links.count) {
      let verdict =
        switch phase {
        case .request: links[index].request(self)
        case .body: links[index].body(self)
        default: links[index].route(self)
        }
      guard act(on: verdict, phase, index) else { return }
    }
    passed(phase)
  }

  /// Whether the phase goes on with its next plugin.
  func act(on verdict: Verdict, _ phase: Phases, _ index: Int) -> Bool {
    switch verdict {
    case .pass: return true
    case .reply(let reply): self.reply(reply)
    case .fail(let failure): fail(failure)
    case .wait: wait(phase, index)
    }
    return false
  }

  private func passed(_ phase: Phases) {
    switch phase {
    case .request: chooseBody()
    case .body: run(.route)
    default:
      guard destination != nil else { return fail(Failure(.downstream, .unknownPath)) }
      dispatch()
    }
  }

  // MARK: Body

  /// Decides whether the body is read here, held unread, or streamed.
  private func chooseBody() {
    guard let parser, let head else { return }
    let isNeeded: Bool
    if case .inference = route { isNeeded = true } else { isNeeded = false }
    if isRequestWhole { return run(.body) }
    switch makeScanner(head, isNeeded: isNeeded) {
    case .failure(let failure): return fail(failure)
    case .success(let scanner): outgoing.scanner = scanner
    }
    let limit = snapshot.client.bodyBytesMax
    var length: UInt64?
    if case .length(let count) = parser.framing { length = count }
    if !isNeeded, let length, length > UInt64(limit) {
      // Too large to be held for a model that it need not name: it passes unread, as large as it is.
      outgoing.scanner = nil
    }
    if outgoing.scanner != nil {
      if let length, length > UInt64(limit) {
        return fail(Failure(.downstream, .bodyTooLarge(limit: limit)))
      }
      holdsBody = true
    } else {
      holdsBody = length.map { $0 <= UInt64(min(snapshot.holdBytesMax, limit)) } ?? false
    }
    if expectsContinue {
      sendContinue()
      // The client may have gone over it.
      guard stage != .over else { return }
    }
    if holdsBody {
      stage = .holding
      client.readBody()
    } else {
      streamsBody = true
      run(.body)
    }
  }

  private func makeScanner(_ head: Head, isNeeded: Bool) -> Result<BodyScanner?, Failure> {
    let type = head.first(.contentType).map { head.bytes($0) }
    if isNeeded, let encoding = head.first(.contentEncoding),
      !equalsIgnoringCase(head.bytes(encoding), "identity")
    {
      return .failure(Failure(.downstream, .unsupportedMedia, detail: "content-encoding"))
    }
    if let type, hasPrefixIgnoringCase(type, "multipart/form-data") {
      isForm = true
      guard let scanner = MultipartScanner(contentType: type) else {
        guard isNeeded else { return .success(nil) }
        return .failure(Failure(.downstream, .unreadableBody, detail: "multipart without a boundary"))
      }
      let body = core.takeScanner()
      body.begin(scanner)
      return .success(body)
    }
    // Clients that forget the content type of a chat still mean JSON; below other paths only what says so is read.
    let isJSON = type.map { hasPrefixIgnoringCase($0, "application/json") } ?? false
    guard isNeeded || isJSON else { return .success(nil) }
    let body = core.takeScanner()
    body.beginJSON()
    return .success(body)
  }

  private func sendContinue() {
    expectsContinue = false
    let batch = core.loop.batch
    batch.reset()
    batch.add("HTTP/1.1 100 Continue\r\n\r\n")
    _ = client.send()
    // An interim answer is no part of the answer's count.
    client.outlet.relay = .flowing(pending: client.outlet.queue.byteCount)
  }

  /// Bytes of the body, as they came in. How many of them belong to it.
  func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let parser, stage != .over else { return bytes.count }
    if streamsBody { return streamBody(bytes, parser) }
    // Refused meanwhile (too late, or the gateway stops), and the client has not taken the answer yet.
    guard stage == .holding else { return discardUpload(bytes, parser) }
    client.bodyMoved()
    let used: Int
    if case .length(let length) = parser.framing, outgoing.body.count == 0, UInt64(bytes.count) >= length {
      // The whole of it is here: nothing is copied unless it must outlive this turn.
      used = Int(length)
      let whole = UnsafeRawBufferPointer(rebasing: bytes[..<used])
      outgoing.body.borrow(whole)
      outgoing.scanner?.scan(whole)
      _ = parser.parseBody(whole, to: nil)
      wholeRequest()
    } else {
      // The room may go with the bytes that are held.
      keepBorrowed()
      let progress = parser.parseBody(bytes, to: self)
      if isBodyTooLarge {
        fail(Failure(.downstream, .bodyTooLarge(limit: snapshot.client.bodyBytesMax)))
        return bytes.count
      }
      switch progress {
      case .more: used = bytes.count
      case .complete(let consumed):
        used = consumed
        if stage == .holding { wholeRequest() }
      case .failed(let error):
        fail(Failure(.downstream, .framing(status: error.status, reason: error.reason)))
        return bytes.count
      }
    }
    return used
  }

  /// Called by the parser with the runs of a body that is being held.
  func holdPayload(_ bytes: UnsafeRawBufferPointer) {
    guard stage == .holding else { return }
    guard outgoing.body.count + bytes.count <= snapshot.client.bodyBytesMax else {
      // The parser is in the middle of its work; `takeBody` acts on this when it is done.
      isBodyTooLarge = true
      return
    }
    outgoing.scanner?.scan(bytes)
    var expected = 0
    if case .length(let length) = parser?.framing ?? .none {
      expected = max(0, Int(clamping: length) - outgoing.body.count - bytes.count)
    }
    outgoing.body.hold(bytes, expected: expected, core.loop)
  }

  /// Room to read the rest of a held body into; nil where it must pass through the loop's room.
  func bodyRoom() -> UnsafeMutableRawBufferPointer? {
    guard stage == .holding, case .length(let length) = parser?.framing ?? .none, outgoing.body.count > 0 else {
      return nil
    }
    return outgoing.body.room(expected: max(0, Int(clamping: length) - outgoing.body.count))
  }

  /// `count` bytes were read into `bodyRoom`.
  func tookBody(_ count: Int) {
    guard let parser, let room = outgoing.body.room(expected: count) else { return }
    client.bodyMoved()
    let bytes = UnsafeRawBufferPointer(rebasing: room[..<min(count, room.count)])
    outgoing.scanner?.scan(bytes)
    outgoing.body.commit(bytes.count)
    if case .complete = parser.parseBody(bytes, to: nil) { wholeRequest() }
    keepBorrowed()
  }

  private func wholeRequest() {
    isRequestWhole = true
    client.requestIsWhole()
    record.bytesIn = UInt64(outgoing.body.count)
    if let scanner = outgoing.scanner {
      switch scanner.finish() {
      case .success(let members):
        outgoing.places = scanner.places
        record.isStream = members.stream
        self.members = members
      case .failure(let failure):
        // What need not name a model may be anything; but one that is named twice would be read differently elsewhere.
        if case .inference = route { return fail(failure) }
        if case .badModel = failure.cause { return fail(failure) }
      }
      core.giveScanner(scanner)
      outgoing.scanner = nil
    }
    stage = .deciding
    run(.body)
  }
}
