// Addresses, networks, and who the client is behind proxies: tables.

import Testing

@testable import Wire

@Suite("Addresses")
struct AddressTests {
  @Test(
    "an address is read and written as RFC 5952 writes it",
    arguments: [
      ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("192.0.2.1", "192.0.2.1"), ("::", "::"),
      ("::1", "::1"), ("1::", "1::"), ("2001:DB8::1", "2001:db8::1"), ("2001:db8:0:0:0:0:0:1", "2001:db8::1"),
      ("2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
      ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"), ("::ffff:192.0.2.1", "192.0.2.1"), ("::ffff:c000:201", "192.0.2.1"),
      ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
      ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("fe80::", "fe80::"),
    ])
  func notation(_ text: String, _ written: String) {
    #expect(IPAddress(parsing: text)?.description == written)
  }

  @Test(
    "what only looks like an address is none",
    arguments: [
      "", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.1.1.1", "01.2.3.4", "1.2.3.04", "1.2.3.4 ",
      " 1.2.3.4", "1.2.3.-4", "1.2.3.4a", "0x1.2.3.4", "1.2.3.4444", ":", ":::", "1:", ":1", "1::2::3", "12345::",
      "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "g::", "::1%eth0", "[::1]",
      "::1.2.3", "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", "::ffff:1.2.3.4:5", "1.2.3.4:80",
      "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
    ])
  func malformed(_ text: String) {
    #expect(IPAddress(parsing: text) == nil)
  }

  @Test("a limiter counts an IPv4 address, or the /64 of an IPv6 address")
  func limiterKeys() throws {
    func key(_ text: String) throws -> UInt64 { try #require(IPAddress(parsing: text)).limiterKeyBits }
    #expect(try key("192.0.2.1") != key("192.0.2.2"))
    #expect(try key("192.0.2.1") == key("::ffff:192.0.2.1"))
    #expect(try key("2001:db8::1") == key("2001:db8::ffff:1"))
    #expect(try key("2001:db8::1") != key("2001:db8:0:1::1"))
  }

  @Test("a network contains what its bits say")
  func networks() throws {
    let table = [
      ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.1.2.3/8", "10.9.9.9", true),
      ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("0.0.0.0/0", "8.8.8.8", true),
      ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "2001:db8::1", true), ("::/0", "8.8.8.8", false),
      ("2001:db8::/32", "2001:db8:ffff::", true), ("2001:db8::/32", "2001:db9::", false), ("::1", "::1", true),
      ("::1/128", "::2", false), ("fe80::/65", "fe80::7fff:0:0:1", true), ("fe80::/65", "fe80::8000:0:0:1", false),
      ("10.0.0.0/31", "10.0.0.1", true), ("10.0.0.0/31", "10.0.0.2", false), ("10.0.0.0/8", "::ffff:10.0.0.1", true),
    ]
    for (network, address, expected) in table {
      let prefix = try #require(AddressPrefix(parsing: network))
      #expect(prefix.contains(try #require(IPAddress(parsing: address))) == expected, "\(network) \(address)")
    }
    for bad in [
      "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "a/8",
    ] {
      #expect(AddressPrefix(parsing: bad) == nil, "\(bad)")
    }
    #expect(AddressPrefix(parsing: "10.1.2.3/8")?.description == "10.0.0.0/8")
  }

  @Test(
    "the client is the nearest address that is no trusted proxy",
    arguments: [
      // peer, lines top to bottom, client
      ("203.0.113.9", ["1.1.1.1"], "203.0.113.9"),
      ("10.0.0.1", [], "10.0.0.1"),
      ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
      ("10.0.0.1", ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
      ("10.0.0.1", ["1.1.1.1, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
      ("10.0.0.1", ["1.1.1.1", "203.0.113.9", "10.0.0.2,10.0.0.3"], "203.0.113.9"),
      ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
      ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
      ("10.0.0.1", ["1.1.1.1, unknown"], "10.0.0.1"),
      ("10.0.0.1", ["1.1.1.1, unknown, 10.0.0.2"], "10.0.0.2"),
      ("10.0.0.1", ["1.1.1.1, _hidden:80, 203.0.113.9"], "203.0.113.9"),
      ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
      ("10.0.0.1", ["[2001:db8::1]:443"], "2001:db8::1"),
      ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
      ("10.0.0.1", [" , ,203.0.113.9 , "], "203.0.113.9"),
      ("10.0.0.1", [""], "10.0.0.1"),
      ("10.0.0.1", [","], "10.0.0.1"),
      ("10.0.0.1", ["203.0.113.9:99999999"], "10.0.0.1"),
      ("10.0.0.1", ["[2001:db8::1"], "10.0.0.1"),
      ("10.0.0.1", ["203.0.113.9:"], "10.0.0.1"),
    ])
  func forwarded(_ peer: String, _ lines: [String], _ client: String) throws {
    let trusted = [try #require(AddressPrefix(parsing: "10.0.0.0/8"))]
    let peer = try #require(IPAddress(parsing: peer))
    let head = "GET / HTTP/1.1\r\nHost: a\r\n" + lines.map { "X-Forwarded-For: \($0)\r\nX-Other: 9.9.9.9\r\n" }.joined()
    HeadTests.head(head + "\r\n") { head, _ in
      #expect(ForwardedFor.client(peer: peer, head: head, trusted: trusted).description == client)
      let values = (0..<head.fieldCount).map { head.field($0) }.filter { $0.known == .xForwardedFor }.reversed()
        .map { head.bytes($0.value) }
      #expect(ForwardedFor.client(peer: peer, fields: values, trusted: trusted).description == client)
      #expect(ForwardedFor.client(peer: peer, head: head, trusted: []) == peer)
    }
  }

  @Test("random text never traps")
  func noise() {
    for seed in UInt64(0)..<1000 {
      var random = Seeded(seed: seed)
      let bytes = (0..<random.below(50)).map { _ in random.pick(Array("0123456789abcdef:.:.[]/%, ".utf8)) }
      bytes.withUnsafeBytes { raw in
        if let address = IPAddress(parsing: raw) {
          #expect(IPAddress(parsing: address.description) == address, "seed \(seed)")
        }
        _ = ForwardedFor.client(
          peer: IPAddress(ipv4: 0), fields: [raw], trusted: [AddressPrefix(parsing: "0.0.0.0/0")].compactMap { $0 })
      }
      _ = AddressPrefix(parsing: text(bytes))
    }
  }
}
