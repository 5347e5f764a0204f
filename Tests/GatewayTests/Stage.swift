// An exchange that stands still: a real core on a loop that never runs, a client connection over a socket pair, and the
// head of a request as if it had just been read. Enough for what plugins decide; how exchanges live is told by the
// scenarios.

import Bytes
import Flow
import Glibc
import Reactor
import Testing
import Wire

@testable import Gateway

struct NoStage: Error {}

/// Plays `scene` with the exchange of `request`, whose phases have not run.
func withExchange<Result>(
  _ request: String = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n\r\n", from peer: String = "192.0.2.1",
  dialect: String = SurfacePlan.usual,
  _ scene: (Exchange) throws -> Result
) throws -> Result {
  let loop = try Loop(roomCapacity: 64 << 10)
  defer { loop.close() }
  let snapshot = Snapshot(
    client: ClientPolicy(), surfaces: [SurfacePlan(prefix: "/v1", dialect: dialect)], clusters: [], plugins: [],
    relay: .standard, resolveAge: 0,
    logsAccess: false, drain: 0)
  let core = Core(index: 0, loop: loop, snapshot: snapshot, accessLog: nil)
  var pair: [Int32] = [-1, -1]
  guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0, &pair) == 0,
    let address = SocketAddress(literal: peer, port: 4000)
  else { throw NoStage() }
  defer { close(pair[1]) }
  ClientConnection.open(pair[0], from: address, door: Door(name: "stage", isUnix: false, tls: nil), core: core)
  let client = try #require(core.clients.members.first)
  defer { client.close() }

  let parser = core.takeRequestParser()
  var store = HeadStore()
  let bytes = Array(request.utf8)
  let progress = lending(bytes) { bytes in
    store.append(bytes, limit: 65_536)
    return parser.parseHead(bytes)
  }
  try #require(progress == .complete(consumed: bytes.count))
  parser.head.base = store.base(of: parser.head)
  let exchange = Exchange(client: client, parser: parser, head: store, isPlaced: true)
  exchange.record.method = parser.head.method
  exchange.record.path = Array(parser.head.bytes(parser.head.path))
  let found = Route.find(parser.head.bytes(parser.head.path), snapshot.surfaces)
  exchange.route = found.route
  exchange.surface = snapshot.surfaces.surface(found.surface, dialect: nil)
  exchange.clientAddress = client.peer
  return try scene(exchange)
}

/// What a verdict is, in a word that can be compared.
enum Said: Equatable {
  case pass, wait
  case reply(Int, String)
  case fail(Int, String)

  init(_ verdict: Verdict) {
    switch verdict {
    case .pass: self = .pass
    case .wait: self = .wait
    case .reply(let reply): self = .reply(reply.status, string(reply.body))
    case .fail(let failure): self = .fail(failure.status, failure.word)
    }
  }
}
