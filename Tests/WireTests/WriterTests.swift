// Heads on their way out, and which lines go with them.

import Testing

@testable import Wire

@Suite("Writing heads")
struct WriterTests {
  /// What `body` writes into room for `capacity` bytes; the byte behind the room must stay untouched.
  private func written(_ capacity: Int = 512, _ body: (inout HeadWriter) -> Void) -> (text: String, overflowed: Bool) {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity + 1, alignment: 1)
    defer { room.deallocate() }
    room[capacity] = 0xaa
    var writer = HeadWriter(UnsafeMutableRawBufferPointer(rebasing: room[..<capacity]))
    body(&writer)
    #expect(room[capacity] == 0xaa)
    #expect(writer.written.count == writer.count)
    return (text(writer.written), writer.overflowed)
  }

  @Test("a response head is written line by line")
  func response() {
    let result = written { writer in
      writer.statusLine(429)
      writer.field("Retry-After", 1)
      writer.field("Connection", "close")
      writer.field("X-Request-Id", utf8: "req_1")
      writer.endHead()
    }
    #expect(
      result.text
        == "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nConnection: close\r\nX-Request-Id: req_1\r\n\r\n")
    #expect(!result.overflowed)
  }

  @Test("a value can not begin another line")
  func injection() {
    let result = written { writer in
      writer.field("A", utf8: "b\r\nSet-Cookie: x\0")
      Array("c\nd".utf8).withUnsafeBytes { writer.field("B", $0) }
    }
    #expect(result.text == "A: b  Set-Cookie: x \r\nB: c d\r\n")
  }

  @Test("numbers are written as they are read")
  func numbers() {
    for number in [0, 1, 9, 10, 99, 100, 12345, UInt64.max] {
      #expect(written { $0.writeDecimal(number) }.text == "\(number)")
      #expect(written { $0.writeHex(number) }.text == String(number, radix: 16))
    }
    var power: UInt64 = 1
    for _ in 0..<20 {
      for number in [power &- 1, power, power &+ 1, power &* 7] {
        #expect(written { $0.writeDecimal(number) }.text == "\(number)")
      }
      power &*= 10
    }
    for number in 0..<UInt64(1000) {
      #expect(written { $0.writeDecimal(number, width: 3) }.text == "\(1000 + number)".dropFirst())
    }
    #expect(written { $0.writeDecimal(5, width: 20) }.text == "00000000000000000005")
    #expect(written { $0.writeDecimal(1234, width: 2) }.text == "1234")
    for shift in 0..<UInt64(64) {
      let number = 0xfedc_ba98_7654_3210 as UInt64 >> shift
      let plain = String(number, radix: 16)
      #expect(
        written { $0.writeHex(number, digits: 16) }.text == String(repeating: "0", count: 16 - plain.count) + plain)
    }
    #expect(written { $0.writeHex(0xabc, digits: 8) }.text == "00000abc")
    #expect(written { $0.writeHex(0xabc, digits: 2) }.text == "bc")
    #expect(written { $0.writeHex(1, digits: 99) }.text == "0000000000000001")
    #expect(written { $0.statusLine(-5) }.text == "HTTP/1.1 100 Continue\r\n")
  }

  @Test("an address is written as its description has it")
  func addresses() {
    for text in [
      "0.0.0.0", "127.0.0.1", "10.99.100.255", "255.255.255.255", "1.20.30.4", "9.10.99.100", "2001:db8::1", "::",
    ] {
      let address = IPAddress(parsing: text)
      #expect(address.map { address in written { $0.write(address) }.text } == text)
      #expect(address.map { address in written(text.utf8.count - 1) { $0.write(address) }.overflowed } == true)
    }
    for part in 0..<UInt32(256) {
      let address = IPAddress(ipv4: part << 24 | (255 - part) << 16 | part << 8 | part)
      #expect(written { $0.write(address) }.text == address.description)
    }
  }

  @Test("what does not fit is dropped, and so is all that follows", arguments: 0..<60)
  func overflow(_ capacity: Int) {
    let write = { (writer: inout HeadWriter) in
      writer.statusLine(200)
      writer.field("Content-Length", 12345)
      writer.write(byte: 0x2e)
      writer.writeHex(0xff)
      writer.write("")
      writer.endHead()
    }
    let whole = written(512, write).text
    let result = written(capacity, write)
    #expect(whole.hasPrefix(result.text))
    #expect(result.overflowed == (capacity < whole.utf8.count))
    #expect(result.overflowed || result.text == whole)
  }

  @Test("a chunk's size line needs at most eighteen bytes, and no chunk has size 0")
  func chunkHeads() {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: ChunkedWriter.headBytesMax, alignment: 1)
    defer { room.deallocate() }
    for (size, expected) in [(1, "1\r\n"), (255, "ff\r\n"), (65536, "10000\r\n"), (Int.max, "7fffffffffffffff\r\n")] {
      let count = ChunkedWriter.chunkHead(size, into: room)
      #expect(text(room[..<count]) == expected)
    }
    #expect(ChunkedWriter.chunkHead(0, into: room) == 0)
    #expect(ChunkedWriter.chunkHead(-1, into: room) == 0)
    #expect(ChunkedWriter.chunkHead(1, into: UnsafeMutableRawBufferPointer(rebasing: room[..<2])) == 0)
  }

  @Test("lines of this hop stay here, and those Connection names with them")
  func hopByHop() {
    let lines = [
      "Host: a", "Connection: close, X-Mine ,content-length", "Connection: Host", "Keep-Alive: 5", "X-Mine: 1",
      "x-mine: 2", "X-Yours: 3", "TE: trailers", "Trailer: X", "Upgrade: h2c", "HTTP2-Settings: x",
      "Proxy-Connection: x", "Proxy-Authorization: x", "Proxy-Authenticate: x", "Content-Length: 0",
    ]
    HeadTests.head("GET / HTTP/1.1\r\n" + lines.joined(separator: "\r\n") + "\r\n\r\n") { head, _ in
      let kept = (0..<head.fieldCount).filter { HopByHop.forwards($0, of: head) }
      #expect(kept.map { text(head.bytes(head.field($0).name)) } == ["Host", "X-Yours", "Content-Length"])
      let copy = written { writer in
        for index in kept { writer.field(head.field(index), of: head) }
      }
      #expect(copy.text == "Host: a\r\nX-Yours: 3\r\nContent-Length: 0\r\n")
    }
    HeadTests.head("GET / HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive\r\nX-Mine: 1\r\n\r\n") { head, _ in
      #expect((0..<3).map { HopByHop.forwards($0, of: head) } == [true, false, true])
      #expect(head.lists(.connection, "keep-alive"))
      #expect(!head.lists(.connection, "close"))
    }
  }
}
