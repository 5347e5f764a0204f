// The whole file, section by section, then the rules that span sections. Order here is the order of conf/sluice.yaml.

extension Configuration {
  /// Reads every section; what is wrong lands in the section's report, and a default stands in its place.
  init(_ root: Section) {
    name = root.report.file
    workers = .auto
    unknownModels = .forward
    listeners = []
    clusters = []
    models = []
    deployments = []
    auth = .open
    plugins = []
    paths = Paths()
    cors = CORS()
    client = Client()
    limits = Limits()
    timeouts = Timeouts()
    dns = DNS()
    relay = Relay()
    shutdown = Shutdown()
    usage = Usage()
    log = Log()

    if let found = root.item("workers")?.workers() { workers = found }
    listeners = Listener.all(root)
    root.section("paths") { paths.read($0) }
    root.section("client") { client.read($0) }
    auth = Auth(root, isOptional: isGatewayOnly)
    if auth != .open { cors.origins = ["*"] }
    root.section("cors") { cors.read($0) }
    plugins = PluginOptions.all(root)
    root.section("limits") { limits.read($0) }
    root.section("timeouts") { timeouts.read($0) }
    clusters = Cluster.all(root, timeouts)
    models = Model.all(root)
    deployments = Deployment.all(root)
    readRouting(root)
    root.section("dns") { $0.seconds("refresh_seconds", &dns.refreshNanoseconds) }
    root.section("relay") { relay.read($0) }
    root.section("shutdown") {
      $0.secondsOrZero("drain_seconds", &shutdown.drainNanoseconds, example: 30_000_000_000)
    }
    root.section("usage") { usage.read($0) }
    root.section("log") { log.read($0) }
    root.section("demo_backend") { section in
      var demo = DemoBackend()
      demo.read(section)
      demoBackend = demo
    }
    checkAddresses(root)
  }
}

extension Configuration {
  /// Whether all that is served speaks the dialect whose documents let everybody in where no keys are given.
  private var isGatewayOnly: Bool {
    let gateway = "gateway"
    if paths.prefixes.allSatisfy({ $0.dialect == gateway }) {
      return listeners.allSatisfy { $0.dialect ?? gateway == gateway }
    }
    return !listeners.isEmpty && listeners.allSatisfy { $0.dialect == gateway }
  }
}

extension Item {
  fileprivate func workers() -> Configuration.Workers? {
    let expected = "auto or a whole number from 1 to 1024"
    guard let text = text(expected, "write e.g. workers: auto") else { return nil }
    if text == "auto" { return .auto }
    guard case .success(let count) = Quantity.integer(text), (1...1024).contains(count) else {
      wrong(expected, "write e.g. workers: auto")
      return nil
    }
    return .count(count)
  }

  /// An address to bind.
  func listenAddress() -> Configuration.ListenAddress? {
    let expected = "an IP address with a port (IPv6 in [ ]), :port, or unix:/path"
    let mend = "write e.g. address: 127.0.0.1:8080"
    guard let text = text(expected, mend) else { return nil }
    guard let address = AddressText.listen(text) else {
      wrong(expected, mend)
      return nil
    }
    return address
  }

  /// The name of a file that can be read now.
  func readableFile() -> String? {
    guard let path = line("the name of a PEM file") else { return nil }
    guard let problem = FileText.unreadable(path) else { return path }
    wrong("a file that can be read: \(problem)")
    return nil
  }

  /// CIDR ranges.
  func addressRange() -> Configuration.AddressRange? {
    let expected = "an IP address or a range of them whose bits beyond the prefix are 0"
    let mend = "write e.g. 10.0.0.0/8 or 2001:db8::/32"
    guard let text = text(expected, mend) else { return nil }
    guard let range = AddressText.range(text) else {
      wrong(expected, mend)
      return nil
    }
    return range
  }
}
