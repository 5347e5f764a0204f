// TLS through the same Socket: handshakes that succeed and fail, records, ends, and sessions that come back.

import Bytes
import Glibc
import Testing

@testable import Reactor

/// A certificate for localhost and 127.0.0.1 that signs itself, made once per run.
enum TestCertificate {
  static let certificateFile = temporaryPath("-certificate.pem")
  static let keyFile = temporaryPath("-key.pem")
  static let isMade: Bool = {
    let made = run([
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
      "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
      "-keyout", keyFile, "-out", certificateFile,
    ])
    atexit {
      unlink(TestCertificate.certificateFile)
      unlink(TestCertificate.keyFile)
    }
    return made
  }()

  private static func run(_ arguments: [String]) -> Bool {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var pointers = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var child = pid_t()
    guard posix_spawnp(&child, arguments[0], &actions, nil, &pointers, environ) == 0 else { return false }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    return status == 0
  }

  static func server() throws -> TLSServerContext {
    try #require(isMade)
    return try TLSServerContext(certificateFile: certificateFile, keyFile: keyFile)
  }

  static func client(verify: Bool = true) throws -> TLSClientContext {
    try #require(isMade)
    return try TLSClientContext(caFile: certificateFile, verify: verify)
  }
}

/// A server and a client of one connection at a time, on one loop.
final class TLSPair {
  let loop: Loop
  let server = Owner()
  let client = Owner()
  var sockets: [Socket] = []
  private(set) var address = SocketAddress.loopback(port: 1)
  private var listener: Listener?

  init(_ loop: Loop, server context: TLSServerContext?) throws {
    self.loop = loop
    let descriptor = try ListenSocket.open(.loopback(port: 0), backlog: 16, reusePort: false)
    address = SocketAddress.local(of: descriptor) ?? address
    listener = try Listener(descriptor: descriptor, loop: loop) { [unowned(unsafe) self] descriptor, _ in
      guard let socket = try? Socket.accepted(descriptor: descriptor, loop: loop, tls: context, owner: server) else {
        return
      }
      if context == nil { socket.interest = .read }
      sockets.append(socket)
    }
  }

  @discardableResult
  func connect(_ context: TLSClientContext?, name: String? = "localhost") throws -> Socket {
    let socket = try Socket.connect(to: address, loop: loop, tls: context, serverName: name, owner: client)
    sockets.append(socket)
    return socket
  }

  func close() {
    for socket in sockets { socket.close() }
    listener?.close()
  }
}

@Suite struct TLSTests {
  @Test(
    "bytes travel both ways, the name is verified, and ALPN agrees on HTTP/1.1", arguments: ["localhost", "127.0.0.1"])
  func echo(_ name: String) async throws {
    let (answer, agreed, log) = try await withLoop { loop in
      let pair = try TLSPair(loop, server: TestCertificate.server())
      var answer = ""
      var agreed: [String?] = []
      pair.server.opened = { socket in
        agreed.append(socket.negotiatedProtocol)
        socket.interest = .read
      }
      pair.server.readable = { $0.writeText("<" + $0.readText() + ">") }
      pair.client.opened = { socket in
        agreed.append(socket.negotiatedProtocol)
        socket.interest = .read
        socket.writeText("hello")
      }
      pair.client.readable = { socket in
        answer += socket.readText().replacing("nothing")
        if answer == "<hello>" { loop.stop() }
      }
      try pair.connect(TestCertificate.client(), name: name)
      return {
        pair.close()
        return (answer, agreed, pair.client.log)
      }
    }
    #expect(answer == "<hello>")
    #expect(agreed == ["http/1.1", "http/1.1"])
    #expect(log.first == "opened")
  }

