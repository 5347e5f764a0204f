import Stamp
import Testing

@testable import LoadGenerator

@Suite("Arguments of a load")
struct SettingsTests {
  @Test(
    "addresses are taken apart",
    arguments: [
      ("http://127.0.0.1:8080/v1", "127.0.0.1", 8080, "/v1", false), ("https://host/v1/", "host", 443, "/v1", true),
      ("http://host", "host", 80, "", false), ("https://[::1]:8443/a/b//", "::1", 8443, "/a/b", true),
      ("https://host:443/v1/chat/completions", "host", 443, "/v1", true), ("http://[::1]", "::1", 80, "", false),
    ])
  func addresses(text: String, host: String, port: UInt16, path: String, isTLS: Bool) {
    let target = Target(text)
    #expect(target?.host == host && target?.port == port && target?.path == path && target?.isTLS == isTLS)
  }

  @Test(
    "what is no address is refused",
    arguments: [
      "", "host", "ftp://host", "http://", "http://:80", "http://host:", "http://host:0", "http://host:65536",
      "http://host:x", "http://[::1", "http://[]", "http://user@host", "http://host/?a", "http://host/#a",
      "http://host/a b", "http://host\r\nX: y", "http://hö", "http://[::1]x", "http://host:80:80",
    ])
  func noAddresses(text: String) {
    #expect(Target(text) == nil)
  }

  @Test("a default port is not told")
  func authority() throws {
    #expect(Target("http://host:80/v1")?.text == "http://host/v1")
    #expect(Target("https://[::1]:443/v1")?.text == "https://[::1]/v1")
    #expect(Target("http://[::1]:81")?.authority == "[::1]:81")
  }

  @Test("settings that cannot be are named as on the command line")
  func mistakes() throws {
    let good = LoadSettings(target: try #require(Target("http://host/v1")))
    #expect(good.mistake == nil)
    func mistake(_ change: (inout LoadSettings) -> Void) -> String? {
      var settings = good
      change(&settings)
      return settings.mistake
    }
    #expect(mistake { $0.connections = 0 } == "--connections: found 0, expected 1 to 1000000")
    #expect(mistake { $0.duration = 0 }?.hasPrefix("--duration") == true)
    #expect(mistake { $0.duration = .nan }?.hasPrefix("--duration") == true)
    #expect(mistake { $0.timeout = -1 }?.hasPrefix("--timeout") == true)
    #expect(mistake { $0.mode = .rate }?.contains("--rate") == true)
    #expect(mistake { $0.rate = 5 }?.contains("--mode rate") == true)
    #expect(
      mistake {
        $0.mode = .rate
        $0.rate = 0
      }?.hasPrefix("--rate") == true)
    #expect(mistake { $0.requestsMax = 0 }?.hasPrefix("--requests") == true)
    #expect(mistake { $0.bodyBytes = 0 }?.hasPrefix("--body-bytes") == true)
  }

