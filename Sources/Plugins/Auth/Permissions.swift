// What a key may do. Looking (models, health, statistics) needs one permission; whatever makes a backend work needs two,
// because its answer is looked at as well.

import Wire

/// Permissions of a key.
public struct Permissions: OptionSet, Sendable, Hashable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// To look at what there is: GET and HEAD.
  public static let read = Permissions(rawValue: 1 << 0)
  /// To have backends work: every other method, together with `read`.
  public static let proxy = Permissions(rawValue: 1 << 1)

  /// To manage keys.
  public static let admin = Permissions(rawValue: 1 << 2)

  /// All there are.
  public static let all: Permissions = [.read, .proxy, .admin]
  /// What a key has that is given nothing else.
  public static let usual: Permissions = [.read, .proxy]

  private static let named: [(word: String, permission: Permissions)] = [
    ("read", .read), ("proxy", .proxy), ("admin", .admin),
  ]

  /// The permission that `word` means, as the configuration, tokens and services write it.
  public init?(word: some StringProtocol) {
    guard let found = Self.named.first(where: { $0.word == word }) else { return nil }
    self = found.permission
  }

  /// The words of what it is made of, in their order.
  public var words: [String] { Self.named.filter { contains($0.permission) }.map(\.word) }

  /// The permission that a request with `method` lacks; nil when it lacks none.
  func missing(for method: Method) -> String? {
    if !contains(.read) { return "read" }
    switch method {
    case .get, .head: return nil
    default: return contains(.proxy) ? nil : "proxy"
    }
  }
}
