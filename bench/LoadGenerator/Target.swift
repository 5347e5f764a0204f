// Where the load goes: the base address of an API, taken apart.

/// An API's base address, such as `https://host/v1`.
public struct Target: Equatable, Sendable {
  public let isTLS: Bool
  /// Name or literal address, without brackets.
  public let host: String
  public let port: UInt16
  /// In front of `/chat/completions`; without a slash at its end.
  public let path: String

  /// Reads an http or https address without user, query and fragment. Nil for anything else.
  public init?(_ text: String) {
    let rest: Substring
    if text.hasPrefix("http://") {
      isTLS = false
      rest = text.dropFirst(7)
    } else if text.hasPrefix("https://") {
      isTLS = true
      rest = text.dropFirst(8)
    } else {
      return nil
    }
    // Whatever stands in the address goes into a request line.
    guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), !rest.contains(where: { "@?#\\".contains($0) }) else {
      return nil
    }
    let end = rest.firstIndex(of: "/") ?? rest.endIndex
    guard let (host, port) = Self.authority(rest[..<end]) else { return nil }
    self.host = host
    self.port = port ?? (isTLS ? 443 : 80)
    var path = rest[end...]
    while path.hasSuffix("/") { path.removeLast() }
    // What people copy from elsewhere.
    if path.hasSuffix("/chat/completions") { path = path.dropLast("/chat/completions".count) }
    self.path = String(path)
  }

  private static func authority(_ text: Substring) -> (String, UInt16?)? {
    var host = text
    var port: UInt16?
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<close]
      let rest = text[text.index(after: close)...]
      if !rest.isEmpty {
        guard rest.hasPrefix(":"), let number = UInt16(rest.dropFirst()), number > 0 else { return nil }
        port = number
      }
    } else if let colon = text.firstIndex(of: ":") {
      guard let number = UInt16(text[text.index(after: colon)...]), number > 0 else { return nil }
      host = text[..<colon]
      port = number
    }
    return host.isEmpty ? nil : (String(host), port)
  }

  /// Value of the Host header.
  var authority: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
  }

  /// The address as it was given, in its shortest form.
  public var text: String { (isTLS ? "https://" : "http://") + authority + path }
}
