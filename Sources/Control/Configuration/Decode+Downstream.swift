// listeners, paths, client.

extension Configuration.Listener {
  static func all(_ root: Section) -> [Self] {
    let mend = "write e.g. listeners: [{ address: \"127.0.0.1:8080\" }]"
    var all: [Self] = []
    var seen: [Configuration.ListenAddress] = []
    let exists = root.list("listeners") { item in
      item.section { section in
        var listener = Self(address: .everywhere(port: 0), tls: nil, backlog: 4096)
        let address = section.required("address", "write e.g. address: 127.0.0.1:8080")?.listenAddress()
        section.section("tls") { listener.tls = Configuration.ServerTLS($0) }
        section.integer("backlog", &listener.backlog, in: 1...65_535)
        guard let address else { return }
        if let other = seen.first(where: { $0.overlaps(address) }) {
          section.wrong("address", "found \(address), which takes the place of \(other) above; keep one of them")
        }
        seen.append(address)
        listener.address = address
        all.append(listener)
      }
    }
    if !exists {
      root.missing("listeners", mend)
    } else if root.shape(of: "listeners") == .list(0) {
      root.wrong("listeners", "found an empty list, expected at least one listener; \(mend)")
    }
    return all
  }
}

extension Configuration.ServerTLS {
  init?(_ section: Section) {
    let certificate = section.required("certificate", "write the name of a PEM file")?.readableFile()
    let key = section.required("key", "write the name of a PEM file")?.readableFile()
    guard let certificate, let key else { return nil }
    self.init(certificateFile: certificate, keyFile: key)
  }
}

extension Configuration.ListenAddress {
  /// Whether both cannot be bound at once. Port 0 is another port each time.
  func overlaps(_ other: Self) -> Bool {
    switch (self, other) {
    case (.unix(let one), .unix(let two)): return one == two
    case (.unix, _), (_, .unix): return false
    default:
      guard port == other.port, port != 0 else { return false }
      return self == other || isWildcard && other.isEverywhere || isEverywhere && other.isWildcard
    }
  }

  private var port: UInt16 {
    switch self {
    case .ip(_, let port), .everywhere(let port): return port
    case .unix: return 0
    }
  }

  private var isEverywhere: Bool {
    if case .everywhere = self { return true }
    return false
  }

  private var isWildcard: Bool {
    if case .ip(let host, _) = self { return host == "0.0.0.0" || host == "::" }
    return isEverywhere
  }
}

extension Configuration.Paths {
  mutating func read(_ section: Section) {
    var found: [String] = []
    let exists = section.list("prefixes") { item in
      let expected = "a path that begins with a slash"
      guard var prefix = item.line(expected, "write e.g. /v1") else { return }
      while prefix.hasSuffix("/") { prefix.removeLast() }
      guard prefix.hasPrefix("/"), prefix.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
        !prefix.contains(where: { $0 == "?" || $0 == "#" || $0 == "%" }), !prefix.contains("//"), !prefix.contains("/.")
      else { return item.wrong("\(expected), without ?, #, %, // and dot segments", "write e.g. /v1") }
      guard !found.contains(prefix) else { return item.wrong("each prefix once", "remove this one") }
      found.append(prefix)
    }
    guard exists, !section.report.surveying else { return }
    if section.shape(of: "prefixes") == .list(0) {
      section.wrong("prefixes", "found an empty list, expected at least one path; write e.g. prefixes: [/v1]")
    }
    prefixes = found
  }
}

extension Configuration.Client {
  mutating func read(_ section: Section) {
    section.seconds("head_seconds", &headNanoseconds)
    section.seconds("body_seconds", &bodyNanoseconds)
    section.seconds("idle_seconds", &idleNanoseconds)
    section.seconds("write_stall_seconds", &writeStallNanoseconds)
    section.size("head_bytes_max", &headBytesMax, in: 1024...(1 << 20))
    section.size("body_bytes_max", &bodyBytesMax, in: 1024...(1 << 40))
    section.integer("connections_max", &connectionsMax, in: 0...10_000_000)
    section.list("trusted_proxies") { if let range = $0.addressRange() { trustedProxies.append(range) } }
  }
}
