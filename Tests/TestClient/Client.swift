// A blocking client for the tests of servers. Every call gives up after a minute, so that a mistake fails instead of
// hanging.

import Glibc
import Reactor

/// One connection to a server.
public final class Client {
  private let descriptor: Int32
  /// Bytes read and not taken yet.
  private var buffer: [UInt8] = []

  public init(_ address: SocketAddress) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    guard address.withSockaddr({ connect(descriptor, $0, $1) }) == 0 else {
      throw ReactorError(code: errno, operation: "connect")
    }
  }

  deinit { close(descriptor) }

  /// Sends all of `bytes`; false when the peer has closed.
  @discardableResult
  public func send(_ bytes: some Sequence<UInt8>) -> Bool {
    let bytes = Array(bytes)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  @discardableResult
  public func send(_ text: String) -> Bool { send(text.utf8) }

  public func post(_ path: String, _ body: String, headers: String = "") {
    send("POST \(path) HTTP/1.1\r\nHost: demo\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
  }

  /// How reading ended.
  public enum End: Equatable, Sendable {
    case closed, reset, timedOut
  }

  private func more() -> End? {
    var room = [UInt8](repeating: 0, count: 65_536)
    var count: Int
    // With a time limit the kernel does not go on by itself after an interruption, as by the loop's io_uring (libuv 1.45).
    repeat { count = recv(descriptor, &room, room.count, 0) } while count < 0 && errno == EINTR
    if count > 0 {
      buffer.append(contentsOf: room[..<count])
      return nil
    }
    return count == 0 ? .closed : errno == ECONNRESET ? .reset : .timedOut
  }

  /// Reads up to and with `mark`, and returns what was read; nil when the connection ends before.
  public func read(through mark: String) -> String? {
    let mark = Array(mark.utf8)
    var from = 0
    while true {
      var index = from
      while index + mark.count <= buffer.count {
        if buffer[index..<(index + mark.count)].elementsEqual(mark) {
          let text = String(decoding: buffer[..<(index + mark.count)], as: UTF8.self)
          buffer.removeFirst(index + mark.count)
          return text
        }
        index += 1
      }
      from = max(0, buffer.count - mark.count + 1)
      if more() != nil { return nil }
    }
  }

  /// Reads until the connection ends.
  public func readToEnd() -> (text: String, end: End) {
    while true {
      guard let end = more() else { continue }
      let text = String(decoding: buffer, as: UTF8.self)
      buffer = []
      return (text, end)
    }
  }

  /// Reads `count` bytes; nil when the connection ends before.
  public func read(count: Int) -> [UInt8]? {
    while buffer.count < count {
      if more() != nil { return nil }
    }
    defer { buffer.removeFirst(count) }
    return Array(buffer[..<count])
  }

  /// Reads a reply with content-length.
  public func reply() -> (head: String, body: String)? {
    guard let head = read(through: "\r\n\r\n"), let name = head.firstRange(of: "content-length: "),
      let length = Int(head[name.upperBound...].prefix { $0.isNumber })
    else { return nil }
    guard let body = read(count: length) else { return nil }
    return (head, String(decoding: body, as: UTF8.self))
  }
}

/// Waits until `condition` holds; false after ten seconds.
public func eventually(_ condition: () -> Bool) -> Bool {
  let limit = Machine.monotonicNanoseconds() + 10_000_000_000
  while !condition() {
    guard Machine.monotonicNanoseconds() < limit else { return false }
    sched_yield()
  }
  return true
}
