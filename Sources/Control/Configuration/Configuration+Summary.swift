// What a good file amounts to, in one line for the operator.

extension Configuration {
  /// `1 listener, 2 clusters with 3 endpoints, 4 models, 1 key`: no names, no secrets.
  public var summary: String {
    func count(_ number: Int, _ thing: String) -> String { "\(number) \(thing)\(number == 1 ? "" : "s")" }
    let endpoints = clusters.reduce(0) { $0 + $1.endpoints.count }
    var parts = [
      count(listeners.count, "listener"),
      "\(count(clusters.count, "cluster")) with \(count(endpoints, "endpoint"))",
      count(models.count, "model"),
    ]
    switch auth {
    case .open: parts.append("open to everybody")
    case .required(let sources):
      if !sources.keys.isEmpty { parts.append(count(sources.keys.count, "key")) }
      if sources.jwt != nil { parts.append("tokens") }
      if sources.external != nil { parts.append("an auth service") }
      if sources.store != nil { parts.append("a key store") }
    }
    if demoBackend != nil { parts.append("a demo backend") }
    return parts.joined(separator: ", ")
  }
}
