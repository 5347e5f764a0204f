// Well-formed messages: what the parser says of them, in every delivery.

import Testing

@testable import Wire

@Suite("Messages")
struct MessageParserTests {
  @Test("the llhttp state is the first word of the parser's memory")
  func layout() {
    #expect(MemoryLayout<ParserCore>.offset(of: \ParserCore.llhttp) == 0)
    #expect(MemoryLayout<ParserCore>.size + MemoryLayout<HeadRecord>.size < 300)
  }

  @Test("a request is divided into method, path, query and trimmed header values")
  func plainRequest() {
    let reading = readEveryWay(
      "GET /v1/models?limit=2&x=? HTTP/1.1\r\nHost: gateway:8080\r\nX-Any:  \t spaced out \t \r\nEmpty:\r\nBlank:   \r\n\r\n"
    )
    #expect(reading.failure == nil)
    #expect(reading.messages.count == 1)
    #expect(reading.messages.first?.startLine == "GET |/v1/models|?limit=2&x=? 1.1")
    #expect(reading.messages.first?.fields == ["Host=gateway:8080", "X-Any=spaced out", "Empty=", "Blank="])
    #expect(reading.messages.first?.framing == Framing.none)
    #expect(reading.messages.first?.keepAlive == true)
    #expect(reading.messages.first?.isComplete == true)
  }

  @Test("a body of known length ends where it says, and pipelined requests stay apart")
  func pipelining() {
    let reading = readEveryWay(
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        + "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-T: 1\r\n\r\n"
        + "\r\nGET /c HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(reading.failure == nil)
    #expect(reading.messages.map(\.startLine) == ["POST |/a| 1.1", "POST |/b| 1.1", "GET |/c| 1.1"])
    #expect(reading.messages.map(\.payload) == ["hello", "abcde", ""])
    #expect(reading.messages.map(\.framing) == [.length(5), .chunked, .none])
  }

  @Test("an interim response is followed by the final one")
  func interim() {
    let reading = readEveryWay(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      role: .response)
    #expect(reading.messages.map(\.startLine) == ["1.1 100 Continue", "1.1 103 Early Hints", "1.1 200 OK"])
    #expect(reading.messages.last?.payload == "ok")
    #expect(reading.failure == nil)
  }
}

@Suite("Heads")
struct HeadTests {
  static func head(_ bytes: String, role: MessageParser.Role = .request, _ body: (Head, MessageParser) -> Void) {
    let parser = MessageParser(role: role)
    let bytes = Array(bytes.utf8)
    bytes.withUnsafeBytes { bytes in
      guard case .complete = parser.parseHead(bytes) else {
        Issue.record("not a head")
        return
      }
      body(parser.head, parser)
    }
  }

  @Test("every known name is classified, in any case and in every delivery")
  func known() {
    for known in KnownHeader.allCases where known != .other {
      let name = known.name.description
      for spelling in [name, name.uppercased()] {
        Array(spelling.utf8).withUnsafeBytes { bytes in
          guard let base = bytes.baseAddress else { return }
          #expect(KnownHeader.classify(base, count: bytes.count) == known)
        }
      }
      #expect(known.name.utf8CodeUnitCount <= KnownHeader.nameBytesMax)
    }
    #expect(KnownHeader.allCases.count <= 64)
    // A split name is classified from what was kept of its pieces.
    let reading = readEveryWay(
      "GET / HTTP/1.1\r\nhOST: a\r\nAccess-Control-Request-Headers: x\r\nX-Quite-A-Long-Name-That-Nobody-Knows-At-All: y\r\n\r\n"
    )
    #expect(reading.failure == nil)
    #expect(reading.messages.first?.fields.count == 3)
  }

