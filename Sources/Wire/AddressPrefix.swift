// Networks in CIDR notation, for lists of trusted proxies and of addresses a listener lets in.

/// A network: an address and how many of its first bits count (RFC 4632, RFC 4291 2.3).
public struct AddressPrefix: Hashable, Sendable {
  /// The network's first address.
  public let address: IPAddress
  /// How many bits of the 128 count; 96 more than written for IPv4.
  public let bitCount: Int

  private let highMask: UInt64
  private let lowMask: UInt64

  /// A network from an address and the number of its bits, of 32 for IPv4 and of 128 for IPv6.
  public init?(_ address: IPAddress, bits: Int) {
    let width = address.isIPv4 ? 32 : 128
    guard bits >= 0, bits <= width else { return nil }
    bitCount = bits + 128 - width
    highMask = AddressPrefix.mask(min(bitCount, 64))
    lowMask = AddressPrefix.mask(max(bitCount - 64, 0))
    self.address = IPAddress(high: address.high & highMask, low: address.low & lowMask)
  }

  /// Reads `10.0.0.0/8`, `2001:db8::/32` or a single address. Bits behind the prefix are ignored.
  public init?(parsing text: some StringProtocol) {
    guard let slash = text.firstIndex(of: "/") else {
      guard let address = IPAddress(parsing: text) else { return nil }
      self.init(address, bits: address.isIPv4 ? 32 : 128)
      return
    }
    let digits = text[text.index(after: slash)...]
    guard let address = IPAddress(parsing: text[..<slash]), !digits.isEmpty, digits.utf8.count <= 3,
      digits.utf8.allSatisfy(ASCII.isDigit), let bits = Int(digits)
    else { return nil }
    self.init(address, bits: bits)
  }

  /// Whether `ip` belongs to the network. An IPv6 network never contains an IPv4 address, not even `::/0`.
  public func contains(_ ip: IPAddress) -> Bool {
    ip.high & highMask == address.high && ip.low & lowMask == address.low && ip.isIPv4 == address.isIPv4
  }

  /// A word whose first `bits` bits are set.
  private static func mask(_ bits: Int) -> UInt64 { bits == 0 ? 0 : ~0 << UInt64(64 - bits) }
}

extension AddressPrefix: CustomStringConvertible {
  public var description: String { "\(address)/\(address.isIPv4 ? bitCount - 96 : bitCount)" }
}
