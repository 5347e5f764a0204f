// IP addresses as two words, so that comparing, hashing and matching a prefix costs no text. Reads and writes the usual
// notations; knows no names, no ports and no zones.

/// An IPv4 or IPv6 address; IPv4 as its IPv4-mapped IPv6 form, so that `::ffff:1.2.3.4` and `1.2.3.4` are equal.
public struct IPAddress: Hashable, Sendable {
  /// The first 64 bits.
  public let high: UInt64
  /// The last 64 bits.
  public let low: UInt64

  /// An address from its bits.
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// An IPv4 address from its four bytes, the first one in the highest place.
  public init(ipv4: UInt32) { self.init(high: 0, low: 0xffff_0000_0000 | UInt64(ipv4)) }

  /// Whether this is an IPv4 address.
  public var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }

  /// What a limiter counts as one client: the whole of an IPv4 address, the /64 of an IPv6 address, because a customer
  /// owns at least that much. The two kinds can not collide with each other in routable addresses.
  public var limiterKeyBits: UInt64 { isIPv4 ? low : high }

  /// Reads `192.0.2.1`, `2001:db8::1` or `::ffff:192.0.2.1`; nil for everything else, also for octal-looking parts,
  /// brackets, ports and zones.
  public init?(parsing text: UnsafeRawBufferPointer) {
    // The longest notation has 45 characters.
    guard !text.isEmpty, text.count <= 45 else { return nil }
    if text.contains(UInt8(ascii: ":")) {
      guard let bits = IPAddress.ipv6(text) else { return nil }
      self.init(high: bits.high, low: bits.low)
    } else {
      guard let bits = IPAddress.ipv4(text) else { return nil }
      self.init(ipv4: bits)
    }
  }

  /// The same for a string.
  public init?(parsing text: some StringProtocol) {
    var text = String(text)
    guard let address = text.withUTF8({ IPAddress(parsing: UnsafeRawBufferPointer($0)) }) else { return nil }
    self = address
  }

  /// Four decimal parts without leading zeros, which some readers would take for octal.
  private static func ipv4(_ text: UnsafeRawBufferPointer) -> UInt32? {
    var bits: UInt32 = 0
    var part: UInt32 = 0
    var digits = 0
    var parts = 0
    for byte in text {
      if byte == UInt8(ascii: ".") {
        guard digits > 0, parts < 3 else { return nil }
        bits = bits << 8 | part
        parts &+= 1
        part = 0
        digits = 0
      } else {
        guard ASCII.isDigit(byte), digits == 0 || part > 0 else { return nil }
        part = part &* 10 &+ UInt32(byte &- 0x30)
        digits &+= 1
        guard part <= 255, digits <= 3 else { return nil }
      }
    }
    guard parts == 3, digits > 0 else { return nil }
    return bits << 8 | part
  }

  /// Eight groups, one run of zeros written as `::`, the last two groups possibly as IPv4 (RFC 4291 2.2).
  private static func ipv6(_ text: UnsafeRawBufferPointer) -> (high: UInt64, low: UInt64)? {
    var groups = InlineArray<8, UInt16>(repeating: 0)
    var count = 0
    var gap: Int?
    var index = 0
    if text.count >= 2, text[0] == UInt8(ascii: ":") {
      guard text[1] == UInt8(ascii: ":") else { return nil }
      gap = 0
      index = 2
    }
    while index < text.count {
      let start = index
      var value: UInt16 = 0
      while index < text.count, let digit = ASCII.hexValue(text[index]) {
        guard index &- start < 4 else { return nil }
        value = value << 4 | UInt16(digit)
        index &+= 1
      }
      if index < text.count, text[index] == UInt8(ascii: ".") {
        guard count <= 6, let last = ipv4(UnsafeRawBufferPointer(rebasing: text[start...])) else { return nil }
        groups[count] = UInt16(truncatingIfNeeded: last >> 16)
        groups[count &+ 1] = UInt16(truncatingIfNeeded: last)
        count &+= 2
        break
      }
      guard index > start, count < 8 else { return nil }
      groups[count] = value
      count &+= 1
      guard index < text.count else { break }
      guard text[index] == UInt8(ascii: ":") else { return nil }
      index &+= 1
      guard index < text.count else { return nil }
      if text[index] == UInt8(ascii: ":") {
        guard gap == nil else { return nil }
        gap = count
        index &+= 1
      }
    }
    guard gap == nil ? count == 8 : count < 8 else { return nil }
    var all = InlineArray<8, UInt16>(repeating: 0)
    let front = gap ?? count
    for place in 0..<front { all[place] = groups[place] }
    for place in front..<count { all[8 &- count &+ place] = groups[place] }
    var words = (high: UInt64(0), low: UInt64(0))
    for place in 0..<4 {
      words.high = words.high << 16 | UInt64(all[place])
      words.low = words.low << 16 | UInt64(all[place &+ 4])
    }
    return words
  }
}

extension HeadWriter {
  /// Writes an address as its `description` has it; IPv4 without making a string.
  public mutating func write(_ address: IPAddress) {
    guard address.isIPv4 else { return write(utf8: address.description) }
    writeDotted(UInt32(truncatingIfNeeded: address.low))
  }
}

extension IPAddress: CustomStringConvertible {
  /// The address as RFC 5952 writes it; IPv4 in dotted form.
  public var description: String {
    if isIPv4 {
      return "\(low >> 24 & 255).\(low >> 16 & 255).\(low >> 8 & 255).\(low & 255)"
    }
    let groups = (0..<8).map { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> UInt64(48 - 16 * ($0 & 3))) }
    // The longest run of at least two zero groups, the first of equals, becomes `::`.
    var best = 0..<0
    var run = 0..<0
    for index in groups.indices {
      run = groups[index] == 0 ? (run.upperBound == index ? run.lowerBound : index)..<(index + 1) : 0..<0
      if run.count > max(best.count, 1) { best = run }
    }
    let text = { (range: Range<Int>) in
      range.map { String(groups[$0], radix: 16) }.joined(separator: ":")
    }
    if best.isEmpty { return text(0..<8) }
    return text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
  }
}
