// What the operator sees at the start: where it listens, which models, which limits, and a line to try.

import Gateway
import Reactor

/// The start banner, on standard error, so that standard output stays the access log's.
struct Banner {
  let configuration: Configuration
  let listeners: [OpenListener]
  let cores: Int
  let descriptors: Int
  let path: String

  func print() { Terminal.info(text) }

  var text: String {
    var lines = [
      "sluice \(Version.text), \(path), \(cores) \(cores == 1 ? "core" : "cores"), \(descriptors) descriptors"
    ]
    for listener in listeners {
      for address in listener.addresses {
        lines.append("  listening  \(base(address, listener.isTLS))")
      }
    }
    lines.append("  models     \(models)")
    for cluster in configuration.clusters {
      lines.append("  cluster    \(cluster.name): \(cluster.endpoints.map(\.url).joined(separator: ", "))")
    }
    lines.append("  keys       \(keys)")
    lines.append("  limits     \(limits)")
    lines.append("  log        \(log)")
    if let trial { lines += ["", "Try it:", "", trial, ""] }
    return lines.joined(separator: "\n")
  }

  private func base(_ address: SocketAddress, _ isTLS: Bool) -> String {
    if address.family == .unix { return "\(address)" }
    return "\(isTLS ? "https" : "http")://\(address)\(configuration.paths.prefixes.first?.path ?? "")"
  }

  private var models: String {
    guard !configuration.models.isEmpty else {
      return "whatever \(configuration.defaultCluster ?? "the backend") serves"
    }
    let names = configuration.models.map(\.name)
    let shown = names.prefix(12).joined(separator: ", ")
    return names.count > 12 ? "\(shown) and \(names.count - 12) more" : shown
  }

  private var keys: String {
    switch configuration.auth {
    case .open: "none asked for: whoever reaches a listener may use the backends"
    case .required(let sources): Self.holders(sources).joined(separator: ", ")
    }
  }

  private static func holders(_ sources: Configuration.CredentialSources) -> [String] {
    var holders = sources.keys.map(\.name)
    if let store = sources.store { holders.append("those of \(store.path)") }
    if let jwt = sources.jwt { holders.append("tokens of \(jwt.issuer ?? "any issuer whose key is known")") }
    if let external = sources.external { holders.append("whoever \(external.service.url) admits") }
    return holders
  }

  private var limits: String {
    guard let rate = configuration.limits.perIP else { return "no limit per address" }
    let seconds = Self.seconds(rate.periodNanoseconds)
    let exempt = configuration.limits.exempt.map(\.text).joined(separator: ", ")
    return "\(rate.count) requests in \(seconds) s per address, bursts of \(rate.burst)"
      + (exempt.isEmpty ? "" : ", none for \(exempt)")
  }

  /// Seconds as people write them: no point where there is nothing behind it.
  static func seconds(_ nanoseconds: UInt64) -> String {
    nanoseconds % 1_000_000_000 == 0 ? "\(nanoseconds / 1_000_000_000)" : "\(Double(nanoseconds) / 1e9)"
  }

  private var log: String {
    switch configuration.log.access {
    case .off: "no access log"
    case .stdout: "access log on standard output"
    case .stderr: "access log on standard error"
    case .file(let path): "access log in \(path)"
    }
  }

  /// A line that works as it stands; only where the demo backend is there and its key may be shown.
  private var trial: String? {
    guard let demo = configuration.demoBackend, let listener = listeners.first(where: { !$0.door.isUnix }),
      let address = listener.addresses.first
    else { return nil }
    let model = configuration.models.first?.name ?? demo.models.first ?? "demo"
    var key = "anything"
    if case .required(let sources) = configuration.auth {
      guard case .plain(let secret) = sources.keys.first?.credential else { return nil }
      key = secret
    }
    let url = base(address, listener.isTLS)
    return """
        base_url  \(url)
        api_key   \(key)

        curl -N \(url)/chat/completions -H 'Authorization: Bearer \(key)' -H 'Content-Type: application/json' \\
          -d '{"model":"\(model)","stream":true,"messages":[{"role":"user","content":"Hello!"}]}'
      """
  }
}
