// How replies go out: heads, framing, pauses and breaks as steps, without a socket.

import Testing

@testable import DemoBackend

@Suite("Delivery")
struct DeliveryTests {
  struct Words: EventScript {
    var eventCount = 4
    func event(_ index: Int) -> ScriptedEvent { ScriptedEvent(["n": .integer(index)], isWord: index > 1) }
    func failure(_ error: APIError, at index: Int) -> ScriptedEvent { ScriptedEvent(error.envelope) }
  }

  let settings = DemoSettings(firstWordNanoseconds: 7, wordNanoseconds: 5)

  /// Everything that is written, and all steps but `.more`.
  func play(
    _ reply: DemoReply, _ wishes: String = "", request: DemoRequest = DemoRequest()
  ) -> (text: String, steps: [Delivery.Step]) {
    var reply = reply
    reply.switches = DemoSwitches(text: wishes)
    var delivery = Delivery(reply, to: request, settings: settings)
    var output: [UInt8] = []
    var steps: [Delivery.Step] = []
    for _ in 0..<100 {
      let step = delivery.next(into: &output)
      guard step != .more else { continue }
      steps.append(step)
      if case .wait = step { continue }
      break
    }
    return (String(decoding: output, as: UTF8.self), steps)
  }

  func body(_ text: String) -> String {
    guard let end = text.firstRange(of: "\r\n\r\n") else { return "" }
    return String(text[end.upperBound...])
  }

  var stream: DemoReply {
    var reply = DemoReply(events: Words())
    reply.isGenerated = true
    return reply
  }

  @Test("a stream waits before its first byte and between words, and ends with the last chunk")
  func paced() {
    let (text, steps) = play(stream)
    #expect(steps == [.wait(7), .wait(5), .wait(5), .finished(keepAlive: true)])
    #expect(text.contains("\r\ntransfer-encoding: chunked\r\n"))
    #expect(text.contains("\r\ncontent-type: text/event-stream"))
    #expect(body(text) == (0..<4).map { "f\r\ndata: {\"n\":\($0)}\n\n\r\n" }.joined() + "0\r\n\r\n")
  }

  @Test("the switches of the request replace the settings' pauses")
  func switches() {
    let (_, steps) = play(stream, "delay=3 gap=1")
    #expect(steps == [.wait(3_000_000), .wait(1_000_000), .wait(1_000_000), .finished(keepAlive: true)])
    #expect(play(stream, "delay=0 gap=0").steps == [.finished(keepAlive: true)])
    #expect(play(stream, "delay=0 gap=0 close=1").steps == [.finished(keepAlive: false)])
  }

  @Test(
    "cut, reset and stall come after exactly so many events, without a last chunk",
    arguments: [("cut", Delivery.Step.cut), ("reset", .reset), ("stall", .stalled)])
  func breaks(name: String, step: Delivery.Step) {
    let none = play(stream, "delay=0 gap=0 \(name)=0")
    #expect(none.text.isEmpty)
    #expect(none.steps == [step])
    for count in 1...4 {
      let (text, steps) = play(stream, "delay=0 gap=0 \(name)=\(count)")
      #expect(steps == [step])
      #expect(body(text) == (0..<count).map { "f\r\ndata: {\"n\":\($0)}\n\n\r\n" }.joined())
    }
    #expect(play(stream, "delay=0 gap=0 \(name)=5").steps == [.finished(keepAlive: true)])
  }

  @Test("an error in mid-stream is an event, the framing ends well")
  func error() {
    let (text, steps) = play(stream, "delay=0 gap=0 error=2")
    #expect(steps == [.finished(keepAlive: true)])
    #expect(text.contains(#"data: {"error":{"message":"#))
    #expect(!text.contains(#"{"n":2}"#))
    #expect(text.hasSuffix("\r\n0\r\n\r\n"))
  }

  @Test("a plain body is cut after so many bytes of what its length promised")
  func plain() {
    let reply = DemoReply(["a": 1])
    #expect(body(play(reply).text) == #"{"a":1}"#)
    let (text, steps) = play(reply, "cut=3")
    #expect(text.contains("content-length: 7\r\n"))
    #expect(body(text) == #"{"a"#)
    #expect(steps == [.cut])
    #expect(play(reply, "cut=7").steps == [.finished(keepAlive: true)])
    #expect(play(reply, "delay=1").steps == [.wait(1_000_000), .finished(keepAlive: true)])
  }

  @Test("HEAD has the length and no body")
  func head() {
    let (text, steps) = play(DemoReply(["a": 1]), request: DemoRequest(method: "HEAD"))
    #expect(text.contains("content-length: 7\r\n"))
    #expect(body(text).isEmpty)
    #expect(steps == [.finished(keepAlive: true)])
  }

  @Test("HTTP/1.0 gets its stream without chunks, ended by the connection")
  func oldClients() {
    let (text, steps) = play(
      stream, "delay=0 gap=0", request: DemoRequest(versionMinor: 0, keepAlive: true))
    #expect(!text.contains("transfer-encoding"))
    #expect(text.contains("\r\nconnection: close\r\n"))
    #expect(body(text).hasPrefix("data: "))
    #expect(steps == [.finished(keepAlive: false)])
  }

  @Test("a request id is kept, or made")
  func requestID() {
    #expect(
      play(DemoReply([:]), request: DemoRequest(requestID: "abc")).text.contains("\r\nx-request-id: abc\r\n"))
    #expect(play(DemoReply([:])).text.contains("\r\nx-request-id: req_"))
  }
}
