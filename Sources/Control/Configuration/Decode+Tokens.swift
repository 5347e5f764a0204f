// auth.jwt and auth.external.

import WebTokens

extension Configuration.JWT {
  init?(_ section: Section) {
    var issuer: String?
    var audience: String?
    section.text("issuer", &issuer, "what iss must be")
    section.text("audience", &audience, "what must be in aud")
    let key = Key.found(section)
    let algorithms = Algorithm.all(section, key)
    // Stands for the key while the rest is read, so that its mistakes come out too.
    self.init(issuer: issuer, audience: audience, key: key?.key ?? .secret(""), algorithms: algorithms)
    section.secondsOrZero("leeway_seconds", &leewayNanoseconds, example: 30_000_000_000)
    section.seconds("refresh_seconds", &refreshNanoseconds)
    section.secondsOrZero("stale_seconds", &staleNanoseconds, example: 3600_000_000_000)
    section.flag("require_exp", &requiresExpiry)
    section.section("claims") { claims.read($0) }
    for name in ["refresh_seconds", "stale_seconds"] where section.has(name) {
      guard let key, !section.has("jwks_url") else { break }
      section.wrong(name, "found beside \(key.key), which is not asked for again; it is for jwks_url, remove it")
    }
    if key == nil { return nil }
  }
}

extension Configuration.JWT.Claims {
  fileprivate mutating func read(_ section: Section) {
    section.text("name", &name, "the name of a claim")
    section.text("permissions", &permissions, "the name of a claim")
    section.text("models", &models, "the name of a claim")
    section.text("account", &account, "the name of a claim")
  }
}

extension Configuration.JWT.Key {
  /// A key, and the algorithms that it is for.
  struct Found {
    let key: Configuration.JWT.Key
    let algorithms: [Configuration.JWT.Algorithm]
  }

  /// Longest file of keys, in bytes.
  private static let fileBytesMax = 512 << 10

  /// Exactly one of four.
  fileprivate static func all(_ section: Section) -> [(name: String, item: Item)] {
    ["secret", "public_key_file", "jwks_file", "jwks_url"].compactMap { name in
      section.item(name, secret: name == "secret").map { (name, $0) }
    }
  }

  fileprivate static func found(_ section: Section) -> Found? {
    let all = all(section)
    guard let (name, item) = all.first else {
      section.missing("jwks_url", "give one of secret, public_key_file, jwks_file and jwks_url")
      return nil
    }
    guard all.count == 1 else {
      section.wrong(all[1].name, "found both \(name) and \(all[1].name); keep one of them")
      return nil
    }
    switch name {
    case "secret":
      let expected = "a secret of at least \(TokenKeys.secretBytesMin) bytes"
      guard let text = item.text(expected) else { return nil }
      return item.found(.secret(text)) { () throws(TokenKeys.Mistake) in try TokenKeys(secret: text) }
    case "public_key_file":
      guard let (path, text) = item.file(bytesMax: fileBytesMax) else { return nil }
      return item.found(.publicKey(path: path, text: text)) { () throws(TokenKeys.Mistake) in
        try TokenKeys(pem: text)
      }
    case "jwks_file":
      guard let (path, text) = item.file(bytesMax: fileBytesMax) else { return nil }
      return item.found(.keySet(path: path, text: text)) { () throws(TokenKeys.Mistake) in
        try TokenKeys(jwks: Array(text.utf8))
      }
    default:
      return item.endpoint().map { Found(key: .keySetURL($0), algorithms: [.rs256, .es256]) }
    }
  }
}

extension Item {
  /// `key` with the algorithms of the keys that `read` finds in it.
  fileprivate func found(
    _ key: Configuration.JWT.Key, _ read: () throws(TokenKeys.Mistake) -> TokenKeys
  ) -> Configuration.JWT.Key.Found? {
    do throws(TokenKeys.Mistake) {
      let algorithms = try read().algorithms
      return Configuration.JWT.Key.Found(
        key: key, algorithms: Configuration.JWT.Algorithm.allCases.filter { algorithms.contains(TokenAlgorithm($0)) })
    } catch {
      let isFile = if case .secret = key { false } else { true }
      wrong(isFile ? "a file with \(error.expected)" : error.expected, error.mend)
      return nil
    }
  }

  /// The name of a file, and its text.
  fileprivate func file(bytesMax: Int) -> (path: String, text: String)? {
    guard let path = line("the name of a file") else { return nil }
    if let problem = FileText.unreadable(path) {
      wrong("a file that can be read: \(problem)")
      return nil
    }
    switch FileText.read(path, bytesMax: bytesMax) {
    case .success(let text): return (path, text)
    case .failure(let failure):
      wrong("a file that can be read: \(failure.text)")
      return nil
    }
  }
}

extension Configuration.JWT.Algorithm {
  /// Those of the list, or those of the key where there is none.
  fileprivate static func all(_ section: Section, _ key: Configuration.JWT.Key.Found?) -> [Self] {
    var all: [Self] = []
    let exists = section.list("algorithms") { item in
      // What is not known of a key that is wrong itself is not told as a second mistake.
      let fitting = (key?.algorithms ?? allCases).map(\.rawValue)
      let expected = Item.oneOf(fitting)
      guard let word = item.text(expected) else { return }
      guard let algorithm = Self(rawValue: word), fitting.contains(word) else {
        return item.wrong(key.map { "\(expected), which \($0.key) is for" } ?? expected)
      }
      if !all.contains(algorithm) { all.append(algorithm) }
    }
    guard exists, !section.report.surveying else { return key?.algorithms ?? [] }
    if section.shape(of: "algorithms") == .list(0) {
      section.wrong("algorithms", "found an empty list, expected at least one algorithm; leave it out for all that fit")
    }
    return all
  }
}

extension Configuration.ExternalCheck {
  /// What a request to the service has anyway, or what belongs to its connection.
  private static let owned: Set<String> = [
    "host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive", "expect",
    "proxy-connection", "user-agent", "x-original-method", "x-original-uri", "x-forwarded-for", "x-request-id",
  ]

  init?(_ section: Section) {
    let service = section.required("url", "write e.g. url: http://127.0.0.1:9000/check")?.endpoint()
    var time: UInt64 = 2_000_000_000
    var cache: UInt64 = 0
    var headers: [String] = []
    section.seconds("timeout_seconds", &time, max: 10_000_000_000)
    section.secondsOrZero("cache_seconds", &cache, example: 10_000_000_000)
    section.list("headers") { item in
      let expected = "a header name (letters, digits, dashes)"
      guard let name = item.line(expected, "write e.g. cookie") else { return }
      guard name.utf8.count <= 256, name.utf8.allSatisfy(Configuration.Header.isTokenByte) else {
        return item.wrong(expected, "write e.g. cookie")
      }
      guard !Self.owned.contains(name.lowercased()) else {
        return item.wrong("a header of the client's", "the gateway writes this one itself")
      }
      headers.append(name)
    }
    guard let service else { return nil }
    self.init(service: service, timeNanoseconds: time, cacheNanoseconds: cache, headers: headers)
  }
}
