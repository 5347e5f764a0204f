// Who the client is when requests come through proxies. Pure: a peer, header values and a list of trusted networks in,
// one address out.

/// The client behind a chain of proxies.
public enum ForwardedFor {
  /// The nearest address that is not one of the trusted proxies.
  ///
  /// The chain is walked from the peer backwards through the lists, and only as far as every address so far is trusted:
  /// what a stranger wrote in front of it is worth nothing. An entry that is no address ends the walk.
  ///
  /// - Parameters:
  ///   - peer: the address the connection came from.
  ///   - fields: values of the X-Forwarded-For lines, last line first.
  ///   - trusted: networks of proxies that tell the truth.
  public static func client(
    peer: IPAddress, fields: some Sequence<UnsafeRawBufferPointer>, trusted: [AddressPrefix]
  ) -> IPAddress {
    var client = peer
    for field in fields {
      guard isTrusted(client, trusted) else { return client }
      guard walk(field, &client, trusted) else { return client }
    }
    return client
  }

  /// The same for the X-Forwarded-For lines of a head, whose `base` must be set.
  public static func client(peer: IPAddress, head: Head, trusted: [AddressPrefix]) -> IPAddress {
    var client = peer
    guard head.has(.xForwardedFor) else { return client }
    for index in stride(from: head.fieldCount - 1, through: 0, by: -1) {
      let field = head.field(index)
      guard field.known == .xForwardedFor else { continue }
      guard isTrusted(client, trusted) else { return client }
      guard walk(head.bytes(field.value), &client, trusted) else { return client }
    }
    return client
  }

  /// Whether `address` belongs to one of the networks.
  public static func isTrusted(_ address: IPAddress, _ trusted: [AddressPrefix]) -> Bool {
    for network in trusted where network.contains(address) { return true }
    return false
  }

  /// Walks one list from its end while `client` is trusted. False when the walk is over.
  private static func walk(
    _ list: UnsafeRawBufferPointer, _ client: inout IPAddress, _ trusted: [AddressPrefix]
  ) -> Bool {
    var end = list.count
    while true {
      let comma = list[..<end].lastIndex(of: UInt8(ascii: ","))
      let start = comma.map { $0 &+ 1 } ?? 0
      let entry = ASCII.trim(UnsafeRawBufferPointer(rebasing: list[start..<end]))
      if !entry.isEmpty {
        guard isTrusted(client, trusted), let address = address(entry) else { return false }
        client = address
      }
      guard let comma else { return true }
      end = comma
    }
  }

  /// An address with or without port: `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]:443`.
  static func address(_ entry: UnsafeRawBufferPointer) -> IPAddress? {
    guard let first = entry.first else { return nil }
    if first == UInt8(ascii: "[") {
      guard let close = entry.firstIndex(of: UInt8(ascii: "]")), isPort(entry[(close &+ 1)...]) else { return nil }
      return IPAddress(parsing: UnsafeRawBufferPointer(rebasing: entry[1..<close]))
    }
    if let colon = entry.firstIndex(of: UInt8(ascii: ":")), colon == entry.lastIndex(of: UInt8(ascii: ":")) {
      guard isPort(entry[colon...]) else { return nil }
      return IPAddress(parsing: UnsafeRawBufferPointer(rebasing: entry[..<colon]))
    }
    return IPAddress(parsing: entry)
  }

  /// Nothing, or a colon and one to five digits.
  private static func isPort(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
    text.isEmpty
      || (text.first == UInt8(ascii: ":") && (2...6).contains(text.count) && text.dropFirst().allSatisfy(ASCII.isDigit))
  }
}
