// Well-formed messages: what the parser says of them, in every delivery.

import Testing

@testable import Wire

@Suite("Messages")
struct MessageParserTests {
  @Test("the llhttp state is the first word of the parser's memory")
  func layout() {
    #expect(MemoryLayout<ParserCore>.offset(of: \ParserCore.llhttp) == 0)
    #expect(MemoryLayout<ParserCore>.size + MemoryLayout<HeadRecord>.size < 400)
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
