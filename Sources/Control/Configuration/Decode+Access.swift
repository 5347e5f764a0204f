// auth and limits.

extension Configuration.Auth {
  /// - Parameter isOptional: whether a file without the section lets everybody in.
  init(_ root: Section, isOptional: Bool) {
    self = .open
    let mend = "give keys, or write open: true to let everybody in"
    var sources = Configuration.CredentialSources()
    if root.shape(of: "auth") == .nothing, !isOptional { root.missing("auth", mend) }
    root.section("auth") { section in
      var open = false
      let isClear = section.flag("open", &open)
      let hasSources = sources.read(section)
      switch (open, hasSources) {
      case (true, true):
        let what = section.shape(of: "keys") == .nothing ? "those who may come in" : "keys"
        section.wrong("open", "found open: true together with \(what); keep one of them")
      case (false, false) where !isClear || section.shape(of: "keys") != .nothing: break
      case (false, false): root.report.add(section.place, section.path, "found no keys and no open: true; \(mend)")
      case (true, false): break
      case (false, true): self = .required(sources)
      }
    }
  }
}

extension Configuration.CredentialSources {
  /// False when the section names none.
  fileprivate mutating func read(_ section: Section) -> Bool {
    var hasSources = false
    if let found = Configuration.Key.all(section) {
      keys = found
      hasSources = true
    }
    for key in ["jwt", "external", "store"] where section.shape(of: key) != .nothing { hasSources = true }
    section.section("jwt") { jwt = Configuration.JWT($0) }
    section.section("external") { external = Configuration.ExternalCheck($0) }
    section.section("store") { entry in
      let expected = "the name of a file"
      guard let item = entry.required("path", "write e.g. path: /var/lib/sluice/keys.db") else { return }
      if let path = item.line(expected) { store = Configuration.Store(path: path) }
    }
    return hasSources
  }
}

extension Configuration.Key {
  /// Nil when there is no list of keys.
  static func all(_ section: Section) -> [Self]? {
    var all: [Self] = []
    var names: [String: Place] = [:]
    var credentials: [Configuration.Credential: Place] = [:]
    let exists = section.list("keys", secret: true) { item in
      item.section(hidesNames: true) { entry in
        let name = entry.required("name", "write e.g. name: alice")?.line("a name")
        let credential = Configuration.Credential(entry)
        if let name, let first = names.updateValue(entry.place, forKey: name) {
          entry.wrong(
            "name", "found \(quoted(name)), which the key at \(first.line):\(first.column) has already; choose another")
        }
        if let credential, let first = credentials.updateValue(entry.place, forKey: credential) {
          entry.wrong(
            credential.description,
            "found the key that stands at \(first.line):\(first.column) already; keep one of them")
        }
        let permissions = Configuration.Permission.all(entry)
        var models: [String]?
        let hasModels = entry.list("models") {
          if let model = $0.line("the name of a model") { models = (models ?? []) + [model] }
        }
        if hasModels, models == nil, entry.shape(of: "models") == .list(0) {
          entry.wrong("models", "found an empty list, expected at least one model; leave it out to allow all")
        }
        var account: String?
        entry.text("account", &account, "an account type")
        if let name, let credential {
          all.append(
            Self(name: name, credential: credential, permissions: permissions, models: models, account: account))
        }
      }
    }
    guard exists else { return nil }
    if section.shape(of: "keys") == .list(0) {
      section.wrong("keys", "found an empty list, expected at least one key; write open: true to let everybody in")
    }
    return all
  }
}

extension Configuration.Permission {
  fileprivate static func all(_ entry: Section) -> [Self] {
    var all: [Self] = []
    let expected = Item.oneOf(allCases.map(\.rawValue))
    let exists = entry.list("permissions") { item in
      guard let word = item.text(expected) else { return }
      guard let permission = Self(rawValue: word) else { return item.wrong(expected) }
      if !all.contains(permission) { all.append(permission) }
    }
    guard exists, !entry.report.surveying else { return usual }
    if entry.shape(of: "permissions") == .list(0) {
      entry.wrong("permissions", "found an empty list, expected at least one of \(expected)")
    }
    return all
  }
}

