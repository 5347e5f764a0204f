// `${NAME}` and `${NAME:-default}` inside values. Works on values after YAML has been read, so what comes from the
// environment can never become structure. Never prints what a variable holds.

enum Expansion {
  enum Failure: Error, Equatable {
    /// The variable is not set and the file gives no default.
    case unset(String)
    /// `${` is not followed by a name and `}`.
    case malformed
  }

  /// `text` with its variables replaced. `:-` takes the default when the variable is unset or empty, as a shell does;
  /// a default ends at the first `}`; `$${` stands for `${`.
  static func expand(_ text: String, _ environment: [String: String]) -> Result<String, Failure> {
    guard text.utf8.contains(UInt8(ascii: "$")) else { return .success(text) }
    var rest = text[...]
    var result = ""
    while let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      rest = rest[dollar...]
      if rest.hasPrefix("$${") {
        result += "${"
        rest = rest.dropFirst(3)
      } else if rest.hasPrefix("${") {
        guard let end = rest.firstIndex(of: "}") else { return .failure(.malformed) }
        switch value(of: rest[..<end].dropFirst(2), environment) {
        case .success(let value): result += value
        case .failure(let failure): return .failure(failure)
        }
        rest = rest[rest.index(after: end)...]
      } else {
        result += "$"
        rest = rest.dropFirst()
      }
    }
    return .success(result + rest)
  }

  /// `inner` is what stands between the braces.
  private static func value(of inner: Substring, _ environment: [String: String]) -> Result<String, Failure> {
    let name = inner.prefix { $0 != ":" }
    let fallback = inner.dropFirst(name.count)
    guard isName(name), fallback.isEmpty || fallback.hasPrefix(":-") else { return .failure(.malformed) }
    let found = environment[String(name)]
    if fallback.isEmpty {
      return found.map { .success($0) } ?? .failure(.unset(String(name)))
    }
    if let found, !found.isEmpty { return .success(found) }
    return .success(String(fallback.dropFirst(2)))
  }

  private static func isName(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
    return text.utf8.allSatisfy { byte in
      byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
        || (0x61...0x7A).contains(byte)
    }
  }
}
