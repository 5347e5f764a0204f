// The backend over real sockets: what only a connection can get wrong.

import DemoBackend
import Reactor
import TestClient
import Testing

@Suite("Server")
struct ServerTests {
  let backend: DemoBackend

  init() throws {
    backend = try DemoBackend.start(DemoSettings(models: ["m"]).withoutPauses)
  }

  static func chat(_ more: String = "", content: String = "hi") -> String {
    #"{"model":"m","messages":[{"role":"user","content":"\#(content)"}]\#(more)}"#
  }

  static let stream = chat(#","stream":true"#)
  static let path = "/v1/chat/completions"

  @Test("a chat is answered, and the connection is used again")
  func keepAlive() throws {
    let client = try Client(backend.address)
    for _ in 0..<3 {
      client.post(Self.path, Self.chat(content: "Grüße 👋"))
      let reply = try #require(client.reply())
      #expect(reply.head.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(reply.body.contains("“Grüße 👋”"))
    }
    #expect(eventually { backend.counters.answered == 3 })
    #expect(backend.counters.connections == 1)
  }

  @Test("a stream ends with [DONE] and the last chunk, and another request follows on the connection")
  func streamed() throws {
    let client = try Client(backend.address)
    for _ in 0..<2 {
      client.post(Self.path, Self.stream)
      let text = try #require(client.read(through: "\r\n0\r\n\r\n"))
      #expect(text.contains("data: [DONE]\n\n"))
    }
  }

  @Test("a thousand pipelined requests are answered in order")
  func pipelining() throws {
    let client = try Client(backend.address)
    let requests = (0..<1000).map { "GET /v1/models HTTP/1.1\r\nHost: d\r\nx-request-id: r\($0)\r\n\r\n" }.joined()
    client.send(requests)
    for index in 0..<1000 {
      let reply = try #require(client.reply())
      #expect(reply.head.contains("x-request-id: r\(index)\r\n"))
    }
  }

  @Test("a request that comes byte by byte, with a chunked body, is one request")
  func drip() throws {
    let client = try Client(backend.address)
    let body = Self.chat()
    let half = body.utf8.count / 2
    let chunks = [body.prefix(half), body.dropFirst(half)].map { "\(String($0.utf8.count, radix: 16))\r\n\($0)\r\n" }
    for byte
      in ("POST \(Self.path) HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks.joined()
      + "0\r\nX-Trailer: a\r\n\r\n").utf8
    { client.send([byte]) }
    #expect(try #require(client.reply()).head.hasPrefix("HTTP/1.1 200"))
  }

  @Test("a client that expects 100-continue is told to go on")
  func expectContinue() throws {
    let client = try Client(backend.address)
    let body = Self.chat()
    client.send(
      "POST \(Self.path) HTTP/1.1\r\nHost: d\r\nExpect: 100-continue\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
    #expect(client.read(through: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
    client.send(body)
    #expect(try #require(client.reply()).head.hasPrefix("HTTP/1.1 200"))
  }

  @Test("HEAD has no body, so that the next reply is where it belongs")
  func head() throws {
    let client = try Client(backend.address)
    client.send("HEAD /v1/models HTTP/1.1\r\nHost: d\r\n\r\nGET /health HTTP/1.1\r\nHost: d\r\n\r\n")
    #expect(try #require(client.read(through: "\r\n\r\n")).contains("content-length: "))
    #expect(try #require(client.reply()).body == #"{"status":"ok"}"#)
  }

  @Test("HTTP/1.0 without keep-alive is answered and closed, a stream without chunks")
  func oldClient() throws {
    let client = try Client(backend.address)
    client.send("POST \(Self.path) HTTP/1.0\r\nContent-Length: \(Self.stream.utf8.count)\r\n\r\n\(Self.stream)")
    let (text, end) = client.readToEnd()
    #expect(text.hasSuffix("data: [DONE]\n\n"))
    #expect(end == .closed)
  }

  @Test(
    "what is not HTTP gets a status, an envelope and the end of the connection",
    arguments: [
      ("hello\r\n\r\n", 400), ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
      ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
      ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
      ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
      ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413),
      ("long", 431),
      ("\u{0}\u{1}\u{2}\u{ff}", 400),
    ])
  func hostile(bytes: String, status: Int) throws {
    let client = try Client(backend.address)
    client.send(
      bytes == "long" ? "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 70_000))\r\n\r\n" : bytes)
    let (text, end) = client.readToEnd()
    #expect(text.hasPrefix("HTTP/1.1 \(status) "))
    #expect(text.contains("\r\nconnection: close\r\n"))
    #expect(text.contains(#"{"error":{"message":""#))
    #expect(end == .closed)
  }

  @Test("a chunked body beyond the bound is refused while it comes")
  func tooLarge() throws {
    let small = try DemoBackend.start(DemoSettings(bodyBytesMax: 1000))
    let client = try Client(small.address)
    client.send("POST \(Self.path) HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in 0..<20 where !client.send("40\r\n\(String(repeating: " ", count: 64))\r\n") { break }
    #expect(client.readToEnd().text.hasPrefix("HTTP/1.1 413 "))
  }

  @Test("seeded rubbish and mutilated requests leave a server that answers")
  func fuzz() throws {
    var random = Random(state: 42)
    let sample = Array(
      "POST \(Self.path) HTTP/1.1\r\nHost: d\r\nContent-Length: \(Self.chat().utf8.count)\r\n\r\n\(Self.chat())".utf8)
    for _ in 0..<300 {
      let client = try Client(backend.address)
      var bytes = sample
      for _ in 0...(random.next() % 6) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      client.send(bytes)
    }
    let client = try Client(backend.address)
    client.send("GET /health HTTP/1.1\r\nHost: d\r\n\r\n")
    #expect(client.reply()?.body == #"{"status":"ok"}"#)
  }

  @Test("stop closes what is open, and can be called twice")
  func stop() throws {
    let client = try Client(backend.address)
    client.post(Self.path, Self.stream, headers: "x-demo: stall=2\r\n")
    #expect(client.read(through: #""Hello!""#) != nil)
    backend.stop()
    backend.stop()
    #expect(client.readToEnd().end != .timedOut)
    #expect(throws: ReactorError.self) { try Client(backend.address) }
  }

  struct Random {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
  }
}
