// What is the keys' own of every gateway, with a store or without one: their paths below the prefixes, and the cookie of
// their sessions. No backend is shown either of them.

import Gateway
import Plugins

/// Answers for the paths of ``KeyAdministration`` where there is no store: they are unknown ones. Stands where that would.
public struct KeyPlaces: Plugin {
  public init() {}

  public var name: String { "key_places" }
  public var phases: Phases { .request }

  public func request(_ exchange: Exchange) -> Verdict {
    // A page may go on sending it when the gateway has its store no more, and another gateway may have that.
    if Self.holdsSession(exchange) { exchange.ownsCookies = true }
    return KeyAdministration.place(exchange) == nil ? .pass : .fail(Failure(.downstream, .unknownPath))
  }

  /// Whether one of the cookies is called as that of a session. What only looks so is taken for one.
  private static func holdsSession(_ exchange: Exchange) -> Bool {
    guard exchange.count(of: .cookie) > 0, let head = exchange.head else { return false }
    let name = Array("\(Auth.cookieName)=".utf8)
    for index in 0..<head.fieldCount where head.field(index).known == .cookie {
      if holds(head.bytes(head.field(index).value), name) { return true }
    }
    return false
  }

  private static func holds(_ value: UnsafeRawBufferPointer, _ name: [UInt8]) -> Bool {
    guard value.count >= name.count else { return false }
    return (0...(value.count - name.count)).contains { value[$0...].starts(with: name) }
  }
}
