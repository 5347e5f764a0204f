// Messages that two readers might read differently. Each is refused, with the right status, in every delivery.

import Testing

@testable import Wire

struct Attack: CustomTestStringConvertible {
  var name: String
  var bytes: String
  var status: Int
  var testDescription: String { name }

  init(_ name: String, _ status: Int, _ bytes: String) {
    self.name = name
    self.status = status
    self.bytes = bytes
  }

  /// A request with these header lines.
  static func headers(_ name: String, _ status: Int, _ lines: String, version: String = "1.1") -> Attack {
    Attack(name, status, "POST /v1/x HTTP/\(version)\r\nHost: a\r\n\(lines)\r\n\r\n0\r\n\r\n")
  }
}

private let requestAttacks: [Attack] = [
  .headers("length and chunked", 400, "Content-Length: 5\r\nTransfer-Encoding: chunked"),
  .headers("chunked and length", 400, "Transfer-Encoding: chunked\r\nContent-Length: 5"),
  .headers("empty coding and length", 400, "Transfer-Encoding:\r\nContent-Length: 5"),
  .headers("two lengths", 400, "Content-Length: 5\r\nContent-Length: 6"),
  .headers("two equal lengths", 400, "Content-Length: 5\r\nContent-Length: 5"),
  .headers("a list of lengths", 400, "Content-Length: 5, 5"),
  .headers("signed length", 400, "Content-Length: +5"),
  .headers("negative length", 400, "Content-Length: -1"),
  .headers("hexadecimal length", 400, "Content-Length: 0x10"),
  .headers("length with a space inside", 400, "Content-Length: 1 0"),
  .headers("empty length", 400, "Content-Length:"),
  .headers("length beyond 63 bits", 400, "Content-Length: 9223372036854775808"),
  .headers("length beyond 64 bits", 400, "Content-Length: 18446744073709551616"),
  .headers("length of many digits", 400, "Content-Length: \(String(repeating: "9", count: 60))"),
  .headers("xchunked", 501, "Transfer-Encoding: xchunked"),
  .headers("chunkedx", 501, "Transfer-Encoding: chunkedx"),
  .headers("identity", 501, "Transfer-Encoding: identity"),
  .headers("gzip", 501, "Transfer-Encoding: gzip"),
  .headers("gzip, chunked", 501, "Transfer-Encoding: gzip, chunked"),
  .headers("empty coding", 501, "Transfer-Encoding:"),
  .headers("quoted chunked", 501, "Transfer-Encoding: \"chunked\""),
  .headers("chunked twice", 400, "Transfer-Encoding: chunked, chunked"),
  .headers("chunked in two lines", 400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
  .headers("chunked, identity", 400, "Transfer-Encoding: chunked, identity"),
  .headers("chunked, then identity in another line", 400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
  .headers("chunked with a vertical tab", 400, "Transfer-Encoding: \u{0b}chunked"),
  .headers("chunked with a parameter", 501, "Transfer-Encoding: chunked;x=1"),
  .headers("chunked in HTTP/1.0", 400, "Transfer-Encoding: chunked", version: "1.0"),
  .headers("space before the colon", 400, "Content-Length : 5"),
  .headers("tab before the colon", 400, "Content-Length\t: 5"),
  .headers("space in front of a name", 400, " Content-Length: 5"),
  .headers("folded line", 400, "X-A: b\r\n c"),
  .headers("line folded with a tab", 400, "X-A: b\r\n\tc"),
  .headers("folded Transfer-Encoding", 400, "Transfer-Encoding:\r\n chunked"),
  .headers("bare CR in a value", 400, "X-A: b\rContent-Length: 5"),
  .headers("bare LF at a line's end", 400, "X-A: b\nContent-Length: 5"),
  .headers("NUL in a value", 400, "X-A: b\0c"),
  .headers("NUL in a name", 400, "X-\0A: b"),
  .headers("control character in a value", 400, "X-A: b\u{08}c"),
  .headers("DEL in a value", 400, "X-A: b\u{7f}c"),
  .headers("empty name", 400, ": b"),
  .headers("no colon", 400, "Content-Length"),
  .headers("name with a parenthesis", 400, "X(A): b"),
  .headers("name beyond ASCII", 400, "X-Ä: b"),
  .headers("second Host", 400, "Host: b"),
  .headers("second, equal Host", 400, "Host: a"),
  Attack("no Host", 400, "GET / HTTP/1.1\r\n\r\n"),
  Attack("empty Host", 400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
  Attack("Host with a user", 400, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"),
  Attack("Host with a path", 400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
  Attack("Host with a space", 400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
  Attack("Host with letters for a port", 400, "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"),
  Attack("Host with an open bracket", 400, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
  Attack("Host list", 400, "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"),
  Attack("HTTP/0.9", 505, "GET /\r\nHost: a\r\n\r\n"),
  Attack("HTTP/0.9 by number", 505, "GET / HTTP/0.9\r\nHost: a\r\n\r\n"),
  Attack("HTTP/2.0", 505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
  Attack("HTTP/1.2", 505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
  Attack("HTTP/2 preface", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Attack("RTSP", 505, "GET / RTSP/1.0\r\nHost: a\r\n\r\n"),
  Attack("RTSP method", 505, "DESCRIBE / RTSP/1.0\r\nHost: a\r\n\r\n"),
  Attack("ICE", 400, "SOURCE / ICE/1.0\r\nHost: a\r\n\r\n"),
  Attack("lower-case protocol", 400, "GET / http/1.1\r\nHost: a\r\n\r\n"),
  Attack("lower-case method", 400, "get / HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("unknown method", 400, "FETCH / HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("CONNECT", 501, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("TRACE", 501, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("two spaces before the target", 400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("two spaces behind the target", 400, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("tab in the request line", 400, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("space in the target", 400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("fragment", 400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("NUL in the target", 400, "GET /a\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("tab in the target", 400, "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("form feed in the target", 400, "GET /a\u{0c}b HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("target beyond ASCII", 400, "GET /ä HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("target without a slash", 400, "GET v1/models HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("asterisk with GET", 400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("asterisk and more", 400, "OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("absolute target of another scheme", 400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("absolute target with a user", 400, "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("absolute target without a host", 400, "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("absolute target with one slash", 400, "GET http:/a/x HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("bare LF behind the request line", 400, "GET / HTTP/1.1\nHost: a\r\n\r\n"),
  Attack("bare LF as the last line", 400, "GET / HTTP/1.1\r\nHost: a\r\n\n"),
  Attack("bare CR behind the request line", 400, "GET / HTTP/1.1\rHost: a\r\n\r\n"),
  Attack("bare LF in front", 400, "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("bare CR in front", 400, "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("many empty lines in front", 400, "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
  Attack("a TLS greeting", 400, "\u{16}\u{03}\u{01}\u{02}\0\u{01}\0\u{01}\u{fc}\u{03}\u{03}"),
]

/// Bodies behind a sound head.
private let chunkAttacks: [Attack] = [
  Attack("negative size", 400, "-1\r\nabc\r\n0\r\n\r\n"),
  Attack("size with 0x", 400, "0x3\r\nabc\r\n0\r\n\r\n"),
  Attack("size with a sign", 400, "+3\r\nabc\r\n0\r\n\r\n"),
  Attack("size with a space in front", 400, " 3\r\nabc\r\n0\r\n\r\n"),
  Attack("size with a space behind", 400, "3 \r\nabc\r\n0\r\n\r\n"),
  Attack("no size", 400, "\r\nabc\r\n0\r\n\r\n"),
  Attack("size beyond 64 bits", 400, "10000000000000003\r\nabc\r\n0\r\n\r\n"),
  Attack("size beyond 63 bits", 400, "8000000000000003\r\nabc\r\n0\r\n\r\n"),
  Attack("bare LF behind the size", 400, "3\nabc\r\n0\r\n\r\n"),
  Attack("bare CR behind the size", 400, "3\rabc\r\n0\r\n\r\n"),
  Attack("bare LF behind the payload", 400, "3\r\nabc\n0\r\n\r\n"),
  Attack("payload longer than its size", 400, "3\r\nabcd\r\n0\r\n\r\n"),
  Attack("two bytes instead of a line end", 400, "3\r\nabcXX0\r\n\r\n"),
  Attack("bare LF in an extension", 400, "3;a\nb\r\nabc\r\n0\r\n\r\n"),
  Attack("bare CR in an extension", 400, "3;a\rb\r\nabc\r\n0\r\n\r\n"),
  Attack("NUL in an extension", 400, "3;a\0b\r\nabc\r\n0\r\n\r\n"),
  Attack("endless extension", 400, "3;\(String(repeating: "a", count: 400))\r\nabc\r\n0\r\n\r\n"),
  Attack("endless zeros", 400, "\(String(repeating: "0", count: 400))3\r\nabc\r\n0\r\n\r\n"),
  Attack("bare LF behind the last chunk", 400, "0\n\r\n"),
  Attack("length as a trailer", 400, "0\r\nContent-Length: 3\r\n\r\n"),
  Attack("coding as a trailer", 400, "0\r\nTransfer-Encoding: chunked\r\n\r\n"),
  Attack("Host as a trailer", 400, "0\r\nhost: b\r\n\r\n"),
  Attack("folded trailer", 400, "0\r\nX-A: b\r\n c\r\n\r\n"),
  Attack("trailer with a space before the colon", 400, "0\r\nX-A : b\r\n\r\n"),
  Attack("long trailers", 431, "0\r\nX-A: \(String(repeating: "b", count: 9000))\r\n\r\n"),
  Attack("trailers of blanks", 431, "0\r\nX-A: \(String(repeating: " ", count: 9000))b\r\n\r\n"),
]

private let responseAttacks: [Attack] = [
  Attack(
    "length and chunked", 502, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
  Attack("two lengths", 502, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde"),
  Attack("two equal lengths", 502, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde"),
  Attack("gzip coding", 502, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
  Attack("chunked, identity", 502, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
  Attack("chunked in HTTP/1.0", 502, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
  Attack("folded line", 502, "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\n\r\n"),
  Attack("space before the colon", 502, "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nabcde"),
  Attack("bare LF", 502, "HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nabcde"),
  Attack("status of two digits", 502, "HTTP/1.1 20 OK\r\n\r\n"),
  Attack("status of four digits", 502, "HTTP/1.1 2000 OK\r\n\r\n"),
  Attack("status below 100", 502, "HTTP/1.1 099 OK\r\n\r\n"),
  Attack("no status", 502, "HTTP/1.1 OK\r\n\r\n"),
  Attack("HTTP/2.0", 502, "HTTP/2.0 200 OK\r\n\r\n"),
  Attack("ICY", 502, "ICY 200 OK\r\n\r\n"),
  Attack("no status line", 502, "{\"error\":1}\r\n\r\n"),
  Attack("empty line in front", 502, "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
  Attack("control character in the phrase", 502, "HTTP/1.1 200 O\u{01}K\r\n\r\n"),
  Attack("a request", 502, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
]

@Suite("Framing attacks")
struct FramingAttackTests {
  @Test("a request that can be read in two ways is refused", arguments: requestAttacks)
  func request(_ attack: Attack) {
    let reading = readEveryWay(attack.bytes)
    #expect(reading.failure?.status == attack.status, "\(reading)")
    #expect(reading.messages.isEmpty)
  }

  @Test("a chunked body that can be read in two ways is refused", arguments: chunkAttacks)
  func chunks(_ attack: Attack) {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    let input = Array((head + attack.bytes).utf8)
    // Long bodies are cut at fewer places, every cut being one more reading of all of it.
    let cuts =
      input.count > 1000 ? [[input.count], [head.utf8.count + 200, input.count]] : deliveries(of: input.count)
    for lengths in cuts + [Array(repeating: 1, count: input.count)] {
      let reading = read(input, lengths)
      #expect(reading.failure?.status == attack.status, "\(lengths.prefix(2)) \(reading)")
      #expect(reading.messages.first?.isComplete == false)
    }
  }

  @Test("a response that can be read in two ways is refused", arguments: responseAttacks)
  func response(_ attack: Attack) {
    let reading = readEveryWay(attack.bytes, role: .response)
    #expect(reading.failure?.status == attack.status, "\(reading)")
    #expect(reading.failure?.kind == .badGateway)
    #expect(reading.messages.isEmpty)
  }

  @Test("the answer stays the same until reset")
  func sticky() {
    let parser = MessageParser(role: .request)
    let bad = Array("GET / HTTP/3.0\r\n\r\n".utf8)
    let good = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    guard case .failed(let error) = bad.withUnsafeBytes(parser.parseHead) else { return #expect(Bool(false)) }
    #expect(good.withUnsafeBytes(parser.parseHead) == .failed(error))
    #expect(good.withUnsafeBytes { parser.parseBody($0) } == .failed(error))
    #expect(!parser.finish())
    parser.reset()
    #expect(good.withUnsafeBytes(parser.parseHead) == .complete(consumed: good.count))
  }
}
