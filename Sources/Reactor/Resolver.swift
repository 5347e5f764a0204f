// Names to addresses. getaddrinfo blocks, so libuv calls it on its own small thread pool and the answer comes back on
// the loop. Nothing is cached here: how long an answer holds is for who asks to decide.

import CUV
import Glibc

/// Looks names up on behalf of one loop.
public final class Resolver {
  private let loop: Loop

  public init(loop: Loop) { self.loop = loop }

  /// Calls `done` on the loop, never from inside this call, with every stream address of `host`, in the order in which
  /// they should be tried (RFC 6724), or with what went wrong. A literal address is its own answer. Not called when the
  /// loop is closed first.
  public func resolve(
    host: String, port: UInt16, _ done: @escaping (Result<[SocketAddress], ReactorError>) -> Void
  ) {
    if let literal = SocketAddress(literal: host, port: port) {
      loop.runLater { done(.success([literal])) }
      return
    }
    let lookup = Lookup(loop: loop, port: port, done: done)
    if let error = lookup.start(host) { loop.runLater { done(.failure(error)) } }
  }
}

@available(*, unavailable)
extension Resolver: Sendable {}

/// One question. Retained by its request until libuv calls back.
private final class Lookup {
  private let request: UnsafeMutablePointer<uv_getaddrinfo_t>
  private let loop: Loop
  private let port: UInt16
  private let done: (Result<[SocketAddress], ReactorError>) -> Void

  init(loop: Loop, port: UInt16, done: @escaping (Result<[SocketAddress], ReactorError>) -> Void) {
    request = .allocate(capacity: 1)
    self.loop = loop
    self.port = port
    self.done = done
  }

  deinit { request.deallocate() }

  func start(_ host: String) -> ReactorError? {
    guard !loop.isClosed else { return ReactorError(code: ECANCELED, operation: "getaddrinfo") }
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    // SAFETY: the reference is given back in the one callback, or below when there will be none.
    let me = Unmanaged.passRetained(self)
    request.pointee.data = me.toOpaque()
    let status = uv_getaddrinfo(loop.uv, request, { LookupCallbacks.answered($0, $1, $2) }, host, nil, &hints)
    guard status == 0 else {
      me.release()
      return ReactorError(uv: status, operation: "getaddrinfo")
    }
    return nil
  }

  func answered(_ status: Int32, _ list: UnsafeMutablePointer<addrinfo>?) {
    defer { uv_freeaddrinfo(list) }
    guard !loop.isClosed else { return }
    guard status == 0 else {
      done(.failure(ReactorError(uv: status, operation: "getaddrinfo")))
      return
    }
    var found: [SocketAddress] = []
    var next = list
    while let entry = next {
      if let address = Self.address(entry.pointee)?.with(port: port), !found.contains(address) { found.append(address) }
      next = entry.pointee.ai_next
    }
    // UV_EAI_NODATA: the name exists and has no address of a kind we can use.
    done(found.isEmpty ? .failure(ReactorError(uv: UV_EAI_NODATA.rawValue, operation: "getaddrinfo")) : .success(found))
  }

  private static func address(_ entry: addrinfo) -> SocketAddress? {
    guard let form = entry.ai_addr else { return nil }
    let size = min(Int(entry.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
    var storage = sockaddr_storage()
    withUnsafeMutableBytes(of: &storage) {
      // SAFETY: the resolver made ai_addrlen bytes at ai_addr, and no more than the storage holds are taken.
      $0.copyMemory(from: UnsafeRawBufferPointer(start: form, count: size))
    }
    return SocketAddress(storage, length: socklen_t(size))
  }
}

private enum LookupCallbacks {
  static func answered(
    _ request: UnsafeMutablePointer<uv_getaddrinfo_t>?, _ status: Int32, _ list: UnsafeMutablePointer<addrinfo>?
  ) {
    guard let data = request?.pointee.data else { return }
    // SAFETY: takes over the reference that start() left with the request; libuv does not touch the request again.
    Unmanaged<Lookup>.fromOpaque(data).takeRetainedValue().answered(status, list)
  }
}