  @Test("an absolute target gives its authority, path and query")
  func absolute() {
    let starts = [
      ("http://a:80/p?q", "GET a:80|/p|?q 1.1"), ("HTTPS://a?q", "GET a||?q 1.1"), ("http://a", "GET a|| 1.1"),
      ("http://[::1]:8/", "GET [::1]:8|/| 1.1"), ("/http://a", "GET |/http://a| 1.1"), ("/?", "GET |/|? 1.1"),
      ("//a//b", "GET |//a//b| 1.1"),
    ]
    for (target, expected) in starts {
      let reading = readEveryWay("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(reading.messages.first?.startLine == expected, "\(target) \(String(describing: reading.failure))")
    }
    #expect(readEveryWay("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").messages.first?.startLine == "OPTIONS |*| 1.1")
  }

  @Test("methods the gateway does not know by heart keep their name")
  func methods() {
    Self.head("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n") { head, _ in
      #expect(head.method == .other)
      #expect(text(head.bytes(head.methodSpan)) == "PROPFIND")
    }
    for (name, method) in [("GET", Method.get), ("PATCH", .patch), ("DELETE", .delete), ("QUERY", .other)] {
      Self.head("\(name) / HTTP/1.1\r\nHost: a\r\n\r\n") { head, _ in #expect(head.method == method) }
    }
  }

  @Test("lines are found by name, and questions out of range have empty answers")
  func lookup() {
    Self.head("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1\r\nX-Own: z\r\nx-forwarded-for: 2\r\n\r\n") { head, _ in
      #expect(head.count(of: .xForwardedFor) == 2)
      #expect(head.value(.xForwardedFor).map(text) == "1")
      #expect(head.first(.cookie) == nil)
      #expect(head.first(named: "x-own").map { text(head.bytes($0)) } == "z")
      #expect(head.first(named: "x-none") == nil)
      #expect(head.field(-1) == HeaderField())
      #expect(head.field(4) == HeaderField())
      #expect(head.bytes(Span(offset: 0, count: .max)).isEmpty)
      #expect(head.bytes(Span(offset: .max, count: .max)).isEmpty)
      head.base = nil
      #expect(head.bytes(head.target).isEmpty)
    }
  }

  @Test("the address of the bytes is known only when they came at once")
  func base() {
    let parser = MessageParser(role: .request)
    let bytes = Array("\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    bytes.withUnsafeBytes { bytes in
      _ = parser.parseHead(bytes)
      #expect(parser.headOffset == 2)
      #expect(parser.head.base == bytes.baseAddress.map { $0 + 2 })
      parser.reset()
      _ = parser.parseHead(UnsafeRawBufferPointer(rebasing: bytes[..<10]))
      _ = parser.parseHead(UnsafeRawBufferPointer(rebasing: bytes[10...]))
      #expect(parser.head.base == nil)
      parser.head.base = bytes.baseAddress.map { $0 + parser.headOffset }
      #expect(text(parser.head.bytes(parser.head.target)) == "/x")
    }
  }

  @Test("a released head keeps its start line, and the next message has its lines again")
  func release() {
    let parser = MessageParser(role: .request)
    let bytes = Array("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
    let body = Array("1\r\na\r\n0\r\nX-T: 1\r\n\r\n".utf8)
    for _ in 0..<2 {
      #expect(bytes.withUnsafeBytes(parser.parseHead) == .complete(consumed: bytes.count))
      #expect(parser.head.fieldCount == 2)
      parser.releaseHead()
      #expect(parser.head.fieldCount == 0)
      #expect(parser.head.first(.host) == nil)
      #expect(parser.head.method == .post)
      #expect(parser.framing == .chunked)
      #expect(body.withUnsafeBytes { parser.parseBody($0) } == .complete(consumed: body.count))
      parser.reset()
    }
  }
}

@Suite("Ends of messages")
struct FramingTests {
  @Test(
    "a response's body ends as RFC 9112 6.3 says",
    arguments: [
      ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Framing.length(3), true),
      ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .length(0), true),
      ("HTTP/1.1 200 OK\r\ncontent-length: \t 003  \r\n\r\n", .length(3), true),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", .chunked, true),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: , chunked ,\r\n\r\n", .chunked, true),
      ("HTTP/1.1 200 OK\r\n\r\n", .untilClose, false),
      ("HTTP/1.1 200\r\n\r\n", .untilClose, false),
      ("HTTP/1.1 200 \r\n\r\n", .untilClose, false),
      ("HTTP/1.1 204 No Content\r\n\r\n", .none, true),
      ("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", .none, true),
      ("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", .none, true),
      ("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", .none, true),
      ("HTTP/1.1 100 Continue\r\n\r\n", .none, true),
      ("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", .none, true),
      ("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", .length(3), false),
      ("HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: Keep-Alive\r\n\r\n", .length(3), true),
      ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: x, Close\r\n\r\n", .length(3), false),
      (
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", .length(3), false
      ),
    ])
  func responses(_ head: String, _ framing: Framing, _ keepAlive: Bool) {
    let reading = readEveryWay(head, role: .response)
    #expect(reading.failure == nil)
    #expect(reading.messages.first?.framing == framing)
    #expect(reading.messages.first?.keepAlive == keepAlive)
    // Whoever asked with HEAD gets no body whatever the head says.
    let bodiless = readEveryWay(head, role: .response, bodiless: true)
    #expect(bodiless.messages.first?.framing == Framing.none)
    #expect(bodiless.messages.first?.isComplete == true)
  }

