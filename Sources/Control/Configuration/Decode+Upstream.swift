// clusters, timeouts.

extension Configuration.Cluster {
  static func all(_ root: Section, _ timeouts: Configuration.Timeouts) -> [Self] {
    let mend = "write e.g. clusters: { local: { endpoints: [\"http://127.0.0.1:8000\"] } }"
    var all: [Self] = []
    var names: Set<String> = []
    let exists = root.names("clusters") { name, item in
      guard names.insert(name).inserted else { return item.again("a cluster of this name") }
      if !EndpointURL.isName(name[...]), !root.report.surveying {
        root.report.add(
          item.place, item.path, "found \(quoted(name)), expected a name of letters, digits, dots, dashes, underscores")
      }
      item.section { all.append(Self(name, $0, timeouts)) }
    }
    if !exists {
      root.missing("clusters", mend)
    } else if root.shape(of: "clusters") == .mapping(0) {
      root.wrong("clusters", "found no cluster, expected at least one; \(mend)")
    }
    return all
  }

  private init(_ name: String, _ section: Section, _ timeouts: Configuration.Timeouts) {
    self.name = name
    self.timeouts = timeouts
    endpoints = Configuration.Endpoint.all(section)
    apiKey = section.item("api_key", secret: true)?.credential()
    forwardsCredentials = false
    section.flag("forward_credentials", &forwardsCredentials)
    if forwardsCredentials, apiKey != nil {
      section.wrong(
        "forward_credentials", "found true beside api_key, which takes the credential's place; keep one of them")
    }
    headers = Configuration.Header.all(section, apiKey: apiKey != nil)
    host = section.item("host")?.authority()
    tls = Configuration.ClientTLS()
    pool = Configuration.Pool()
    balance = .weighted
    kind = .openai
    section.section("tls") { tls.read($0) }
    section.section("timeouts") { self.timeouts.read($0) }
    section.section("pool") { pool.read($0) }
    section.choice("balance", &balance)
    section.choice("kind", &kind)
  }
}

extension Configuration.Endpoint {
  static func all(_ section: Section) -> [Self] {
    let mend = "write e.g. endpoints: [\"http://127.0.0.1:8000\"]"
    var all: [Self] = []
    let exists = section.list("endpoints") { item in
      var weight = 1
      var url: Item?
      if item.isMapping {
        item.section {
          url = $0.required("url", "write e.g. url: http://127.0.0.1:8000")
          $0.integer("weight", &weight, in: 1...1000)
        }
      } else {
        url = item
      }
      guard let url, var endpoint = url.endpoint() else { return }
      endpoint.weight = weight
      let twin = all.contains {
        $0.destination == endpoint.destination && $0.scheme == endpoint.scheme && $0.basePath == endpoint.basePath
      }
      if twin { return url.again("this endpoint", "give it a weight: instead") }
      all.append(endpoint)
    }
    if !exists {
      section.missing("endpoints", mend)
    } else if section.shape(of: "endpoints") == .list(0) {
      section.wrong("endpoints", "found an empty list, expected at least one URL; \(mend)")
    }
    return all
  }
}

extension Configuration.ClientTLS {
  mutating func read(_ section: Section) {
    caFile = section.item("ca_file")?.readableFile()
    section.flag("verify", &verify)
    guard let item = section.item("server_name"), let name = item.text("a host name") else { return }
    guard EndpointURL.isName(name[...]) else { return item.wrong("a host name of letters, digits, dots and dashes") }
    serverName = name
  }
}

extension Configuration.Pool {
  mutating func read(_ section: Section) {
    section.integer("idle_max", &idleMax, in: 0...65_536)
    section.seconds("idle_seconds", &idleNanosecondsMax)
  }
}

extension Configuration.Timeouts {
  /// Replaces what the section names and leaves the rest.
  mutating func read(_ section: Section) {
    section.seconds("connect_seconds", &connectNanoseconds)
    section.seconds("tls_seconds", &tlsNanoseconds)
    section.seconds("first_byte_seconds", &firstByteNanoseconds)
    section.seconds("between_bytes_seconds", &betweenBytesNanoseconds)
    var total = totalNanoseconds ?? 0
    section.secondsOrZero("total_seconds", &total, example: 600_000_000_000)
    totalNanoseconds = total == 0 ? nil : total
    section.seconds("write_stall_seconds", &writeStallNanoseconds)
  }
}

extension Item {
  /// A backend's URL.
  func endpoint() -> Configuration.Endpoint? {
    guard let text = text("a URL", "write e.g. http://127.0.0.1:8000") else { return nil }
    switch EndpointURL.parse(text) {
    case .success(let endpoint): return endpoint
    case .failure(let failure):
      report.add(place, path, failure.mayShow ? "\(found), \(failure.text)" : failure.text)
      return nil
    }
  }

  /// A key that is sent to backends.
  fileprivate func credential() -> String? {
    let expected = "1 to 4096 visible ASCII characters without spaces"
    guard let text = text(expected) else { return nil }
    guard (1...4096).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      wrong(expected)
      return nil
    }
    return text
  }

  /// What may stand in `Host`: a name or an address, and perhaps a port.
  fileprivate func authority() -> String? {
    let expected = "a host name, perhaps with a port"
    guard let text = text(expected, "write e.g. host: model.example") else { return nil }
    guard case .success(let endpoint) = EndpointURL.parse("http://\(text)"), endpoint.basePath.isEmpty,
      !text.hasSuffix("/")
    else {
      wrong(expected, "write e.g. host: model.example")
      return nil
    }
    return text
  }

  /// Reports that what stands here stood before.
  func again(_ what: String, _ mend: String = "keep one of them") {
    report.add(place, path, "found \(what) a second time; \(mend)")
  }
}