extension Configuration.Credential {
  init?(_ entry: Section) {
    let hash = entry.item("sha256", secret: true)
    let value = entry.item("value", secret: true)
    switch (hash, value) {
    case (.some, .some):
      entry.wrong("value", "found both sha256 and value; keep one of them")
      return nil
    case (nil, nil):
      entry.missing("sha256", "give sha256 (sluice keys hash prints it) or value")
      return nil
    case (let hash?, nil):
      let expected = "64 hexadecimal digits"
      guard let text = hash.text(expected, "sluice keys hash prints them") else { return nil }
      guard text.utf8.count == 64, text.utf8.allSatisfy(isHexadecimal) else {
        hash.wrong(expected, "sluice keys hash prints them")
        return nil
      }
      self = .sha256(hex: text.lowercased())
    case (nil, let value?):
      let expected = "1 to 4096 visible ASCII characters without spaces"
      guard let text = value.text(expected) else { return nil }
      guard (1...4096).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        value.wrong(expected)
        return nil
      }
      self = .plain(text)
    }
  }
}

private func isHexadecimal(_ byte: UInt8) -> Bool {
  switch byte {
  case 0x30...0x39, 0x41...0x46, 0x61...0x66: return true
  default: return false
  }
}

extension Configuration.Limits {
  mutating func read(_ section: Section) {
    if let item = section.item("per_ip") {
      if item.isMapping {
        item.section { perIP?.read($0) }
      } else {
        let expected = "off or a mapping with requests, seconds, burst"
        let mend = "write e.g. per_ip: { requests: 100, seconds: 60 }"
        switch item.text(expected, mend) {
        case "off"?: perIP = nil
        case nil: break
        default: item.wrong(expected, mend)
        }
      }
    } else if section.report.surveying {
      section.section("per_ip") { perIP?.read($0) }
    }
    section.list("exempt") { if let range = $0.addressRange() { exempt.append(range) } }
    rules = Configuration.LimitRule.all(section)
    section.integer("table_entries", &tableEntries, in: 1024...(1 << 24))
    var power = 1024
    while power < tableEntries { power *= 2 }
    tableEntries = power
  }
}

extension Configuration.LimitRule {
  fileprivate static func all(_ section: Section) -> [Self] {
    var all: [Self] = []
    section.names("rules") { name, item in
      guard !all.contains(where: { $0.name == name }) else { return item.again("a rule of this name") }
      item.section { section in
        var rule = Self(
          name: name, subject: .key, measure: .concurrent(1), routes: [], models: [], keys: [], accounts: [])
        section.choice("of", &rule.subject)
        if let measure = Measure(section) { rule.measure = measure }
        section.list("routes") { item in
          let expected = "a path behind the prefix, such as /images/generations"
          guard let path = item.line(expected) else { return }
          guard path.hasPrefix("/") else { return item.wrong(expected) }
          rule.routes.append(path)
        }
        section.list("models") { if let model = $0.line("the name of a model") { rule.models.append(model) } }
        section.list("keys") { if let key = $0.line("the name of a key") { rule.keys.append(key) } }
        section.list("accounts") { if let type = $0.line("an account type") { rule.accounts.append(type) } }
        all.append(rule)
      }
    }
    return all
  }
}

extension Configuration.LimitRule.Measure {
  /// Nil when the section does not say what is counted, which has been reported.
  fileprivate init?(_ section: Section) {
    let keys = ["requests", "tokens", "concurrent"]
    let given = keys.filter(section.has)
    var rate = Configuration.Rate()
    var count = 1
    if given.first == "concurrent" || section.report.surveying {
      section.integer("concurrent", &count, in: 1...1_000_000)
    }
    if given.first == "tokens" || section.report.surveying { rate.read(section, "tokens", max: 1_000_000_000) }
    if given.first == "requests" || section.report.surveying { rate.read(section, "requests", max: 100_000) }
    guard let first = given.first else {
      section.missing("requests", "write e.g. requests: 20, tokens: 40000 or concurrent: 4")
      return nil
    }
    guard given.count == 1 else {
      section.wrong(given[1], "found \(given.joined(separator: " and ")) in one rule; make a rule for each")
      _ = given.dropFirst().map { section.item($0) }
      return nil
    }
    switch first {
    case "tokens": self = .tokens(rate)
    case "concurrent": self = .concurrent(count)
    default: self = .requests(rate)
    }
  }
}

extension Configuration.Rate {
  /// - Parameter key: of what is granted.
  mutating func read(_ section: Section, _ key: String = "requests", max: Int = 100_000) {
    section.integer(key, &count, in: 1...max)
    section.seconds("seconds", &periodNanoseconds)
    burst = count
    section.integer("burst", &burst, in: 1...max)
  }
}
