// Damaged and random messages: never a trap, never two readings, never a head that could begin another line.

import Testing

@testable import Wire

@Suite("Messages, damaged")
struct MessageFuzzTests {
  private static let seeds: [String] = [
    "POST /v1/chat/completions?x=y HTTP/1.1\r\nHost: api.example\r\nContent-Length: 4\r\nX-A:  b c \r\n\r\nabcd",
    "POST /v1/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"y\"\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-T: u\r\n\r\n",
    "\r\nGET http://h:80/p?q HTTP/1.0\r\nConnection: keep-alive, x\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
    "HTTP/1.0 404 Not Found\r\nServer: x\r\n\r\neverything until the end",
  ]
  private static let alphabet = Array("\r\n\r\n:;, \t019aAfF/HTP.?#%\0\u{7f}".utf8)

  private func check(_ bytes: [UInt8], _ random: inout Seeded, _ label: String) {
    for role in [MessageParser.Role.request, .response] {
      let limits = HeadLimits(headBytesMax: 400, fieldCountMax: 8, targetBytesMax: 60, chunkExtensionBytesMax: 16)
      let whole = read(bytes, [bytes.count], role: role, limits: limits)
      let split = read(bytes, random.cuts(bytes.count), role: role, limits: limits)
      #expect(whole == split, "\(label) \(role): \(text(bytes))")
      for message in whole.messages {
        for line in message.fields + [message.startLine] {
          let isClean = line.utf8.allSatisfy { ($0 >= 0x20 || $0 == 0x09) && $0 != 0x7f }
          #expect(isClean, "\(label) \(role): \(text(bytes))")
        }
        for field in message.fields {
          let name = field.prefix { $0 != "=" }
          #expect(!name.isEmpty && !name.contains(" ") && !name.contains(":"), "\(label)")
        }
      }
    }
  }

  @Test("a damaged message is read in one way, however it is delivered", arguments: 0..<20)
  func damaged(_ group: Int) {
    for seed in UInt64(group * 40)..<UInt64(group * 40 + 40) {
      var random = Seeded(seed: seed)
      let base = Array(random.pick(Self.seeds).utf8)
      check(random.mutate(base, Self.alphabet), &random, "seed \(seed)")
    }
  }

  @Test("random bytes never trap")
  func noise() {
    for seed in UInt64(0)..<500 {
      var random = Seeded(seed: seed)
      let bytes = (0..<random.below(120) + 1).map { _ in
        random.chance(50) ? random.pick(Self.alphabet) : UInt8(truncatingIfNeeded: random.next())
      }
      check(bytes, &random, "seed \(seed)")
    }
  }
}
