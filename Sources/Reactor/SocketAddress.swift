// Where a socket is, or wants to go: IPv4, IPv6 or a path. A plain value; names are the Resolver's business.

import Glibc

/// An address a socket can be bound or connected to.
public struct SocketAddress: Sendable, Hashable {
  /// Which of the three kinds of address it is.
  public enum Family: UInt8, Sendable {
    case ipv4, ipv6, unix
  }

  /// Which of the three kinds of address it is.
  public let family: Family
  /// Port in host byte order; 0 for unix sockets, and where the kernel shall choose.
  public let port: UInt16
  /// Path of a unix socket, empty for the others and for an unnamed peer.
  public let unixPath: String
  private let high: UInt64
  private let low: UInt64
  private let scope: UInt32

  private init(family: Family, high: UInt64, low: UInt64, port: UInt16, scope: UInt32 = 0, path: String = "") {
    self.family = family
    self.high = high
    self.low = low
    self.port = port
    self.scope = scope
    unixPath = path
  }

  /// An IPv4 address as one number in host order: `0x7f00_0001` is 127.0.0.1.
  public init(ipv4 address: UInt32, port: UInt16) {
    self.init(family: .ipv4, high: 0, low: 0xffff_0000_0000 | UInt64(address), port: port)
  }

  /// An IPv6 address as two halves in host order.
  public init(ipv6High high: UInt64, low: UInt64, port: UInt16) {
    self.init(family: .ipv6, high: high, low: low, port: port)
  }

  /// A unix socket. Nil when the path is empty, contains a zero byte or is longer than the kernel takes (107 bytes).
  public init?(unixPath path: String) {
    guard !path.isEmpty, path.utf8.count <= Self.pathBytesMax, !path.utf8.contains(0) else { return nil }
    self.init(family: .unix, high: 0, low: 0, port: 0, path: path)
  }

  /// A literal address such as `127.0.0.1`, `::1` or `[::1]`. Nil for anything else, names included.
  public init?(literal host: String, port: UInt16) {
    var text = Substring(host)
    if text.hasPrefix("["), text.hasSuffix("]") { text = text.dropFirst().dropLast() }
    let plain = String(text)
    var v4 = in_addr()
    if plain.count == host.count, inet_pton(AF_INET, plain, &v4) == 1 {
      self.init(ipv4: UInt32(bigEndian: v4.s_addr), port: port)
      return
    }
    var v6 = in6_addr()
    guard inet_pton(AF_INET6, plain, &v6) == 1 else { return nil }
    let (high, low) = Self.halves(of: v6)
    self.init(ipv6High: high, low: low, port: port)
  }

  /// 127.0.0.1.
  public static func loopback(port: UInt16) -> SocketAddress { SocketAddress(ipv4: 0x7f00_0001, port: port) }

  /// The 128 bits of the address, IPv4 as ::ffff:a.b.c.d. Nil for unix sockets.
  public var ipBits: (high: UInt64, low: UInt64)? { family == .unix ? nil : (high, low) }

  /// The same place with another port.
  public func with(port: UInt16) -> SocketAddress {
    SocketAddress(family: family, high: high, low: low, port: port, scope: scope, path: unixPath)
  }

  /// The kernel's number for the family.
  var domain: Int32 {
    switch family {
    case .ipv4: AF_INET
    case .ipv6: AF_INET6
    case .unix: AF_UNIX
    }
  }

  private static let pathBytesMax = 107
}

// MARK: - What the kernel takes and gives

