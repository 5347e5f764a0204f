import Foundation
import Plugins
import Reactor
import Testing
import Wire

@testable import Gateway

@Suite("Access lines")
struct AccessLineTests {
  static func line(_ record: AccessRecord, wallClock: UInt64 = 0, times: Int = 1) -> [UInt8] {
    withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 1) { room in
      var out = HeadWriter(room)
      var record = record
      var stamp = TimestampMemo()
      for _ in 0..<times { AccessLine.write(&record, wallClock: wallClock, to: &out, after: &stamp) }
      #expect(!out.overflowed)
      return Array(out.written)
    }
  }

  static func cluster(_ name: String) -> Cluster {
    let endpoint = Endpoint(
      place: .host("127.0.0.1", port: 8000), usesTLS: false, name: "http://127.0.0.1:8000", authority: "127.0.0.1:8000",
      basePath: "/v1", weight: 1)
    return Cluster(
      name: name, index: 0, endpoints: [endpoint], authorization: nil, forwardsCredentials: false, fields: [], tls: nil,
      serverName: nil, times: UpstreamTimes(), idleMax: 1, idleAge: 1, transport: "")
  }

  static func full() -> AccessRecord {
    var record = AccessRecord(startedAt: 1_000_000_000)
    record.requestID = RequestID(given: "req_1")
    record.client = IPAddress(parsing: "2001:db8::1")
    record.method = .post
    record.path = Array("/v1/chat/completions".utf8)
    record.principal = Identity(name: "alice")
    record.model = "gpt"
    let cluster = cluster("local")
    record.upstream(cluster, cluster.endpoints[0])
    record.status = 200
    record.isStream = true
    record.bytesIn = 12
    record.bytesOut = .max
    record.bytesCopied = 3
    record.attempts = 2
    record.isReused = true
    record.firstByteAt = 1_001_234_567
    record.endedAt = 3_500_000_999
    record.failure = Failure(.upstream, .cut, detail: "closed within the answer")
    return record
  }

  @Test("a full line has every field by its name")
  func full() throws {
    let line = Self.line(Self.full(), wallClock: 1_709_164_800_123_000_000)
    #expect(
      string(line) == #"{"time":"2024-02-29T00:00:00.123Z","id":"req_1","client":"2001:db8::1","method":"POST","#
        + #""path":"/v1/chat/completions","status":200,"key":"alice","model":"gpt","cluster":"local","#
        + #""endpoint":"http://127.0.0.1:8000","stream":true,"bytes_in":12,"bytes_out":18446744073709551615,"#
        + #""bytes_copied":3,"duration_ms":2500.000,"first_byte_ms":1.234,"attempts":2,"reused":true,"#
        + #""outcome":"upstream_cut","detail":"closed within the answer"}"# + "\n")
  }

  @Test("what is not known is left out, and what was never begun is zero")
  func bare() throws {
    let object = try jsonObject(Self.line(AccessRecord(startedAt: 0)))
    #expect(
      Set(object.keys) == [
        "time", "id", "method", "path", "status", "stream", "bytes_in", "bytes_out", "bytes_copied", "duration_ms",
        "attempts", "reused", "outcome",
      ])
    #expect(object["status"] as? Int == 0)
    #expect(object["duration_ms"] as? Double == 0)
    #expect(object["outcome"] as? String == "done")
  }

  @Test("hostile bytes in path, model, key and detail stay inside their strings: one line, valid JSON")
  func hostile() throws {
    let texts = [
      "\"", "\\", "\",\"status\":200,\"x\":\"", "\r\n{\"status\":200}", "\u{0}\u{1}\u{1f}\u{7f}", "\u{2028}\u{2029}",
      "😀é",
      "\\\"", "\\u0000", String(repeating: "\"", count: 2000),
    ]
    for text in texts {
      var record = Self.full()
      record.path = Array(text.utf8)
      record.model = text
      record.principal = Identity(name: text)
      record.failure = Failure(.upstream, .badAnswer, detail: text)
      let line = Self.line(record)
      #expect(line.last == 0x0a && line.dropLast().allSatisfy { $0 >= 0x20 })
      let object = try jsonObject(line)
      for key in ["path", "model", "key", "detail"] { #expect(object[key] as? String == text) }
      #expect(object["status"] as? Int == 200)
      #expect(object.count == 20)
    }
  }

  @Test("a path of any bytes is logged, each byte that is no UTF-8 as a replacement character")
  func anyByte() throws {
    for byte in UInt8.min...UInt8.max {
      var record = AccessRecord(startedAt: 0)
      record.path = [UInt8(ascii: "/"), byte, UInt8(ascii: "x")]
      let object = try jsonObject(Self.line(record))
      #expect(object["path"] as? String == String(decoding: record.path, as: UTF8.self))
    }
  }

  @Test(
    "milliseconds have three digits behind the point",
    arguments: [
      (0, "0.000"), (999, "0.000"), (1000, "0.001"), (1_000_000, "1.000"), (1_234_567, "1.234"), (10_000_000, "10.000"),
      (600_000_000_000, "600000.000"),
    ] as [(UInt64, String)])
  func milliseconds(_ nanoseconds: UInt64, _ text: String) {
    var record = AccessRecord(startedAt: 50)
    record.endedAt = 50 + nanoseconds
    #expect(string(Self.line(record)).contains("\"duration_ms\":\(text),"))
  }

  @Test("lines follow one another in one buffer")
  func several() {
    let lines = Self.line(Self.full(), times: 3).split(separator: 0x0a, omittingEmptySubsequences: false)
    #expect(lines.count == 4 && lines[3].isEmpty && lines[0] == lines[2])
  }
}
