// Sessions of web pages: a cookie in place of a key that a page would have to keep. A session may do everything, ends by
// time, and ends with the key that it began with.

import Gateway
import Plugins
import Wire

extension KeyAdministration {
  /// A working day, in seconds.
  static let sessionSeconds = 43_200
  /// That began with one key; with one more the oldest ends.
  static let sessionsMax = 100

  /// `POST /admin/sessions`: the cookie is the answer, and its text is nowhere else.
  func beginSession(
    _ exchange: Exchange, _ identity: Identity, _ caller: Caller, _ now: Int
  ) async throws(Refused) -> Reply {
    let isSecure = exchange.isSecure
    let session: NewSecret? = try await change(caller) { table, key in
      try table.sweepSessions(now: now)
      var new = NewKey(name: identity.name)
      new.permissions = .all
      new.expiresAt = now + Self.sessionSeconds
      let parent: String
      if case .configured(let mark) = caller.who {
        new.models = identity.models?.sorted()
        new.account = identity.account
        parent = mark
      } else if let key, key.kind == .key {
        new.expiresAt = min(now + Self.sessionSeconds, key.expiresAt ?? .max)
        new.models = key.models
        new.account = key.account
        parent = key.id
      } else {
        return nil
      }
      try table.endOldestSessions(of: parent, downTo: Self.sessionsMax - 1)
      return try table.create(new, kind: .session, parent: parent, now: now)
    }
    guard let session else {
      let words = Failure.Refusal(
        status: 403, message: "A session begins with a key that may manage keys.", code: "session_needs_key")
      throw Refused(Failure(.downstream, .refused(words)))
    }
    let age = max(0, (session.key.expiresAt ?? now) - now)
    let cookie = Self.cookie(session.secret, age: age, isSecure: isSecure)
    return KeyAnswer.reply(KeyAnswer.session(session.key), status: 201, fields: [("Set-Cookie", cookie)])
  }

  /// `DELETE /admin/sessions`: the session that asks, or all that began with the key that asks.
  func endSession(_ exchange: Exchange, _ caller: Caller) async throws(Refused) -> Reply {
    let isSecure = exchange.isSecure
    try await change(caller) { table, row in
      if case .configured(let mark) = caller.who {
        try table.endSessions(of: mark)
      } else if let row {
        try table.endSession(row.id)
        try table.endSessions(of: row.id)
      }
    }
    let gone = Self.cookie("", age: 0, isSecure: isSecure)
    return KeyAnswer.reply(Array(#"{"object":"session","deleted":true}"#.utf8), fields: [("Set-Cookie", gone)])
  }

  /// RFC 6265, 4.1. Scripts cannot read it, and pages of other sites cannot have it sent; what pages of other origins of the
  /// same site may not do with it is said by auth.
  static func cookie(_ value: String, age: Int, isSecure: Bool) -> String {
    "\(Auth.cookieName)=\(value); HttpOnly; SameSite=Strict; Path=/; Max-Age=\(age)\(isSecure ? "; Secure" : "")"
  }
}
