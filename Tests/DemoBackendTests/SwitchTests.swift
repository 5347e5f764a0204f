// The switches over real sockets, and what becomes of a stream whose client leaves.

import DemoBackend
import Reactor
import TestClient
import Testing

@Suite("Switches")
struct SwitchTests {
  let backend: DemoBackend
  let stream = ServerTests.stream
  let path = ServerTests.path

  init() throws {
    backend = try DemoBackend.start(DemoSettings(models: ["m"]).withoutPauses)
  }

  func streamed(_ wishes: String) throws -> Client {
    let client = try Client(backend.address)
    client.post(path, stream, headers: "x-demo: \(wishes)\r\n")
    return client
  }

  func eventCount(_ text: String) -> Int { text.split(separator: "data: ").count - 1 }

  @Test("status answers with an error and keeps the connection")
  func status() throws {
    let client = try streamed("status=503,retry=3")
    let reply = try #require(client.reply())
    #expect(reply.head.hasPrefix("HTTP/1.1 503 "))
    #expect(reply.head.contains("\r\nretry-after: 3\r\n"))
    client.send("GET /health HTTP/1.1\r\nHost: d\r\n\r\n")
    #expect(client.reply() != nil)
  }

  @Test(
    "cut ends the connection after so many events, reset breaks it",
    arguments: [("cut", Client.End.closed), ("reset", .reset)])
  func cut(name: String, end: Client.End) throws {
    let result = try streamed("\(name)=3").readToEnd()
    #expect(eventCount(result.text) == 3)
    #expect(!result.text.contains("\r\n0\r\n"))
    #expect(result.end == end)
    #expect(backend.counters.cut == 1)
    #expect(try streamed("\(name)=0").readToEnd().text.isEmpty)
  }

  @Test("a plain body is cut short of its length")
  func cutPlain() throws {
    let client = try Client(backend.address)
    client.post(path, ServerTests.chat(), headers: "x-demo: cut=10\r\n")
    let result = client.readToEnd()
    #expect(result.text.hasSuffix("\r\n\r\n{\"id\":\"cha"))
  }

  @Test("error puts an error event into the stream and ends it without [DONE]")
  func error() throws {
    let text = try #require(try streamed("error=3").read(through: "\r\n0\r\n\r\n"))
    #expect(text.contains(#"data: {"error":{"#))
    #expect(!text.contains("[DONE]"))
  }

  @Test("delay and gap take at least their time, and words is the length of the answer")
  func pauses() throws {
    let start = Machine.monotonicNanoseconds()
    let client = try streamed("delay=60,gap=20,words=4")
    #expect(client.read(through: "HTTP/1.1 200") != nil)
    let first = Machine.monotonicNanoseconds()
    let text = try #require(client.read(through: "\r\n0\r\n\r\n"))
    let last = Machine.monotonicNanoseconds()
    #expect(first - start >= 59_000_000)
    #expect(last - first >= 55_000_000)
    // A role, four words, a reason, [DONE].
    #expect(eventCount(text) == 7)
  }

  @Test("a stalled stream stays open until the client leaves, and ends with it")
  func stall() throws {
    var client: Client? = try streamed("stall=3")
    #expect(client?.read(through: " This") != nil)
    #expect(backend.counters.answering == 1)
    client = nil
    #expect(eventually { backend.counters.abandoned == 1 })
    #expect(eventually { backend.counters.connections == 0 })
    #expect(backend.counters.answering == 0)
  }

  @Test(
    "a client that leaves ends its reply at once: before the first byte, between words, while the socket is full",
    arguments: ["delay=3600000", "gap=3600000", "words=200000"])
  func leaving(wishes: String) throws {
    var client: Client? = try streamed(wishes)
    if !wishes.hasPrefix("delay") { #expect(client?.read(through: "Hello!") != nil) }
    #expect(eventually { backend.counters.answering == 1 })
    // Others are served meanwhile, also while one does not read.
    let other = try Client(backend.address)
    other.post(path, ServerTests.chat())
    #expect(other.reply() != nil)
    #expect(eventually { backend.counters.answered == 1 && backend.counters.answering == 1 })
    client = nil
    #expect(eventually { backend.counters.abandoned == 1 })
  }

  @Test("a client that waits for a plain answer and leaves is noticed")
  func leavingPlain() throws {
    var client: Client? = try Client(backend.address)
    client?.post(path, ServerTests.chat(), headers: "x-demo: delay=3600000\r\n")
    #expect(eventually { backend.counters.answering == 1 })
    client = nil
    #expect(eventually { backend.counters.abandoned == 1 })
  }

  @Test("a slow reader gets all of a long stream")
  func longStream() throws {
    let client = try streamed("words=20000")
    // The backend has filled the sockets by the time another connection is answered twice.
    for _ in 0..<2 {
      let other = try Client(backend.address)
      other.send("GET /health HTTP/1.1\r\nHost: d\r\n\r\n")
      #expect(other.reply() != nil)
    }
    let text = try #require(client.read(through: "[DONE]\n\n\r\n0\r\n\r\n"))
    #expect(eventCount(text) == 20_003)
  }
}