  @Test("an option that a mode does not look at is a mistake")
  func options() {
    let uses: [(option: String, modes: [LoadSettings.Mode])] = [
      ("stream", [.rate, .fresh]), ("hold", [.held, .stalled]),
      ("duration", [.requests, .rate, .streams, .bulk, .fresh, .mixed]),
      ("warmup", [.requests, .rate, .streams, .bulk, .fresh, .mixed]),
      ("requests", [.requests, .rate, .streams, .bulk, .fresh, .mixed]),
    ]
    for (option, modes) in uses {
      for mode in LoadSettings.Mode.allCases {
        #expect((mode.mistake(given: [option]) == nil) == modes.contains(mode), "\(option) in \(mode)")
      }
    }
    #expect(LoadSettings.Mode.bulk.mistake(given: []) == nil)
    #expect(LoadSettings.Mode.bulk.mistake(given: ["duration", "hold"]) == "--hold is for --mode held and stalled")
    #expect(
      LoadSettings.Mode.held.mistake(given: ["warmup"])
        == "--warmup is for --mode requests, rate, streams, bulk, fresh and mixed")
  }

  @Test("header lines are read, and none that belongs to the request")
  func headers() {
    let line = LoadSettings.header("X-Team:  a b")
    #expect(line?.name == "X-Team" && line?.value == "a b")
    #expect(LoadSettings.header("x:")?.value == "")
    for text in ["", ":", "a b: c", "no colon", "Host: x", "content-length: 5", "é: x", "a\r\nb: c"] {
      #expect(LoadSettings.header(text) == nil, "\(text)")
    }
  }

  @Test("an argument that is refused is named and not told")
  func secrets() {
    let refused: [(url: String, header: String?)] = [
      ("https://user:s3cret@host/v1", nil), ("https://host/v1?key=s3cret", nil), ("https://host/v1#s3cret", nil),
      ("s3cret", nil), ("https://host/v1", "Authorization Bearer s3cret"), ("https://host/v1", "Host: s3cret"),
    ]
    for (url, header) in refused {
      let mistake = #expect(throws: LoadSettings.Mistake.self) {
        try LoadSettings(url: url, headers: ["x-a: b"] + (header.map { [$0] } ?? []))
      }
      #expect(mistake?.description.hasPrefix(header == nil ? "--url: " : "--header: ") == true)
      #expect(mistake?.description.contains("s3cret") == false)
    }
  }

  @Test("keys are visible ASCII, and no key is told", arguments: ["s3 cret", "s3crét", "s3cret\n", ""])
  func keys(key: String) throws {
    var settings = try LoadSettings(url: "https://host/v1", headers: ["x-a: b", "x-c:d"])
    #expect(settings.headers.map(\.name) == ["x-a", "x-c"])
    settings.key = "sk-good"
    try settings.check()
    settings.key = key
    let mistake = #expect(throws: LoadSettings.Mistake.self) { try settings.check() }
    #expect(mistake?.description.hasPrefix("--key: ") == true && mistake?.description.contains("s3") == false)
  }

  @Test("what is asked of a mock is what is expected of its answers")
  func mock() throws {
    var settings = LoadSettings(target: try #require(Target("http://host/v1")))
    #expect(settings.mockText == nil && settings.mockNumber("events") == nil)
    settings.mock = "events=5,gap-us=0"
    settings.answerBytes = 2048
    #expect(settings.mockText == "events=5,gap-us=0,answer-bytes=2048")
    #expect(settings.mockNumber("events") == 5 && settings.mockNumber("answer-bytes") == 2048)
    #expect(settings.mockNumber("event") == nil)
  }

  @Test("a body has the size that was asked for, and its model last", arguments: [nil, 100, 4096, 1_000_000])
  func bodies(size: Int?) throws {
    var settings = LoadSettings(target: try #require(Target("http://host:81/v1")))
    settings.model = "a \"b\""
    settings.prompt = "line\nend\u{1}"
    settings.key = "k\r\nX: y"
    settings.bodyBytes = size
    let chunk = RequestText.chat(settings, isStream: true, closes: true, mock: "events=1")
    let whole = withExtendedLifetime(chunk) { String(decoding: chunk.bytes, as: UTF8.self) }
    let parts = whole.split(separator: "\r\n\r\n", maxSplits: 1)
    let body = try #require(parts.last)
    #expect(body.hasSuffix("\"model\":\"a \\\"b\\\"\"}") && body.hasPrefix("{\"stream\":true,"))
    #expect(body.contains("line\\nend\\u0001"))
    let least = body.utf8.count
    if let size, size > 300 { #expect(least == size) }
    #expect(whole.contains("Content-Length: \(least)\r\n") && whole.contains("Host: host:81\r\n"))
    #expect(whole.contains("Connection: close\r\n") && whole.contains("x-mock: events=1\r\n"))
    #expect(whole.contains("Authorization: Bearer k  X: y\r\n"))
  }
}
