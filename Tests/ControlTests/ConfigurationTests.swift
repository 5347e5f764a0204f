// What a good file becomes: addresses and URLs taken apart, units converted, variables replaced, defaults in place.

import Testing

@testable import Control

@Suite("A good file")
struct ConfigurationTests {
  @Test("of four lines has defaults for everything else")
  func smallestFile() throws {
    let it = try configuration(smallest)
    #expect(it.listeners.map(\.address) == [.ip(host: "127.0.0.1", port: 8080)])
    #expect(it.auth == .open)
    #expect(it.workers == .auto)
    #expect(it.client == .init())
    #expect(it.limits.perIP == .init())
    #expect(it.timeouts.totalNanoseconds == nil)
    #expect(it.unknownModels == .forward)
    #expect(it.defaultCluster == "local")
    #expect(it.cluster(named: "local")?.pool.idleNanosecondsMax == 4_000_000_000)
    #expect(it.demoBackend == nil)
  }

  @Test(
    "takes listener addresses apart",
    arguments: [
      ("127.0.0.1:80", .ip(host: "127.0.0.1", port: 80)), ("0.0.0.0:0", .ip(host: "0.0.0.0", port: 0)),
      ("[::1]:8080", .ip(host: "::1", port: 8080)), ("[2001:DB8:0::1]:1", .ip(host: "2001:db8::1", port: 1)),
      (":65535", .everywhere(port: 65535)), ("unix:/run/sluice.sock", .unix(path: "/run/sluice.sock")),
    ] as [(String, Configuration.ListenAddress)])
  func listenAddress(text: String, address: Configuration.ListenAddress) {
    #expect(AddressText.listen(text) == address)
    #expect(AddressText.listen(address.description) == address)
  }

  @Test(
    "takes URLs apart",
    arguments: [
      ("http://127.0.0.1:8000", .http, .tcp(host: "127.0.0.1", port: 8000), "", "127.0.0.1:8000"),
      ("http://model", .http, .tcp(host: "model", port: 80), "", "model"),
      ("https://api.example.com/", .https, .tcp(host: "api.example.com", port: 443), "", "api.example.com"),
      ("https://a:443/x/y//", .https, .tcp(host: "a", port: 443), "/x/y", "a"),
      ("http://a:443/x", .http, .tcp(host: "a", port: 443), "/x", "a:443"),
      ("http://[::1]:9/b", .http, .tcp(host: "::1", port: 9), "/b", "[::1]:9"),
      ("http+unix:/run/m.sock", .http, .unix(path: "/run/m.sock"), "", "localhost"),
    ] as [(String, Configuration.Endpoint.Scheme, Configuration.Endpoint.Destination, String, String)])
  func endpoint(
    url: String, scheme: Configuration.Endpoint.Scheme, destination: Configuration.Endpoint.Destination,
    basePath: String, authority: String
  ) throws {
    let it = try EndpointURL.parse(url).get()
    #expect(it.url == url)
    #expect(it.scheme == scheme)
    #expect(it.destination == destination)
    #expect(it.basePath == basePath)
    #expect(it.authority == authority)
  }

  @Test("takes address ranges apart, IPv4 as mapped")
  func ranges() throws {
    let ten = try #require(AddressText.range("10.0.0.0/8"))
    #expect((ten.high, ten.low, ten.prefixBits) == (0, 0xFFFF_0A00_0000, 104))
    let loopback = try #require(AddressText.range("::1"))
    #expect((loopback.high, loopback.low, loopback.prefixBits) == (0, 1, 128))
    let documentation = try #require(AddressText.range("2001:db8::/32"))
    #expect((documentation.high, documentation.low, documentation.prefixBits) == (0x2001_0DB8_0000_0000, 0, 32))
    #expect(AddressText.range("::/0")?.prefixBits == 0)
    #expect(AddressText.range("0.0.0.0/0")?.prefixBits == 96)
  }

  @Test("gives each cluster the timeouts with its own on top")
  func timeouts() throws {
    let it = try configuration(
      smallest(without: "clusters") + """
        timeouts: { connect_seconds: 0.25, total_seconds: 90 }
        clusters:
          local:
            endpoints: ["http://a", { url: "http://b", weight: 3 }]
            timeouts: { tls_seconds: 1.5, total_seconds: 0 }
          other: { endpoints: ["http://c"] }
        """)
    #expect(it.clusters.map(\.name) == ["local", "other"])
    #expect(it.clusters.map(\.timeouts.connectNanoseconds) == [250_000_000, 250_000_000])
    #expect(it.clusters.map(\.timeouts.tlsNanoseconds) == [1_500_000_000, 10_000_000_000])
    #expect(it.clusters.map(\.timeouts.totalNanoseconds) == [nil, 90_000_000_000])
    #expect(it.clusters.first?.endpoints.map(\.weight) == [1, 3])
  }

  @Test("may switch limits and logs off, and write a log to a file")
  func off() throws {
    let it = try configuration(smallest + "limits: { per_ip: off }\nlog: { access: off }\n")
    #expect(it.limits.perIP == nil)
    #expect(it.log.access == .off)
    let file = try configuration(smallest + "log: { access: ./access.log, level: warning }\n")
    #expect(file.log.access == .file(path: "./access.log"))
    #expect(file.log.level == .warning)
  }

  @Test("gets a burst of as many as its requests, and a table of a power of two")
  func rate() throws {
    let it = try configuration(smallest + "limits: { per_ip: { requests: 7 }, table_entries: 5000 }\n")
    #expect(it.limits.perIP?.burst == 7)
    #expect(it.limits.tableEntries == 8192)
  }

