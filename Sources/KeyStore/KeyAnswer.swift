// Keys as JSON, for the API and for `sluice keys --json`. A secret is in an answer only where it was just made.

import Gateway
import Plugins

public enum KeyAnswer {
  /// One key.
  public static func object(_ key: StoredKey, _ now: Int) -> [UInt8] { object(key, secret: nil, now) }

  /// One key that was just made, or just given a new secret, with that.
  public static func object(_ new: NewSecret, _ now: Int) -> [UInt8] { object(new.key, secret: new.secret, now) }

  /// All of them.
  public static func list(_ keys: [StoredKey], _ now: Int) -> [UInt8] {
    Array(#"{"object":"list","data":["#.utf8) + keys.map { object($0, now) }.joined(separator: [UInt8(ascii: ",")])
      + Array("]}".utf8)
  }

  private static func object(_ key: StoredKey, secret: String?, _ now: Int) -> [UInt8] {
    var out = Array(#"{"object":"key","id":"#.utf8)
    JSONText.append(key.id, to: &out)
    if let secret { member("key", secret, to: &out) }
    member("name", key.name, to: &out)
    member("hint", key.hint, to: &out)
    member("permissions", key.permissions.words, to: &out)
    member("models", key.models, to: &out)
    member("account", key.account, to: &out)
    member("created_at", key.createdAt, to: &out)
    member("expires_at", key.expiresAt, to: &out)
    member("revoked_at", key.revokedAt, to: &out)
    member("previous_until", key.previousUntil, to: &out)
    member("status", key.status(at: now).rawValue, to: &out)
    out.append(UInt8(ascii: "}"))
    return out
  }

  static func session(_ session: StoredKey) -> [UInt8] {
    var out = Array(#"{"object":"session","id":"#.utf8)
    JSONText.append(session.id, to: &out)
    member("name", session.name, to: &out)
    member("permissions", session.permissions.words, to: &out)
    member("created_at", session.createdAt, to: &out)
    member("expires_at", session.expiresAt, to: &out)
    out.append(UInt8(ascii: "}"))
    return out
  }

  /// None of these answers may be kept by anybody on the way.
  static func reply(
    _ body: [UInt8], status: Int = 200, fields: [(name: StaticString, value: String)] = []
  ) -> Reply {
    Reply(status: status, body: body, fields: [("Cache-Control", "no-store")] + fields)
  }

  private static func name(_ name: StaticString, to out: inout [UInt8]) {
    out += Array(",\"\(name)\":".utf8)
  }

  private static func member(_ name: StaticString, _ value: String?, to out: inout [UInt8]) {
    self.name(name, to: &out)
    if let value { JSONText.append(value, to: &out) } else { out += Array("null".utf8) }
  }

  private static func member(_ name: StaticString, _ value: Int?, to out: inout [UInt8]) {
    self.name(name, to: &out)
    out += Array((value.map { "\($0)" } ?? "null").utf8)
  }

  private static func member(_ name: StaticString, _ values: [String]?, to out: inout [UInt8]) {
    self.name(name, to: &out)
    guard let values else {
      out += Array("null".utf8)
      return
    }
    out.append(UInt8(ascii: "["))
    for (index, value) in values.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      JSONText.append(value, to: &out)
    }
    out.append(UInt8(ascii: "]"))
  }
}
