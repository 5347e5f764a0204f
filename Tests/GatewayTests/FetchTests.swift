// Requests of plugins' own, against a peer on a unix socket that keeps what it is sent.

import Glibc
import Reactor
import Synchronization
import Testing

@testable import Gateway

@Suite("Fetches")
struct FetchTests {
  /// Asks when a request comes, and answers with what it was told.
  struct Asks: Plugin {
    let name = "asks"
    let phases = Phases.request
    /// As long as it takes on a busy machine: what is shown here has times of its own.
    let waitMax: UInt64 = 120_000_000_000
    let request: FetchRequest
    let path: String

    func request(_ exchange: Exchange) -> Verdict { .wait }

    func wait(in phase: Phases, _ exchange: Exchange, on loop: isolated LoopActor) async -> Verdict {
      let endpoint = Endpoint(
        place: .unix(path: path), usesTLS: false, name: "peer", authority: "peer.test", basePath: "", weight: 1)
      do {
        let answer = try await exchange.core.fetch(request, from: endpoint, on: loop)
        let fields = answer.fields.map { "\($0.name)=\($0.value)" }.joined(separator: ";")
        return .reply(Reply(status: 200, body: Array("\(answer.status) \(fields) ".utf8) + answer.body))
      } catch {
        return .reply(Reply(status: 500, body: Array("\(error.isTimeout ? "late: " : "")\(error)".utf8)))
      }
    }
  }

  /// Accepts one connection on a socket of its own, keeps what it is sent up to `ending`, and answers.
  final class Peer: Sendable {
    final class Box: Sendable { let text = Mutex("") }

    let path: String
    private let listener: Int32
    private let thread: CoreThread
    private let box: Box

    init(ending: String, answer: String) throws {
      let path = "/tmp/sluice-fetch-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
      let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      let box = Box()
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { room in room.copyBytes(from: Array(path.utf8).prefix(107)) }
      let size = socklen_t(MemoryLayout<sockaddr_un>.size)
      // SAFETY: a sockaddr_un is read as the sockaddr that it begins with, for the length of the call.
      let bound = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
      }
      guard bound == 0, listen(descriptor, 8) == 0 else { throw NoStage() }
      thread = try CoreThread.start(name: "fetched") {
        let peer = accept(descriptor, nil, nil)
        guard peer >= 0 else { return }
        defer { close(peer) }
        var room = [UInt8](repeating: 0, count: 4096)
        while !box.text.withLock({ $0.hasSuffix(ending) }) {
          let count = read(peer, &room, room.count)
          guard count > 0 else { return }
          box.text.withLock { $0 += string(room.prefix(count)) }
        }
        _ = lending(answer) { write(peer, $0.baseAddress, $0.count) }
      }
      self.path = path
      self.box = box
      listener = descriptor
    }