  @Test("a request keeps its connection as RFC 9112 9.3 says")
  func keepAlive() {
    let table = [
      ("1.1", "", true), ("1.1", "Connection: close\r\n", false), ("1.1", "Connection: keep-alive, CLOSE\r\n", false),
      ("1.1", "Connection: closed\r\n", true), ("1.0", "", false), ("1.0", "Connection: keep-alive\r\n", true),
      ("1.0", "Connection: keep-alive, close\r\n", false), ("1.1", "Connection: upgrade\r\nUpgrade: h2c\r\n", true),
    ]
    for (version, lines, expected) in table {
      let reading = readEveryWay("GET / HTTP/\(version)\r\nHost: a\r\n\(lines)\r\n")
      #expect(reading.messages.first?.keepAlive == expected, "\(version) \(lines)")
    }
    #expect(readEveryWay("GET / HTTP/1.0\r\n\r\n").failure == nil)
  }

  @Test("a close is the end of a body without length and a cut everywhere else")
  func close() {
    let table = [
      ("HTTP/1.1 200 OK\r\n\r\nabc", false), ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", true),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", true),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", true),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", false),
      ("HTTP/1.1 200 OK\r\nContent-Le", true), ("HTTP/1.1 204 No Content\r\n\r\n", false), ("", false),
    ]
    for (bytes, cut) in table {
      let reading = bytes.isEmpty ? read([], [], role: .response) : readEveryWay(bytes, role: .response)
      #expect(reading.isCut == cut, "\(bytes)")
      #expect(reading.failure == nil)
    }
    #expect(readEveryWay("HTTP/1.1 200 OK\r\n\r\nabc", role: .response).messages.first?.payload == "abc")
  }

  @Test("an Upgrade request with a body is read as any other")
  func upgrade() {
    let reading = readEveryWay(
      "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nabGET / HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    #expect(reading.messages.map(\.payload) == ["ab", ""])
    let chunked = readEveryWay(
      "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
    )
    #expect(chunked.messages.map(\.payload) == ["a"])
  }

  @Test("only between chunks may another chunk be put in")
  func boundaries() {
    let head = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
    let body = Array("3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n".utf8)
    // Where inserting "1\r\nX\r\n" leaves a legal body that has one byte more.
    let legal = (0..<body.count).map { place in
      let changed = head + body[..<place] + Array("1\r\nX\r\n".utf8) + body[place...]
      return read(changed, [changed.count], role: .response).messages.first.map {
        $0.payload.count == 14 && $0.isComplete
      }
    }
    #expect(legal.filter { $0 == true }.count == 3)
    for place in 0..<body.count {
      for step in [1, max(place, 1)] {
        let parser = MessageParser(role: .response)
        _ = head.withUnsafeBytes(parser.parseHead)
        var fed = 0
        while fed < place {
          let count = min(step, place - fed)
          #expect(Array(body[fed..<fed + count]).withUnsafeBytes { parser.parseBody($0) } == .more)
          fed += count
        }
        #expect((parser.chunkRemaining == nil) == (legal[place] == true), "at \(place) in steps of \(step)")
      }
    }
  }

  @Test("without a sink, a body of known length is only counted")
  func counted() {
    let parser = MessageParser(role: .request)
    let head = Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000000000000000\r\n\r\n".utf8)
    #expect(head.withUnsafeBytes(parser.parseHead) == .complete(consumed: head.count))
    let body = Array("abcdefgh".utf8)
    #expect(body.withUnsafeBytes { parser.parseBody($0) } == .more)
    #expect(parser.chunkRemaining == 8_999_999_999_999_999_992)
    #expect(parser.payloadTail == 0x6566_6768)
    #expect(Array("i".utf8).withUnsafeBytes { parser.parseBody($0) } == .more)
    #expect(parser.payloadTail == 0x6667_6869)
  }
}

