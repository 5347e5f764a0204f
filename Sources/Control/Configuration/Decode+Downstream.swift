// listeners, paths, client.

extension Configuration.Listener {
  static func all(_ root: Section) -> [Self] {
    let mend = "write e.g. listeners: [{ address: \"127.0.0.1:8080\" }]"
    var all: [Self] = []
    var seen: [Configuration.ListenAddress] = []
    let exists = root.list("listeners") { item in
      item.section { section in
        var listener = Self(address: .everywhere(port: 0), tls: nil, backlog: 4096, dialect: nil)
        let address = section.required("address", "write e.g. address: 127.0.0.1:8080")?.listenAddress()
        section.section("tls") { listener.tls = Configuration.ServerTLS($0) }
        section.integer("backlog", &listener.backlog, in: 1...65_535)
        listener.dialect = section.dialect()
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
    var found: [Configuration.Prefix] = []
    let exists = section.list("prefixes") { item in
      var path = item
      var dialect: String?
      if item.isMapping || section.report.surveying {
        var inner: Item?
        item.section {
          inner = $0.required("path", "write e.g. path: /v1")
          dialect = $0.dialect()
        }
        guard let inner else { return }
        path = inner
      }
      guard let prefix = path.pathPrefix() else { return }
      guard !found.contains(where: { $0.path == prefix }) else {
        return path.wrong("each prefix once", "remove this one")
      }
      found.append(Configuration.Prefix(path: prefix, dialect: dialect ?? Configuration.Prefix.usualDialect(prefix)))
    }
    guard exists, !section.report.surveying else { return }
    if section.shape(of: "prefixes") == .list(0) {
      section.wrong("prefixes", "found an empty list, expected at least one path; write e.g. prefixes: [/v1]")
    }
    prefixes = found
  }
}

extension Item {
  fileprivate func pathPrefix() -> String? {
    let expected = "a path that begins with a slash"
    guard var prefix = line(expected, "write e.g. /v1") else { return nil }
    while prefix.hasSuffix("/") { prefix.removeLast() }
    guard prefix.hasPrefix("/"), prefix.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
      !prefix.contains(where: { $0 == "?" || $0 == "#" || $0 == "%" }), !prefix.contains("//"), !prefix.contains("/.")
    else {
      wrong("\(expected), without ?, #, %, // and dot segments", "write e.g. /v1")
      return nil
    }
    return prefix
  }
}

extension Section {
  /// The name of a dialect, one that the program knows.
  fileprivate func dialect() -> String? {
    let known = report.dialects
    let expected = Item.oneOf(known)
    guard let item = item("dialect"), let name = item.text(expected) else { return nil }
    guard known.contains(name) else {
      item.wrong(expected, Nearest.word(to: name, among: known).map { "did you mean \($0)?" } ?? "")
      return nil
    }
    return name
  }
}

extension Configuration.CORS {
  mutating func read(_ section: Section) {
    var found: [String] = []
    let exists = section.list("origins") { item in
      let expected = "an origin (scheme, host and port, nothing behind) or *"
      guard let origin = item.line(expected, "write e.g. https://app.example") else { return }
      let host = origin.split(separator: "/", omittingEmptySubsequences: false)
      guard origin == "*" || host.count == 3 && host[0].hasSuffix(":") && host[1].isEmpty && !host[2].isEmpty else {
        return item.wrong(expected, "write e.g. https://app.example")
      }
      found.append(origin.lowercased())
    }
    if exists, !section.report.surveying { origins = found }
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