  @Test("a certificate for another name, or from nobody we trust, is refused and says why")
  func verification() async throws {
    let errors = try await withLoop { loop in
      let pair = try TLSPair(loop, server: TestCertificate.server())
      var errors: [SocketError] = []
      pair.client.failed = { socket, error in
        errors.append(error)
        socket.close()
        if errors.count == 3 { loop.stop() }
      }
      pair.server.failed = { socket, _ in socket.close() }
      let trusting = try TestCertificate.client()
      try pair.connect(trusting, name: "example.com")
      try pair.connect(trusting, name: "127.0.0.2")
      try pair.connect(TLSClientContext(caFile: nil))
      return {
        pair.close()
        return errors
      }
    }
    #expect(errors.map(\.kind) == [.tlsVerification, .tlsVerification, .tlsVerification])
    #expect(
      Set(errors.compactMap(\.tlsDetail)) == ["hostname mismatch", "IP address mismatch", "self-signed certificate"])
  }

  @Test("without verification any certificate will do, and without a name there is no verification")
  func unverified() async throws {
    let (log, refused) = try await withLoop { loop in
      let pair = try TLSPair(loop, server: TestCertificate.server())
      pair.client.opened = { _ in loop.stop() }
      try pair.connect(TestCertificate.client(verify: false), name: nil)
      let verifying = try TestCertificate.client()
      var refused = false
      do { try pair.connect(verifying, name: nil) } catch { refused = true }
      return {
        pair.close()
        return (pair.client.log, refused)
      }
    }
    #expect(log == ["opened"])
    #expect(refused)
  }

  @Test("who does not speak TLS is told as a TLS failure, on both sides")
  func noTLS() async throws {
    let (kind, clientKind) = try await withLoop { loop in
      let pair = try TLSPair(loop, server: TestCertificate.server())
      let plain = try TLSPair(loop, server: nil)
      var kind: SocketError.Kind?
      var clientKind: SocketError.Kind?
      func finish() { if kind != nil, clientKind != nil { loop.stop() } }
      pair.server.failed = { _, error in
        kind = error.kind
        finish()
      }
      pair.client.opened = { $0.writeText("GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
      plain.server.readable = { $0.writeText("HTTP/1.1 400 Bad Request\r\n\r\n" + $0.readText().prefix(0)) }
      plain.client.failed = { _, error in
        clientKind = error.kind
        finish()
      }
      try pair.connect(nil)
      try plain.connect(TestCertificate.client())
      return {
        pair.close()
        plain.close()
        return (kind, clientKind)
      }
    }
    #expect(kind == .tls)
    #expect(clientKind == .tls)
  }

  @Test("a peer that goes away during the handshake is a failure, told once")
  func goneInHandshake() async throws {
    let log = try await withLoop { loop in
      let (ours, peer) = try tcpPair()
      let owner = Owner()
      let socket = try Socket.accepted(descriptor: ours, loop: loop, tls: TestCertificate.server(), owner: owner)
      owner.failed = { _, _ in loop.runLater { loop.runLater { loop.stop() } } }
      sendText(peer, "\u{16}\u{3}\u{1}")
      close(peer)
      return {
        socket.close()
        return owner.log
      }
    }
    #expect(log == ["failed"])
  }

  @Test("megabytes pass with backpressure, gathered and in order, into a room smaller than a record")
  func bulk() async throws {
    let size = 8 << 20
    let (received, inOrder, blocked) = try await withLoop(roomCapacity: 5000) { loop in
      let pair = try TLSPair(loop, server: TestCertificate.server())
      let slab = Slab(capacity: size)
      for index in 0..<size { slab.room[index] = UInt8(truncatingIfNeeded: index &* 31 &+ index >> 8) }
      var queue = Chunk(slab: slab, offset: 0, count: size)
      var blocked = 0
      var received = 0
      var inOrder = true
      // Reads from when the other side has found no more room, or it might keep up for megabytes.
      var reader: Socket?
      func send(_ socket: Socket) {
        while queue.count > 0 {
          // Odd pieces: some share a record, some fill several.
          loop.batch.reset()
          var rest = queue
          for length in [1, 700, 20_000, 3, 40_000, 9] {
            loop.batch.add(Chunk(slab: slab, offset: rest.offset, count: min(length, rest.count)).bytes)
            rest.dropFirst(length)
          }
          guard case .wrote(let count) = socket.write(loop.batch) else { return loop.stop() }
          queue.dropFirst(count)
          if count < loop.batch.byteCount {
            blocked += 1
            socket.interest = .write
            reader?.interest = .read
            return
          }
        }
        socket.interest = []
        socket.shutdownWrite()
      }
      pair.server.opened = send
      pair.server.writable = send
      pair.client.opened = {
        reader = $0
        if blocked > 0 { $0.interest = .read }
      }
      pair.client.readable = { socket in
        switch socket.read(into: loop.readRoom) {
        case .bytes(let count):
          for index in 0..<count {
            let place = received + index
            inOrder = inOrder && loop.readRoom[index] == UInt8(truncatingIfNeeded: place &* 31 &+ place >> 8)
          }
          received += count
        case .wouldBlock: break
        case .end:
          inOrder = inOrder && socket.endedCleanly
          loop.stop()
        case .failed: loop.stop()
        }
      }
      try pair.connect(TestCertificate.client())
      return {
        pair.close()
        return (received, inOrder, blocked)
      }
    }
    #expect(received == size)
    #expect(inOrder)
    #expect(blocked > 0)
  }

  @Test("input that TLS holds is delivered although the kernel is silent, also after a pause")
  func bufferedInput() async throws {
    let (texts, held) = try await withLoop(roomCapacity: 4096) { loop in
      let pair = try TLSPair(loop, server: TestCertificate.server())
      var counts: [Int] = []
      var held = false
      pair.server.opened = { $0.writeText(String(repeating: "x", count: 10_000)) }
      pair.client.opened = { $0.interest = .read }
      pair.client.readable = { socket in
        guard case .bytes(let count) = socket.read(into: loop.readRoom) else { return }
        counts.append(count)
        if counts.count == 1 {
          held = socket.hasBufferedInput
          socket.interest = .hangup
          loop.runLater { loop.runLater { socket.interest = .read } }
        }
        if counts.reduce(0, +) == 10_000 { loop.stop() }
      }
      try pair.connect(TestCertificate.client())
      return {
        pair.close()
        return (counts, held)
      }
    }
    #expect(texts == [4096, 4096, 1808])
    #expect(held)
  }

  @Test("pieces of a batch share one record")
  func oneRecord() async throws {
    let size = try await withLoop { loop in
      let pair = try TLSPair(loop, server: TestCertificate.server())
      var counts: [Int] = []
      pair.server.opened = { socket in
        let chunks = (0..<40).map { _ in "12345".utf8.withContiguousStorageIfAvailable { Chunk(copying: .init($0)) } }
        loop.batch.reset()
        for chunk in chunks { if let chunk { loop.batch.add(chunk.bytes) } }
        _ = socket.write(loop.batch)
      }
      pair.client.opened = { $0.interest = .read }
      pair.client.readable = { socket in
        // A room that would hold more shows where the record ends: OpenSSL gives one record at a time.
        guard let session = socket.session else { return }
        if case .bytes(let count) = session.read(into: .init(rebasing: loop.readRoom[..<200])) {
          counts.append(count)
          loop.stop()
        }
      }
      try pair.connect(TestCertificate.client())
      return {
        pair.close()
        return counts
      }
    }
    #expect(size == [200])
  }

  @Test("an end with close_notify is clean, and one without is not")
  func ends() async throws {
    let clean = try await withLoop { loop in
      let pair = try TLSPair(loop, server: TestCertificate.server())
      var clean: [Bool] = []
      pair.server.opened = { socket in
        socket.writeText("all there is")
        // A bare FIN, which anybody on the way could have sent.
        if pair.sockets.count > 2 { shutdown(socket.descriptor, Int32(SHUT_WR)) } else { socket.close() }
      }
      pair.client.opened = { $0.interest = .read }
      pair.client.readable = { socket in
        guard socket.readText() == "end" else { return }
        clean.append(socket.endedCleanly)
        socket.close()
        if clean.count == 2 { return loop.stop() }
        _ = try? pair.connect(TestCertificate.client())
      }
      try pair.connect(TestCertificate.client())
      return {
        pair.close()
        return clean
      }
    }
    #expect(clean == [true, false])
  }

  @Test("a second connection to the same server resumes the session, under the same name only")
  func resumption() async throws {
    let resumed = try await withLoop { loop in
      let pair = try TLSPair(loop, server: TestCertificate.server())
      let context = try TestCertificate.client()
      var resumed: [Bool] = []
      let names = ["localhost", "localhost", "127.0.0.1"]
      pair.server.opened = { $0.writeText("hello") }
      pair.client.opened = { $0.interest = .read }
      pair.client.readable = { socket in
        guard socket.readText() == "hello" else { return }
        resumed.append(socket.session?.wasResumed ?? false)
        socket.close()
        if resumed.count == names.count { return loop.stop() }
        _ = try? pair.connect(context, name: names[resumed.count])
      }
      try pair.connect(context, name: names[0])
      return {
        pair.close()
        return resumed
      }
    }
    #expect(resumed == [false, true, false])
  }

  @Test("a file that is missing or wrong is an error that says so")
  func badFiles() throws {
    try #require(TestCertificate.isMade)
    let missing = #expect(throws: ReactorError.self) {
      try TLSServerContext(certificateFile: "/no/such/file", keyFile: TestCertificate.keyFile)
    }
    #expect(missing?.code == ENOENT)
    let wrong = #expect(throws: ReactorError.self) {
      try TLSServerContext(certificateFile: TestCertificate.keyFile, keyFile: TestCertificate.keyFile)
    }
    #expect(wrong?.kind == .tls)
    #expect(throws: ReactorError.self) { try TLSClientContext(caFile: "/no/such/file") }
  }

  @Test("a crowd of handshakes is spread over turns and all succeed")
  func crowd() async throws {
    let (opened, most) = try await withLoop { loop in
      let pair = try TLSPair(loop, server: TestCertificate.server())
      var opened = 0
      var most = 0
      pair.server.opened = { _ in
        opened += 1
        most = max(most, loop.handshakes)
        if opened == 40 { loop.stop() }
      }
      let context = try TestCertificate.client()
      for _ in 0..<40 { try pair.connect(context) }
      return {
        pair.close()
        return (opened, most)
      }
    }
    #expect(opened == 40)
    #expect(most <= 5)
  }
}

extension String {
  /// The text without `other`, if it is just that.
  fileprivate func replacing(_ other: String) -> String { self == other ? "" : self }
}
