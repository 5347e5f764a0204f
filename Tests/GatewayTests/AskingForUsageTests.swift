// Which streams are asked for their tokens, by what plugins and the configuration say. What becomes of their answers is told by
// the scenarios.

import Reactor
import Testing
import Wire

@testable import Gateway
@testable import Plugins

@Suite("Streams are asked for their tokens")
struct AskingForUsageTests {
  static let cluster = Cluster(
    name: "c", index: 0, endpoints: [], authorization: nil, forwardsCredentials: false, fields: [], tls: nil,
    serverName: nil, times: UpstreamTimes(), idleMax: 0, idleAge: 0, transport: "", unsupported: [])

  /// What is sent of `body`, when plugins say that they need the tokens, or do not.
  static func sent(
    _ body: String, path: String = "/v1/chat/completions", needs: Bool, streams: UsageAccounting.Streams? = nil
  ) throws -> (body: String, asks: Bool) {
    try withExchange("POST \(path) HTTP/1.1\r\nHost: a\r\n\r\n") { exchange in
      let scanner = BodyScanner()
      scanner.beginJSON()
      return try lending(body) { bytes in
        scanner.scan(bytes)
        exchange.members = try scanner.finish().get()
        exchange.outgoing.places = scanner.places
        exchange.outgoing.body.borrow(bytes)
        exchange.needsUsage = needs
        if let streams {
          let plugin = UsageAccounting(streams: streams)
          if plugin.phases.contains(.route) { #expect(Said(plugin.route(exchange)) == .pass) }
        }
        exchange.editBody(Destination(cluster: cluster))
        var sent: [UInt8] = []
        exchange.outgoing.body.lendSent(skipping: 0) {
          sent += $0
          return true
        }
        #expect(sent.count == exchange.outgoing.body.sentCount)
        exchange.outgoing.body.removeAll()
        return (string(sent), exchange.asksForUsage)
      }
    }
  }

  static let body = #"{"model":"m","stream":true}"#
  static let asking = #"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#

  @Test("when a plugin needs them")
  func needed() throws {
    let (sent, asks) = try Self.sent(Self.body, needs: true)
    #expect(sent == Self.asking && asks)
    let other = try Self.sent(Self.body, path: "/v1/completions", needs: true)
    #expect(other.body == Self.asking && other.asks)
    let none = try Self.sent(Self.body, needs: false)
    #expect(none.body == Self.body && !none.asks)
  }

  @Test(
    "the configuration may have the last word",
    arguments: [
      (UsageAccounting.Streams.whenLimited, true, true), (.whenLimited, false, false), (.always, true, true),
      (.always, false, true), (.never, true, false), (.never, false, false),
    ])
  func configured(_ streams: UsageAccounting.Streams, _ needs: Bool, _ asks: Bool) throws {
    let found = try Self.sent(Self.body, needs: needs, streams: streams)
    #expect(found.asks == asks && found.body == (asks ? Self.asking : Self.body))
  }

  @Test(
    "those that tell them anyhow, and what is no stream, are not",
    arguments: [
      ("/v1/chat/completions", #"{"model":"m"}"#), ("/v1/chat/completions", #"{"model":"m","stream":false}"#),
      ("/v1/chat/completions", #"{"model":"m","stream":1}"#), ("/v1/chat/completions", asking),
      ("/v1/chat/completions", #"{"model":"m","stream":true,"stream_options":7}"#), ("/v1/responses", body),
      ("/v1/messages", body), ("/v1/embeddings", body), ("/v1/else", body),
    ])
  func others(_ path: String, _ body: String) throws {
    let found = try Self.sent(body, path: path, needs: true)
    #expect(found.body == body && !found.asks)
  }
}
