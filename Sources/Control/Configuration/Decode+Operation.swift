// relay, usage, log, demo_backend, and addresses that only one of us can have.

extension Configuration.Relay {
  mutating func read(_ section: Section) {
    section.size("high_bytes", &highBytes, in: 4096...(64 << 20))
    section.size("low_bytes", &lowBytes, in: 1...(32 << 20))
    guard highBytes < 2 * lowBytes else { return }
    let found = "found \(Quantity.size(highBytes)) and \(Quantity.size(lowBytes))"
    section.wrong(
      section.has("high_bytes") ? "high_bytes" : "low_bytes",
      "high mark must be at least twice the low mark (\(found)); raise relay.high_bytes or lower relay.low_bytes")
  }
}

extension Configuration.Usage {
  mutating func read(_ section: Section) { section.choice("streams", &streams) }
}

extension Configuration.Log {
  mutating func read(_ section: Section) {
    if let item = section.item("access") {
      let expected = "stdout, stderr, off or a file's path with a slash"
      switch item.line(expected, "write e.g. access: stdout") {
      case "stdout"?: access = .stdout
      case "stderr"?: access = .stderr
      case "off"?: access = .off
      case let path? where path.contains("/") && !path.hasSuffix("/"): access = .file(path: path)
      case nil: break
      default: item.wrong(expected, "write e.g. access: stdout or access: ./access.log")
      }
    }
    section.choice("level", &level)
  }
}

extension Configuration.DemoBackend {
  mutating func read(_ section: Section) {
    if let found = section.item("address")?.listenAddress() { address = found }
    var names: [String] = []
    section.list("models") { item in
      guard let name = item.line("a model's name") else { return }
      if names.contains(name) { return item.again("this model") }
      names.append(name)
    }
    if section.shape(of: "models") == .list(0) {
      section.wrong("models", "found an empty list, expected at least one name; write e.g. models: [demo]")
    }
    if !names.isEmpty { models = names }
    section.integer("word_milliseconds", &wordMilliseconds, in: 0...60_000)
    section.integer("first_word_milliseconds", &firstWordMilliseconds, in: 0...600_000)
  }
}

extension Configuration {
  /// The demo backend cannot listen where a listener does.
  func checkAddresses(_ root: Section) {
    guard let demoBackend, !root.report.surveying else { return }
    guard let taken = listeners.first(where: { $0.address.overlaps(demoBackend.address) }) else { return }
    root.wrong(
      "demo_backend",
      "found address \(demoBackend.address), which the listener \(taken.address) has; change one of them")
  }
}
