// The listener, the connections and the profiles of one mock backend. Lives on one loop, which it owns until it is
// closed.

import Bytes
import Glibc
import Reactor
import Stamp

/// A mock backend on the loop's side.
final class MockServer: LoopServer {
  let loop: Loop
  let pacer: Pacer
  let defaultProfile: Profile
  let modelList: Chunk
  let healthy: Chunk
  let notFound: Chunk
  private let settings: MockSettings
  private var listener: Listener?
  private var connections: [ObjectIdentifier: MockConnection] = [:]
  /// Profiles asked for by header, newest last.
  private var asked: [(text: Chunk, profile: Profile)] = []
  private var seed: UInt64 = 0x9e37_79b9_7f4a_7c15

  /// A server for a socket that listens already. The descriptor is the server's, also when this throws.
  init(descriptor: Int32, loop: Loop, settings: MockSettings) throws(ReactorError) {
    self.loop = loop
    self.settings = settings
    pacer = Pacer(loop: loop)
    defaultProfile = Profile(settings)
    modelList = Profile.chunk(AnswerTexts.message(status: 200, Array(Self.models.utf8)))
    healthy = Profile.chunk(AnswerTexts.message(status: 200, Array("{}".utf8)))
    notFound = Profile.chunk(AnswerTexts.message(status: 404, Array(Self.unknown.utf8)))
    listener = try Listener(descriptor: descriptor, loop: loop) { [unowned(unsafe) self] descriptor, _ in
      // SAFETY: the listener is closed, and its closure dropped, in close(), before the server goes away.
      self.accept(descriptor)
    }
  }

  private func accept(_ descriptor: Int32) {
    guard let connection = try? MockConnection(descriptor: descriptor, server: self) else { return }
    connections[ObjectIdentifier(connection)] = connection
  }

  /// A connection has closed its socket, perhaps in one of its own calls: sockets do not retain their owners.
  func forget(_ connection: MockConnection) {
    loop.atEndOfTurn(connection)
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    // Descriptors may have been short.
    listener?.resume()
  }

  /// The answers for a request with `text` in its `x-mock`. A text with mistakes gets 400, from a profile that lies so.
  func profile(for text: UnsafeRawBufferPointer) -> Profile {
    for (known, profile) in asked where ByteRun.same(known.bytes, text) { return profile }
    var wanted = settings
    do {
      try wanted.apply(String(decoding: text, as: UTF8.self))
    } catch {
      wanted.lie = .status(400)
    }
    let made = Profile(wanted)
    // Benchmarks ask for a few; somebody who asks for many gets them all the same.
    if asked.count >= Self.profilesMax { asked.removeFirst() }
    asked.append((Chunk(copying: text), made))
    return made
  }

  /// The next of a series of numbers without pattern (SplitMix64).
  func noise() -> UInt64 {
    seed &+= 0x9e37_79b9_7f4a_7c15
    var mixed = seed
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// Closes everything, the loop as well. After the loop has stopped.
  func close() {
    listener?.close()
    listener = nil
    pacer.close()
    for connection in Array(connections.values) { connection.close() }
    loop.close()
  }

  private static let profilesMax = 32
  private static let models =
    #"{"object":"list","data":[{"id":"mock","object":"model","created":1700000000,"owned_by":"bench"}]}"#
  private static let unknown =
    #"{"error":{"message":"The mock knows chat completions, models and health.","type":"invalid_request_error","param":null,"code":null}}"#
}
