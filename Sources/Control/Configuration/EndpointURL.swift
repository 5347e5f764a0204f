// URLs of backends: http://host:port/base, https://..., http+unix:/path/to.sock. Taken apart without Foundation; what
// a base address cannot have (credentials, query, fragment) is refused by name.

enum EndpointURL {
  struct Failure: Error, Equatable {
    /// Completes `found "...", `; names no secret.
    var text: String
    /// Whether the URL may be shown.
    var mayShow = true
  }

  static func parse(_ url: String) -> Result<Configuration.Endpoint, Failure> {
    do {
      return .success(try take(url))
    } catch {
      return .failure(error)
    }
  }

  private static func take(_ url: String) throws(Failure) -> Configuration.Endpoint {
    guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw Failure(text: "expected a URL of visible ASCII characters", mayShow: !url.contains("@"))
    }
    if url.hasPrefix("http+unix:") { return try unix(url) }
    for (prefix, scheme) in [("http://", Configuration.Endpoint.Scheme.http), ("https://", .https)]
    where url.hasPrefix(prefix) {
      return try tcp(url, scheme, url.dropFirst(prefix.count))
    }
    throw Failure(
      text: "expected http://host:port, https://host or http+unix:/path/to.sock; write e.g. http://127.0.0.1:8000",
      mayShow: !url.contains("@"))
  }

  private static func unix(_ url: String) throws(Failure) -> Configuration.Endpoint {
    let path = String(url.dropFirst("http+unix:".count))
    guard path.hasPrefix("/"), !path.hasPrefix("//"), AddressText.isSocketPath(path) else {
      throw Failure(
        text: "expected an absolute path of at most 107 bytes after http+unix:; write e.g. http+unix:/run/model.sock")
    }
    return Configuration.Endpoint(
      url: url, scheme: .http, destination: .unix(path: path), basePath: "", authority: "localhost", weight: 1)
  }

  private static func tcp(
    _ url: String, _ scheme: Configuration.Endpoint.Scheme, _ rest: Substring
  ) throws(Failure) -> Configuration.Endpoint {
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard !authority.contains("@") else {
      throw Failure(
        text: "found a user name or password in the URL, expected none; write the key as api_key", mayShow: false)
    }
    var path = rest[authority.endIndex...]
    guard !path.contains("?"), !path.contains("#") else {
      throw Failure(text: "expected a base address without ? and #; remove them", mayShow: false)
    }
    while path.hasSuffix("/") { path = path.dropLast() }

    let standard: UInt16 = scheme == .https ? 443 : 80
    var host = authority
    var port = standard
    let bracket = authority.lastIndex(of: "]") ?? authority.startIndex
    if let colon = authority[bracket...].lastIndex(of: ":") {
      host = authority[..<colon]
      guard let written = AddressText.port(authority[authority.index(after: colon)...], from: 1) else {
        throw Failure(text: "expected a port from 1 to 65535 after the colon; write e.g. http://127.0.0.1:8000")
      }
      port = written
    }
    let name = try hostName(host)
    return Configuration.Endpoint(
      url: url, scheme: scheme, destination: .tcp(host: name, port: port), basePath: String(path),
      authority: port == standard ? String(host) : "\(host):\(port)", weight: 1)
  }

  /// `host` without brackets, when it is a name, an IPv4 or a bracketed IPv6 address.
  private static func hostName(_ host: Substring) throws(Failure) -> String {
    if host.hasPrefix("[") {
      let inner = String(host.dropFirst().dropLast())
      guard host.hasSuffix("]"), AddressText.ipv6(inner) != nil else {
        throw Failure(text: "expected an IPv6 address between [ and ]")
      }
      return inner
    }
    let numeric = host.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
    guard isName(host), !numeric || AddressText.ipv4(String(host)) != nil else {
      throw Failure(text: "expected a host name or an IP address (IPv6 in [ ]) after ://")
    }
    return String(host)
  }

  /// Letters, digits, dots, dashes, underscores: what may stand in `Host` without being misread.
  static func isName(_ text: Substring) -> Bool {
    guard (1...253).contains(text.utf8.count) else { return false }
    return text.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): return true
      default: return false
      }
    }
  }
}
