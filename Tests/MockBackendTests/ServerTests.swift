import Glibc
import Reactor
import Stamp
import TestClient
import Testing

@testable import MockBackend

@Suite("A mock backend on a socket", .serialized)
struct ServerTests {
  private func mock(_ text: String = "") throws -> RunningServer {
    var settings = MockSettings()
    settings.events = 3
    settings.gapMicroseconds = 1_000
    try settings.apply(text)
    return try MockBackend.start(at: .loopback(port: 0), settings)
  }

  private func post(_ body: String, _ headers: String = "") -> String {
    "POST /any/v1/chat/completions HTTP/1.1\r\nHost: m\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  /// Numbers on the events of `text`, in their order.
  private func numbers(_ text: String) -> [Int] {
    text.matches(of: #/\#(\d{8}):\d{8}@\d{19} /#).compactMap { Int($0.1) }
  }

  @Test("a stream is a stream, whatever the order of the body's members", arguments: [1, 2, 8])
  func stream(batch: Int) throws {
    let mock = try mock("batch=\(batch)")
    defer { mock.stop() }
    let client = try Client(mock.address)
    for _ in 0..<3 {
      client.send(post(#"{"messages":[{"content":"\"stream\":false"}],"stream" : true,"model":"m"}"#))
      let text = try #require(client.read(through: "\r\n0\r\n\r\n"))
      #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n") && text.contains("text/event-stream"))
      #expect(numbers(text) == [1, 2, 3])
      #expect(text.contains("\"finish_reason\":\"stop\"") && text.contains("data: [DONE]\n\n"))
      #expect(!text.contains("usage"))
    }
  }

  @Test("usage comes when it is asked for")
  func usage() throws {
    let mock = try mock()
    defer { mock.stop() }
    let client = try Client(mock.address)
    client.send(post(#"{"stream":true,"stream_options":{"include_usage":true}}"#))
    #expect(client.read(through: "\r\n0\r\n\r\n")?.contains("\"completion_tokens\":3") == true)
  }

  @Test("an answer has exactly the bytes that were asked for", arguments: [1_000, 65_536, 200_000, 5_000_000])
  func answer(bytes: Int) throws {
    let mock = try mock()
    defer { mock.stop() }
    let client = try Client(mock.address)
    for _ in 0..<2 {
      client.send(post("{}", "x-mock: answer-bytes=\(bytes)\r\n"))
      let head = try #require(client.read(through: "\r\n\r\n"))
      #expect(head.contains("Content-Length: \(bytes)\r\n"))
      let body = try #require(client.read(count: bytes))
      let content = body.dropFirst(Texts.answerFront.utf8CodeUnitCount).dropLast(Texts.answerBack.utf8CodeUnitCount)
      let filler = Array(content)
      #expect(filler.withUnsafeBytes { Filler.matches($0, at: 0) })
      #expect(body.suffix(3) == Array("16}}".utf8).suffix(3))
    }
  }

  @Test("whoever asks for its health is told that it is well, and other paths are not there")
  func health() throws {
    let mock = try mock()
    defer { mock.stop() }
    let client = try Client(mock.address)
    for (path, status) in [("/health", 200), ("/v1/models", 200), ("/health/x", 404)] {
      client.send("GET \(path) HTTP/1.1\r\nHost: m\r\n\r\n")
      let head = try #require(client.read(through: "\r\n\r\n"))
      #expect(head.hasPrefix("HTTP/1.1 \(status) "))
      let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?.dropFirst(16)
      _ = try #require(client.read(count: length.flatMap { Int($0) } ?? 0))
    }
  }

  @Test("a request's header changes one answer and not the next")
  func header() throws {
    let mock = try mock("gap-us=0")
    defer { mock.stop() }
    let client = try Client(mock.address)
    client.send(post(#"{"stream":true}"#, "X-Mock: events=5\r\n"))
    #expect(numbers(client.read(through: "\r\n0\r\n\r\n") ?? "") == [1, 2, 3, 4, 5])
    client.send(post(#"{"stream":true}"#))
    #expect(numbers(client.read(through: "\r\n0\r\n\r\n") ?? "") == [1, 2, 3])
    client.send(post("{}", "x-mock: evens=5\r\n"))
    #expect(client.read(through: "\r\n\r\n")?.hasPrefix("HTTP/1.1 400 ") == true)
  }

  @Test("requests may come in any pieces, and before the last was answered")
  func pieces() throws {
    let mock = try mock("gap-us=0")
    defer { mock.stop() }
    let client = try Client(mock.address)
    for byte in post(#"{"stream":true}"#, "x-mock: events=2\r\n").utf8 {
      client.send([byte])
      usleep(200)
    }
    #expect(numbers(client.read(through: "\r\n0\r\n\r\n") ?? "") == [1, 2])
    client.send(post(#"{"stream":true}"#) + post(#"{"stream":true}"#) + "GET /v1/models HTTP/1.1\r\nHost: m\r\n\r\n")
    for _ in 0..<2 { #expect(numbers(client.read(through: "\r\n0\r\n\r\n") ?? "") == [1, 2, 3]) }
    #expect(client.read(through: "\r\n\r\n")?.hasPrefix("HTTP/1.1 200 ") == true)
    #expect(client.read(through: "]}")?.contains("\"id\":\"mock\"") == true)
  }

  @Test("a gap is kept, and a delay comes in front")
  func pace() throws {
    let mock = try mock("events=4,gap-us=30000,delay-us=60000")
    defer { mock.stop() }
    let client = try Client(mock.address)
    let began = Machine.monotonicNanoseconds()
    client.send(post(#"{"stream":true}"#))
    #expect(client.read(through: "\r\n\r\n") != nil, "the head does not wait")
    #expect(client.read(through: "#00000001") != nil)
    let first = Machine.monotonicNanoseconds()
    #expect(first - began >= 60_000_000)
    #expect(client.read(through: "\r\n0\r\n\r\n") != nil)
    // The second event comes within a gap, the others a gap apart.
    #expect(Machine.monotonicNanoseconds() - first >= 58_000_000)
    client.send(post("{}"))
    let asked = Machine.monotonicNanoseconds()
    #expect(client.read(through: "\r\n\r\n") != nil)
    #expect(Machine.monotonicNanoseconds() - asked >= 60_000_000)
  }

  @Test("a reader that is slow gets everything, in order")
  func backpressure() throws {
    // More than the sockets of both sides hold.
    let mock = try mock("events=3000,event-bytes=4096,gap-us=0,batch=8")
    defer { mock.stop() }
    let client = try Client(mock.address)
    client.send(post(#"{"stream":true}"#, "Connection: close\r\n"))
    usleep(200_000)
    let text = Array(client.readToEnd().text.utf8)
    #expect(text.count > 3_000 * 4_096)
    text.withUnsafeBytes { bytes in
      var number: UInt32 = 0
      var from = 0
      while let mark = ByteRun.index(of: UInt8(ascii: "#"), in: bytes, from: from) {
        number += 1
        #expect(Stamp(UnsafeRawBufferPointer(rebasing: bytes[mark...]))?.number == number)
        from = mark + 1
      }
      #expect(number == 3_000)
      #expect(ByteRun.ends(bytes, with: "data: [DONE]\n\n\r\n0\r\n\r\n"))
    }
  }

  @Test("connection: close is obeyed")
  func close() throws {
    let mock = try mock()
    defer { mock.stop() }
    let client = try Client(mock.address)
    client.send(post("{}", "Connection: close\r\n"))
    let (text, end) = client.readToEnd()
    #expect(text.hasSuffix("}}") && end == .closed)
  }

  @Test("what is no request is not answered")
  func nonsense() throws {
    let mock = try mock()
    defer { mock.stop() }
    let client = try Client(mock.address)
    client.send("nonsense\r\n\r\n")
    #expect(client.readToEnd().text.isEmpty)
  }
}
