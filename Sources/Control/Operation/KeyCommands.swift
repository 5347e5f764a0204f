// What an operator does with a key store from the command line. A new secret goes to standard output alone, so that it can
// be captured; words about it go to standard error.

import Gateway
import KeyStore
import Plugins
import Reactor

/// Where the store is, as the command line says.
public enum StorePlace: Sendable {
  case store(path: String)
  /// The store of this configuration.
  case configuration(path: String)
}

/// `sluice keys create`, `list`, `revoke`, `rotate`. Each gives the process's exit code.
public enum KeyCommands {
  /// Makes a key, and the store with it when that is missing.
  ///
  /// - Parameters:
  ///   - permissions: words; empty is `read` and `proxy`.
  ///   - models: empty is all.
  ///   - expires: `30d`, `12h`, or a date as 2027-01-31 (its first moment, UTC); nil is never.
  public static func create(
    in place: StorePlace, name: String, permissions: [String] = [], models: [String] = [], account: String? = nil,
    expires: String? = nil, asJSON: Bool = false
  ) -> Int32 {
    let now = KeyStore.now
    var key = NewKey(name: name)
    if !permissions.isEmpty { key.permissions = [] }
    for word in permissions {
      guard let permission = Configuration.Permission(rawValue: word) else {
        return bad(
          "--permission: found \(word), expected \(Item.oneOf(Configuration.Permission.allCases.map(\.rawValue)))")
      }
      key.permissions.insert(Permissions([permission]))
    }
    if !models.isEmpty { key.models = models }
    key.account = account
    if let expires {
      guard let end = KeyTime.end(expires, now: now) else {
        return bad("--expires: found \(expires), expected days as 30d, hours as 12h, or a date as 2027-01-31")
      }
      key.expiresAt = end
    }
    if let mistake = key.mistake(now: now) {
      let option =
        ["permissions": "permission", "models": "model", "expires_at": "expires"][mistake.member] ?? mistake.member
      return bad("--\(option): \(mistake.expected)")
    }
    return with(place, creating: true) { store throws(KeyStoreError) in
      show(try store.create(key, now: now), asJSON, now)
    }
  }

  /// Prints all keys, the oldest first. Never a secret, nor a digest of one.
  public static func list(in place: StorePlace, asJSON: Bool = false) -> Int32 {
    with(place, creating: false) { store throws(KeyStoreError) in
      let keys = try store.list()
      let now = KeyStore.now
      print(asJSON ? String(decoding: KeyAnswer.list(keys, now), as: UTF8.self) : KeyList.table(keys, now))
    }
  }

  /// Ends a key at its next request.
  public static func revoke(_ idOrName: String, in place: StorePlace, asJSON: Bool = false) -> Int32 {
    with(place, creating: false) { store throws(KeyStoreError) in
      let key = try store.revoke(idOrName)
      if asJSON { print(String(decoding: KeyAnswer.object(key, KeyStore.now), as: UTF8.self)) }
      Terminal.info("sluice: \(key.id) (\(key.name)) is revoked, from its next request on")
    }
  }

  /// Gives a key a new secret.
  ///
  /// - Parameter grace: how long the old one stays good: `24h`, `7d`, or `90s`; nil is no time.
  public static func rotate(
    _ idOrName: String, in place: StorePlace, grace: String? = nil, asJSON: Bool = false
  ) -> Int32 {
    var seconds = 0
    if let grace {
      guard let found = KeyTime.duration(grace), (0...NewKey.graceSecondsMax).contains(found) else {
        return bad("--grace: found \(grace), expected hours as 24h, days as 7d or seconds as 90s, a year at most")
      }
      seconds = found
    }
    return with(place, creating: false) { store throws(KeyStoreError) in
      show(try store.rotate(idOrName, grace: seconds), asJSON, KeyStore.now)
    }
  }

  // MARK: The rest

  private static func show(_ new: NewSecret, _ asJSON: Bool, _ now: Int) {
    if asJSON {
      print(String(decoding: KeyAnswer.object(new, now), as: UTF8.self))
    } else {
      print(new.secret)
    }
    Terminal.info("sluice: \(new.key.id) (\(new.key.name)), shown once: keep it now, it cannot be shown again")
    if let until = new.key.previousUntil { Terminal.info("sluice: the old key is good until \(KeyTime.text(until))") }
  }

  private static func with(
    _ place: StorePlace, creating: Bool, _ work: (KeyStore) throws(KeyStoreError) -> Void
  ) -> Int32 {
    let path: String
    switch place {
    case .store(let found): path = found
    case .configuration(let file):
      switch Configuration.load(path: file, environment: Machine.environment) {
      case .failure(let errors):
        Terminal.error("\(errors)")
        return ExitStatus.badConfiguration
      case .success(let configuration):
        guard case .required(let sources) = configuration.auth, let store = sources.store else {
          Terminal.error("\(file): auth.store: missing; write e.g. store: { path: /var/lib/sluice/keys.db }")
          return ExitStatus.badConfiguration
        }
        path = store.path
      }
    }
    do throws(KeyStoreError) {
      try work(try KeyStore.open(path, creating: creating))
      return ExitStatus.good
    } catch {
      switch error.kind {
      case .noSuchKey, .ambiguous, .over: return bad(error.description)
      default:
        Terminal.error("sluice: \(error)")
        return ExitStatus.unavailable
      }
    }
  }

  private static func bad(_ words: String) -> Int32 {
    Terminal.error("sluice: \(words)")
    return ExitStatus.badData
  }
}
