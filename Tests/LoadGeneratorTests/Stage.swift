// What the tests of whole loads stand on: a way to run one, and backends that do what a closure says.

import Glibc
import LoadGenerator
import Reactor

/// Runs a load on a thread of its own: it would hold those of all other tests.
func measure(_ settings: LoadSettings) async throws -> LoadResult {
  try await withCheckedThrowingContinuation { continuation in
    do {
      try CoreThread.start(name: "load") {
        continuation.resume(with: Result { try Measurement.run(settings) })
      }.detach()
    } catch {
      continuation.resume(throwing: error)
    }
  }
}

/// A connection as a script sees it: blocking, and closed when the script has ended.
struct ScriptedConnection {
  let descriptor: Int32
  /// Connections in front of it.
  let index: Int

  /// Reads a request whose body is JSON, as all of a load's are. False when the peer closed.
  func readRequest() -> Bool {
    var text = ""
    var room = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(descriptor, &room, room.count, 0)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      text += String(decoding: room[..<count], as: UTF8.self)
      if text.contains("\r\n\r\n"), text.hasSuffix("}") { return true }
    }
  }

  func send(_ text: String) {
    var text = text
    text.withUTF8 { _ = Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
  }

  static let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
  static let streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

  /// Sends one event with a word in a chunk.
  func sendEvent() {
    let event = "data: {\"choices\":[{\"delta\":{\"content\":\"word\"}}]}\n\n"
    send(String(event.utf8.count, radix: 16) + "\r\n" + event + "\r\n")
  }

  func sendStreamEnd() { send("e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n") }
}

/// A backend that runs a closure for each connection, on a thread each.
final class ScriptedBackend: Sendable {
  typealias Script = @Sendable (ScriptedConnection) -> Void

  let address: SocketAddress
  private let listening: Int32

  /// Accepts at once.
  convenience init(_ script: @escaping Script) throws {
    try self.init(backlog: 16)
    try accept(script)
  }

  /// Listens, and accepts when it is told.
  init(backlog: Int32) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let bound = SocketAddress.loopback(port: 0).withSockaddr { bind(descriptor, $0, $1) }
    guard bound == 0, listen(descriptor, backlog) == 0, let address = SocketAddress.local(of: descriptor) else {
      throw ReactorError(code: errno, operation: "listen")
    }
    listening = descriptor
    self.address = address
  }

  func accept(_ script: @escaping Script) throws {
    let listening = listening
    try CoreThread.start(name: "scripted") {
      var index = 0
      while true {
        let descriptor = Glibc.accept(listening, nil, nil)
        if descriptor < 0, errno == EINTR { continue }
        guard descriptor >= 0 else { break }
        let connection = ScriptedConnection(descriptor: descriptor, index: index)
        index += 1
        let thread = try? CoreThread.start(name: "scripted") {
          script(connection)
          close(connection.descriptor)
        }
        if let thread { thread.detach() } else { close(descriptor) }
      }
      close(listening)
    }.detach()
  }

  var target: String { "http://\(address)/v1" }

  /// Fills a backlog of 0 with connections, to be closed by the caller. The kernel drops whoever else wants to connect.
  func fill() -> [Int32] {
    (0..<3).map { _ in
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
      _ = address.withSockaddr { connect(descriptor, $0, $1) }
      return descriptor
    }
  }

  /// Accepts nobody any more.
  func stop() { shutdown(listening, Int32(SHUT_RDWR)) }
}