  @Test("rejects unknown models once it lists some")
  func models() throws {
    let it = try configuration(smallest + "models: { alias: { cluster: local, name: a/b, created: 5 } }\n")
    #expect(it.unknownModels == .reject)
    #expect(
      it.models == [
        .init(
          name: "alias", cluster: "local", upstreamName: "a/b", ownedBy: "local", created: 5, kind: nil,
          state: .running,
          deployment: "alias", directEndpoint: nil)
      ])
  }

  @Test("holds keys by hash or by value, and prints neither")
  func keys() throws {
    let hash = String(repeating: "Ab", count: 32)
    let it = try configuration(
      smallest(without: "auth") + "auth: { keys: [{ name: a, sha256: \(hash) }, { name: b, value: \"${K}\" }] }",
      ["K": "sk-secret"])
    let expected: [Configuration.Credential] = [.sha256(hex: hash.lowercased()), .plain("sk-secret")]
    guard case .required(let sources) = it.auth else {
      Issue.record("no keys")
      return
    }
    #expect(sources.keys.map(\.credential) == expected)
    #expect(!"\(it)".contains("sk-secret"))
  }

  @Test("says which streams are asked for their tokens", arguments: Configuration.Usage.Streams.allCases)
  func usage(_ streams: Configuration.Usage.Streams) throws {
    #expect(try configuration(smallest).usage.streams == .whenLimited)
    #expect(try configuration(smallest + "usage: { streams: \(streams.rawValue) }\n").usage.streams == streams)
  }

  @Test("amounts to one line")
  func summary() throws {
    #expect(try configuration(smallest).summary == "1 listener, 1 cluster with 1 endpoint, 0 models, open to everybody")
    let two = try configuration(
      smallest(without: "auth") + """
        auth: { keys: [{ name: a, value: sk-a }, { name: b, value: sk-b }] }
        demo_backend: { address: "127.0.0.1:18080" }
        """)
    #expect(two.summary == "1 listener, 1 cluster with 1 endpoint, 0 models, 2 keys, a demo backend")
  }

  @Test("treats an empty value as an absent one, and an empty variable too")
  func empty() throws {
    let it = try configuration(
      smallest(without: "clusters") + """
        client:
        models: ~
        clusters: { local: { endpoints: [http://a], api_key: "${KEY}", tls: { ca_file: } } }
        """, ["KEY": "sk-a"])
    #expect(it.clusters.map(\.apiKey) == ["sk-a"])
    let without = try configuration(
      smallest(without: "clusters") + "clusters:\n  local:\n    endpoints: [http://a]\n    api_key: ${KEY:-}\n")
    #expect(without.clusters.map(\.apiKey) == [nil])
  }
}

@Suite("Variables")
struct ExpansionTests {
  @Test(
    "are replaced",
    arguments: [
      ("a", "a"), ("${A}", "1"), ("x${A}y${A}z", "x1y1z"), ("${B:-2}", "2"), ("${A:-2}", "1"), ("${EMPTY:-2}", "2"),
      ("${EMPTY}", ""), ("${B:-}", ""), ("$${A}", "${A}"), ("$A $", "$A $"), ("$$", "$$"), ("${B:-a:-b}", "a:-b"),
      ("${TRICK}", "${A}"),
    ])
  func replaced(text: String, expected: String) throws {
    let environment = ["A": "1", "EMPTY": "", "TRICK": "${A}"]
    #expect(try Expansion.expand(text, environment).get() == expected)
  }

  @Test("without a good name are malformed", arguments: ["${", "${}", "${A", "${1A}", "${A-b}", "${A:b}", "${A b}"])
  func malformed(text: String) {
    #expect(Expansion.expand(text, ["A": "1"]) == .failure(.malformed))
  }

  @Test("that hold YAML stay one value")
  func oneValue() {
    let found = mistakes(smallest(without: "default_cluster") + "default_cluster: ${X}\n", ["X": "local\nworkers: 1"])
    #expect(found.count == 1)
  }
}

@Suite("Quantities")
struct QuantityTests {
  @Test(
    "of seconds become nanoseconds without rounding",
    arguments: [("1", 1_000_000_000), ("0.3", 300_000_000), (".5", 500_000_000), ("86400", 86_400_000_000_000)])
  func seconds(text: String, nanoseconds: UInt64) {
    #expect(Quantity.nanoseconds(text) == .success(nanoseconds))
  }

  @Test("that are none are refused", arguments: ["", ".", "1.", "1.2.3", "-1", "+1", "1e3", "0x10", "1_0", "inf", "１"])
  func notSeconds(text: String) {
    #expect(Quantity.nanoseconds(text) == .failure(.notANumber))
  }

  @Test("of bytes have binary units", arguments: [("1", 1), ("64KiB", 65_536), ("1 MiB", 1 << 20), ("1GiB", 1 << 30)])
  func bytes(text: String, count: Int) {
    #expect(Quantity.bytes(text) == .success(count))
  }

  @Test(
    "too large do not overflow", arguments: ["9223372036854775808", "9223372036854775807GiB", "99999999999999999999"])
  func tooLarge(text: String) {
    #expect(Quantity.bytes(text) == .failure(.tooLarge))
  }
}

@Suite("Nearest")
struct NearestTests {
  @Test("finds what was meant, and nothing for what is like nothing")
  func finds() {
    let known = ["listeners", "client", "clusters", "limits"]
    #expect(Nearest.word(to: "listners", among: known) == "listeners")
    #expect(Nearest.word(to: "cleint", among: known) == "client")
    #expect(Nearest.word(to: "xyz", among: known) == nil)
    #expect(Nearest.word(to: "", among: known) == nil)
    #expect(Nearest.distance("ab", "ba") == 1)
    #expect(Nearest.distance("", "abc") == 3)
  }
}
