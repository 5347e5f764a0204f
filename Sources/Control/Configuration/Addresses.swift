// Addresses as the file writes them, taken apart: listener addresses, CIDR ranges. No names are looked up here.

import Glibc

enum AddressText {
  /// `127.0.0.1:8080`, `[::1]:8080`, `:8080`, `unix:/run/x.sock`. The host comes back in its canonical spelling.
  static func listen(_ text: String) -> Configuration.ListenAddress? {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      return isSocketPath(path) ? .unix(path: path) : nil
    }
    guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
    guard let port = port(text[text.index(after: colon)...], from: 0) else { return nil }
    let host = text[..<colon]
    if host.isEmpty { return .everywhere(port: port) }
    if host.hasPrefix("["), host.hasSuffix("]") {
      guard let bytes = ipv6(String(host.dropFirst().dropLast())) else { return nil }
      return .ip(host: spelling(bytes), port: port)
    }
    guard let bytes = ipv4(String(host)) else { return nil }
    return .ip(host: bytes.map { "\($0)" }.joined(separator: "."), port: port)
  }

  /// `10.0.0.0/8`, `192.0.2.7`, `2001:db8::/32`. Bits beyond the prefix must be 0.
  static func range(_ text: String) -> Configuration.AddressRange? {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let host = parts.first.map(String.init) else { return nil }
    let bytes: [UInt8]
    let shift: Int
    if let four = ipv4(host) {
      (bytes, shift) = ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF] + four, 96)
    } else if let sixteen = ipv6(host) {
      (bytes, shift) = (sixteen, 0)
    } else {
      return nil
    }
    var bits = 128
    if parts.count > 1 {
      guard case .success(let written) = Quantity.integer(String(parts[1])), written <= 128 - shift else { return nil }
      bits = written + shift
    }
    let high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    let low = bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
    guard bits >= 64 ? low & mask(bits - 64) == low : high & mask(bits) == high && low == 0 else { return nil }
    return Configuration.AddressRange(text: text, high: high, low: low, prefixBits: bits)
  }

  /// A decimal port.
  static func port(_ text: Substring, from first: Int) -> UInt16? {
    guard case .success(let port) = Quantity.integer(String(text)), port >= first else { return nil }
    return UInt16(exactly: port)
  }

  /// Fits into `sockaddr_un`, has no control characters, is not empty.
  static func isSocketPath(_ path: String) -> Bool {
    (1...107).contains(path.utf8.count) && !path.unicodeScalars.contains(where: \.isControl)
  }

  /// The four bytes of a dotted IPv4 address.
  static func ipv4(_ text: String) -> [UInt8]? { parse(AF_INET, text, count: 4) }

  /// The sixteen bytes of an IPv6 address without brackets.
  static func ipv6(_ text: String) -> [UInt8]? { parse(AF_INET6, text, count: 16) }

  private static func parse(_ family: Int32, _ text: String, count: Int) -> [UInt8]? {
    guard !text.utf8.contains(0) else { return nil }
    var bytes = [UInt8](repeating: 0, count: 16)
    // SAFETY: inet_pton writes at most 16 bytes into a buffer of 16 that lives for the call.
    let good = bytes.withUnsafeMutableBytes { inet_pton(family, text, $0.baseAddress) }
    return good == 1 ? Array(bytes.prefix(count)) : nil
  }

  /// The spelling of RFC 5952.
  private static func spelling(_ bytes: [UInt8]) -> String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN) + 1)
    // SAFETY: inet_ntop reads 16 bytes and writes at most INET6_ADDRSTRLEN; both buffers live for the call.
    bytes.withUnsafeBytes { source in
      text.withUnsafeMutableBufferPointer { room in
        _ = inet_ntop(AF_INET6, source.baseAddress, room.baseAddress, socklen_t(INET6_ADDRSTRLEN))
      }
    }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The leading `bits` of 64.
  private static func mask(_ bits: Int) -> UInt64 {
    bits <= 0 ? 0 : bits >= 64 ? .max : .max << UInt64(64 - bits)
  }
}