@Suite("Bounds of messages")
struct LimitTests {
  static let limits = HeadLimits(headBytesMax: 200, fieldCountMax: 4, targetBytesMax: 20)

  @Test("bytes of a body of known length may go by unseen, and are counted as if they had been seen")
  func passed() {
    let parser = MessageParser(role: .response)
    let head = Array("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n".utf8)
    #expect(parser.lengthLeft == nil)
    head.withUnsafeBytes { bytes in
      #expect(parser.parseHead(bytes) == .complete(consumed: head.count))
    }
    #expect(parser.lengthLeft == 10)
    parser.passBody(0)
    parser.passBody(-1)
    #expect(parser.lengthLeft == 10 && !parser.isComplete)
    parser.passBody(4)
    Array("abc".utf8).withUnsafeBytes { #expect(parser.parseBody($0) == .more) }
    #expect(parser.lengthLeft == 3 && parser.payloadCount == 7 && !parser.finish())
    parser.passBody(99)
    #expect(parser.lengthLeft == nil && parser.payloadCount == 10 && parser.isComplete && parser.finish())
    parser.reset()
    Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".utf8).withUnsafeBytes { _ = parser.parseHead($0) }
    #expect(parser.lengthLeft == nil, "chunks must be walked")
  }

  @Test("what exceeds a bound is refused, and what just fits is not")
  func bounds() {
    func request(_ target: Int, _ value: Int, lines: Int = 0) -> String {
      "GET /\(String(repeating: "t", count: target - 1)) HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "v", count: value))\r\n"
        + String(repeating: "Y:\r\n", count: lines) + "\r\n"
    }
    let small = request(1, 0).utf8.count
    let table = [
      (request(20, 0), nil), (request(21, 0), 414), (request(1, 200 - small), nil), (request(1, 201 - small), 431),
      (request(1, 0, lines: 2), nil), (request(1, 0, lines: 3), 431), (request(1, 5000), 431),
      ("GET /\(String(repeating: "t", count: 5000))", 414), (String(repeating: "A", count: 5000), 400),
    ]
    for (bytes, status) in table {
      let reading = readEveryWay(Array(bytes.utf8.prefix(1000)), limits: Self.limits)
      #expect(reading.failure?.status == status, "\(bytes.prefix(60))")
    }
  }

  @Test("a hundred lines are read and one more is refused")
  func manyLines() {
    for (count, status) in [(99, nil), (100, 431)] {
      let lines = (0..<count).map { "X-\($0): \($0)\r\n" }.joined()
      let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n".utf8)
      for lengths in [[bytes.count], Array(repeating: 1, count: bytes.count), [700, bytes.count - 700]] {
        let reading = read(bytes, lengths)
        #expect(reading.failure?.status == status)
        if status == nil { #expect(reading.messages.first?.fields.last == "X-98=98") }
      }
    }
  }

  @Test("a status follows from the sort of the mistake")
  func statuses() {
    let table: [(FramingError.Kind, Int)] = [
      (.badRequest, 400), (.bodyTooLarge, 413), (.targetTooLong, 414), (.headTooLarge, 431), (.notImplemented, 501),
      (.badGateway, 502), (.versionNotSupported, 505),
    ]
    for (kind, status) in table { #expect(FramingError(kind: kind, reason: "x").status == status) }
  }
}
