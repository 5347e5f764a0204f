// What settings may be. Both command lines read and ask here, so that both say the same. An address, a header and a key
// may be secrets, or hold some: what is wrong with them is told without them.

extension LoadSettings {
  /// An argument that cannot be, named as on the command line.
  public struct Mistake: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
  }

  /// Settings of an API's base address, and of header lines.
  public init(url: String, headers: [String]) throws(Mistake) {
    guard let target = Target(url) else {
      throw Mistake(
        description: "--url: expected an address such as https://host/v1, without user, query and fragment")
    }
    self.init(target: target)
    for text in headers {
      guard let line = Self.header(text) else {
        throw Mistake(description: "--header: expected name: value, and no header of the request's own")
      }
      self.headers.append(line)
    }
  }

  /// Throws what is wrong with the settings.
  public func check() throws(Mistake) {
    if let mistake { throw Mistake(description: mistake) }
  }

  /// What is wrong with the settings, named as on the command line; nil when nothing is.
  public var mistake: String? {
    func outside(_ name: String, _ value: Double, _ range: ClosedRange<Double>) -> String? {
      range.contains(value)
        ? nil
        : "--\(name): found \(Decimal.short(value)), expected \(Decimal.short(range.lowerBound)) to \(Decimal.short(range.upperBound))"
    }
    if mode == .rate, rate == nil { return "--mode rate needs --rate, requests a second" }
    if mode != .rate, rate != nil { return "--rate is for --mode rate" }
    if let key, !Self.isKey(key) { return "--key: expected 1 to 4096 visible ASCII characters without spaces" }
    return outside("connections", Double(connections), 1...1_000_000)
      ?? outside("duration", duration, 0.01...1_000_000)
      ?? outside("warmup", warmup, 0...1_000_000)
      ?? outside("hold", hold, 0...1_000_000)
      ?? outside("timeout", timeout, 0.01...1_000_000)
      ?? requestsMax.flatMap { outside("requests", Double($0), 1...1e12) }
      ?? rate.flatMap { outside("rate", $0, 0.001...10_000_000) }
      ?? bodyBytes.flatMap { outside("body-bytes", Double($0), 1...4_294_967_296) }
      ?? answerBytes.flatMap { outside("answer-bytes", Double($0), 1...1_099_511_627_776) }
      ?? maxTokens.flatMap { outside("max-tokens", Double($0), 1...1e9) }
  }

  private static func isKey(_ text: String) -> Bool {
    (1...4096).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }

  /// Reads `name: value`; nil when the name is none, or one of the request's own.
  static func header(_ text: String) -> (name: String, value: String)? {
    guard let colon = text.firstIndex(of: ":") else { return nil }
    let name = text[..<colon]
    let marks = "!#$%&'*+-.^_`|~"
    guard !name.isEmpty,
      name.unicodeScalars.allSatisfy({
        $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || marks.unicodeScalars.contains($0))
      }),
      !["host", "content-length", "transfer-encoding", "connection"].contains(name.lowercased())
    else { return nil }
    var value = text[text.index(after: colon)...]
    while value.first == " " { value.removeFirst() }
    return (String(name), String(value))
  }
}

extension LoadSettings.Mode {
  /// What is wrong with options that were given, named without dashes: one that this mode does not look at. Nil when
  /// nothing is.
  public func mistake(given options: [String]) -> String? {
    for option in options {
      let modes = Self.allCases.filter { $0.looks(at: option) }
      guard !modes.contains(self), let last = modes.last else { continue }
      let others = modes.dropLast().map(\.rawValue).joined(separator: ", ")
      return "--\(option) is for --mode \(others) and \(last.rawValue)"
    }
    return nil
  }

  private func looks(at option: String) -> Bool {
    let holds = self == .held || self == .stalled
    return switch option {
    case "stream": self == .rate || self == .fresh
    case "hold": holds
    // Streams that are held do not end, and are held as long as --hold says.
    case "duration", "warmup", "requests": !holds
    default: true
    }
  }
}

extension Decimal {
  /// A number without decimals that say nothing.
  static func short(_ number: Double) -> String {
    number == number.rounded() ? text(number, decimals: 0) : text(number, decimals: 3)
  }
}
