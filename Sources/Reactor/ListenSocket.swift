// Opens the descriptors that listen. Values in, a descriptor or an error out; who polls it is the Listener's business.

import Glibc

/// Makes listening sockets.
public enum ListenSocket {
  /// A non-blocking socket that listens on `address`.
  ///
  /// - Parameters:
  ///   - backlog: connections the kernel keeps for us until they are accepted.
  ///   - reusePort: several sockets, one per core, share the address and the kernel spreads connections over them. Not
  ///     for unix sockets: there, cores share one descriptor through `dup`.
  ///   - unixMode: permission bits of a unix socket; nil leaves them to the umask.
  /// - Throws: with what the operator has to know, such as `EADDRINUSE` from "bind".
  public static func open(
    _ address: SocketAddress, backlog: Int, reusePort: Bool, unixMode: UInt32? = nil
  ) throws(ReactorError) -> Int32 {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(address.domain, kind, 0)
    guard descriptor >= 0 else { throw ReactorError(code: errno, operation: "socket") }
    do throws(ReactorError) {
      try prepare(descriptor, address, reusePort: reusePort)
      let bound = address.withSockaddr { bind(descriptor, $0, $1) }
      guard bound == 0 else { throw ReactorError(code: errno, operation: "bind") }
      if let unixMode, address.family == .unix, chmod(address.unixPath, mode_t(unixMode & 0o777)) != 0 {
        throw ReactorError(code: errno, operation: "chmod")
      }
      let length = Int32(clamping: max(backlog, 1))
      guard listen(descriptor, length) == 0 else { throw ReactorError(code: errno, operation: "listen") }
    } catch {
      close(descriptor)
      throw error
    }
    return descriptor
  }

  /// Throws `EADDRINUSE` from "bind" where somebody listens on `address`, be it with `SO_REUSEPORT`. Nobody is listened for
  /// meanwhile: a client would be taken and dropped.
  public static func probe(_ address: SocketAddress) throws(ReactorError) {
    let descriptor = socket(address.domain, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw ReactorError(code: errno, operation: "socket") }
    defer { close(descriptor) }
    try prepare(descriptor, address, reusePort: false)
    guard address.withSockaddr({ bind(descriptor, $0, $1) }) == 0 else {
      throw ReactorError(code: errno, operation: "bind")
    }
  }

  private static func prepare(
    _ descriptor: Int32, _ address: SocketAddress, reusePort: Bool
  ) throws(ReactorError) {
    guard address.family != .unix else {
      removeStale(address)
      return
    }
    try set(descriptor, SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR")
    if reusePort { try set(descriptor, SOL_SOCKET, SO_REUSEPORT, "SO_REUSEPORT") }
    // [::]:80 beside 0.0.0.0:80 means two sockets, and no peer ever appears as ::ffff:a.b.c.d.
    if address.family == .ipv6 { try set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, "IPV6_V6ONLY") }
    // Accepted connections inherit it: no call for each of them. (TCP_NOTSENT_LOWAT would be inherited as well, and halve
    // what the kernel holds for a stalled client, but bulk bodies then cost three times as much.)
    try set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, "TCP_NODELAY")
  }

  private static func set(
    _ descriptor: Int32, _ level: Int32, _ name: Int32, _ operation: StaticString
  ) throws(ReactorError) {
    var on: Int32 = 1
    guard setsockopt(descriptor, level, name, &on, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
      throw ReactorError(code: errno, operation: operation)
    }
  }

  /// Removes the file of a unix socket that a dead process left behind. One that is listened on, and whatever is not a
  /// socket, stays: bind says EADDRINUSE then.
  private static func removeStale(_ address: SocketAddress) {
    var facts = stat()
    guard lstat(address.unixPath, &facts) == 0, facts.st_mode & S_IFMT == S_IFSOCK else { return }
    let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard probe >= 0 else { return }
    let status = address.withSockaddr { connect(probe, $0, $1) }
    if status != 0, errno == ECONNREFUSED { unlink(address.unixPath) }
    close(probe)
  }
}