    /// What it was sent, once its connection is over.
    func end() -> String {
      shutdown(listener, Int32(SHUT_RDWR))
      thread.join()
      close(listener)
      unlink(path)
      return box.text.withLock { $0 }
    }
  }

  /// What a plugin is told, and what its peer was sent.
  static func fetch(
    _ request: FetchRequest, ending: String = "\r\n\r\n", answer: String = "HTTP/1.1 204 No Content\r\n\r\n"
  ) async throws -> (told: String, sent: String) {
    let peer = try Peer(ending: ending, answer: answer)
    let told = try await WaitingPluginTests.answer([Asks(request: request, path: peer.path)])
    return (told.split(separator: "\r\n\r\n", maxSplits: 1).last.map(String.init) ?? "", peer.end())
  }

  @Test("a plain one is a GET of its own connection")
  func plain() async throws {
    var request = FetchRequest(target: "/a?b=c")
    request.fields = [("X-One", "1"), ("x-one", "é")]
    let (told, sent) = try await Self.fetch(request, answer: "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nhi")
    #expect(told == "200 A=b;Content-Length=2 hi")
    #expect(
      sent
        == "GET /a?b=c HTTP/1.1\r\nHost: peer.test\r\nConnection: close\r\nUser-Agent: sluice\r\nX-One: 1\r\nx-one: é\r\n\r\n"
    )
  }

  @Test("a method and a body are sent, with its length")
  func body() async throws {
    var request = FetchRequest(target: "/")
    request.method = "POST"
    request.body = Array("hello".utf8)
    let (told, sent) = try await Self.fetch(request, ending: "hello")
    #expect(told.hasPrefix("204 "))
    #expect(sent.hasPrefix("POST / HTTP/1.1\r\n") && sent.hasSuffix("\r\nContent-Length: 5\r\n\r\nhello"))
  }

  @Test("a large body goes out whole, however little the peer takes at a time")
  func largeBody() async throws {
    var request = FetchRequest(target: "/")
    request.method = "PUT"
    request.body = Array(repeating: UInt8(ascii: "x"), count: 1 << 20) + [UInt8(ascii: ".")]
    let (told, sent) = try await Self.fetch(request, ending: ".")
    #expect(told.hasPrefix("204 ") && sent.utf8.count > 1 << 20)
  }

  @Test("the answer to HEAD has no body, whatever length it tells")
  func head() async throws {
    var request = FetchRequest(target: "/")
    request.method = "HEAD"
    let (told, sent) = try await Self.fetch(request, answer: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
    #expect(told == "200 Content-Length=10 " && sent.hasPrefix("HEAD / "))
  }

  @Test("an answer in chunks is read whole, and interim ones are passed over")
  func chunks() async throws {
    let answer =
      "HTTP/1.1 103 X\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n3\r\n!!!\r\n0\r\n\r\n"
    let (told, _) = try await Self.fetch(FetchRequest(target: "/"), answer: answer)
    #expect(told == "200 Transfer-Encoding=chunked hi!!!")
  }

  @Test(
    "a target or a method that would be another request is none, and nobody is asked",
    arguments: [
      ("GET", ""), ("GET", "a"), ("GET", "/a b"), ("GET", "/a\r\nX: y"), ("GET", "/\u{0}"), ("GET", "/\u{7f}"),
      ("GET", "http://x/"), ("GE T", "/"), ("GET\r\n", "/"),
    ])
  func badTargets(_ method: String, _ target: String) async throws {
    var request = FetchRequest(target: target)
    request.method = method
    let (told, sent) = try await Self.fetch(request)
    #expect(told == "peer: the request's target has bytes that no target has" && sent.isEmpty)
  }

  @Test(
    "a field whose value would be another line is left out", arguments: ["a\r\nX-Two: 2", "a\nb", "\u{0}", "\u{7f}"])
  func badFields(_ value: String) async throws {
    var request = FetchRequest(target: "/")
    request.fields = [("X-One", value), ("X-Three", "3")]
    let (_, sent) = try await Self.fetch(request)
    #expect(!sent.contains("X-One") && !sent.contains("X-Two") && sent.hasSuffix("X-Three: 3\r\n\r\n"))
  }

  @Test(
    "an answer that is cut, too large or no HTTP is an error, and no timeout",
    arguments: [
      "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", "nonsense\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + String(repeating: "x", count: 2000),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ])
  func badAnswers(_ answer: String) async throws {
    var request = FetchRequest(target: "/")
    request.bytesMax = 1000
    let (told, _) = try await Self.fetch(request, answer: answer)
    #expect(told.hasPrefix("peer: "))
  }

  @Test("an answer that does not come is a timeout")
  func late() async throws {
    var request = FetchRequest(target: "/")
    request.timeMax = 50_000_000
    let (told, _) = try await Self.fetch(request, ending: "never")
    #expect(told == "late: peer: no answer within 50 ms")
  }

  @Test("a socket that is not there is an error")
  func unreachable() async throws {
    let told = try await WaitingPluginTests.answer([Asks(request: FetchRequest(target: "/"), path: "/nowhere.sock")])
    #expect(told.contains("\r\n\r\npeer: "))
  }
}