extension SocketAddress {
  /// Lends the address in the kernel's form.
  public func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    switch family {
    case .ipv4:
      var form = sockaddr_in()
      form.sin_family = sa_family_t(AF_INET)
      form.sin_port = port.bigEndian
      form.sin_addr.s_addr = UInt32(truncatingIfNeeded: low).bigEndian
      return Self.lend(&form, body)
    case .ipv6:
      var form = sockaddr_in6()
      form.sin6_family = sa_family_t(AF_INET6)
      form.sin6_port = port.bigEndian
      form.sin6_scope_id = scope
      withUnsafeMutableBytes(of: &form.sin6_addr) {
        $0.storeBytes(of: high.bigEndian, as: UInt64.self)
        $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
      }
      return Self.lend(&form, body)
    case .unix:
      var form = sockaddr_un()
      form.sun_family = sa_family_t(AF_UNIX)
      // The initialiser bounded the path, so that a zero byte is left behind it.
      withUnsafeMutableBytes(of: &form.sun_path) { room in
        for (index, byte) in unixPath.utf8.prefix(Self.pathBytesMax).enumerated() { room[index] = byte }
      }
      return Self.lend(&form, body)
    }
  }

  private static func lend<Form, Result>(
    _ form: inout Form, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    withUnsafePointer(to: &form) { pointer in
      // SAFETY: the form is one of the kernel's own, whose first member is the family; it lives until body returns.
      body(UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), socklen_t(MemoryLayout<Form>.size))
    }
  }

  /// Reads what the kernel wrote. Nil for families this program has no use for.
  init?(_ storage: sockaddr_storage, length: socklen_t) {
    // SAFETY: a sockaddr_storage is as large and as aligned as every form that is read from it here.
    let made: SocketAddress? = withUnsafeBytes(of: storage) { raw in
      switch Int32(storage.ss_family) {
      case AF_INET:
        let form = raw.loadUnaligned(as: sockaddr_in.self)
        return SocketAddress(ipv4: UInt32(bigEndian: form.sin_addr.s_addr), port: UInt16(bigEndian: form.sin_port))
      case AF_INET6:
        let form = raw.loadUnaligned(as: sockaddr_in6.self)
        let (high, low) = Self.halves(of: form.sin6_addr)
        return SocketAddress(
          family: .ipv6, high: high, low: low, port: UInt16(bigEndian: form.sin6_port), scope: form.sin6_scope_id)
      case AF_UNIX:
        let header = MemoryLayout<sa_family_t>.size
        let end = min(max(Int(length), header), raw.count)
        let path = raw[header..<end].prefix { $0 != 0 }
        return SocketAddress(family: .unix, high: 0, low: 0, port: 0, path: String(decoding: path, as: UTF8.self))
      default:
        return nil
      }
    }
    guard let made else { return nil }
    self = made
  }

  /// Where `descriptor` is bound to; tells the port the kernel chose.
  public static func local(of descriptor: Int32) -> SocketAddress? { ask(descriptor, getsockname) }

  /// Who is at the other end of `descriptor`.
  public static func peer(of descriptor: Int32) -> SocketAddress? { ask(descriptor, getpeername) }

  private static func ask(
    _ descriptor: Int32, _ call: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
  ) -> SocketAddress? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let status = withUnsafeMutablePointer(to: &storage) { pointer in
      // SAFETY: the kernel writes at most `length` bytes, the size of the storage.
      call(descriptor, UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), &length)
    }
    return status == 0 ? SocketAddress(storage, length: length) : nil
  }

  private static func halves(of address: in6_addr) -> (UInt64, UInt64) {
    withUnsafeBytes(of: address) {
      (
        UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
        UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
  }
}

// MARK: - Text

extension SocketAddress: CustomStringConvertible {
  /// The address without its port: "127.0.0.1", "::1", or the path.
  public var host: String {
    guard family != .unix else { return unixPath }
    return withSockaddr { form, length in
      withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) { room in
        // SAFETY: getnameinfo writes at most `capacity` bytes and ends them with a zero; numeric only, so it never asks.
        guard let base = room.baseAddress,
          getnameinfo(form, length, base, socklen_t(room.count), nil, 0, NI_NUMERICHOST) == 0
        else { return "?" }
        return String(cString: base)
      }
    }
  }

  /// "127.0.0.1:80", "[::1]:80" or "unix:/run/x".
  public var description: String {
    switch family {
    case .ipv4: "\(host):\(port)"
    case .ipv6: "[\(host)]:\(port)"
    case .unix: "unix:\(unixPath)"
    }
  }
}
