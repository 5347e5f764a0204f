// `sluice keys create|list|revoke|rotate`: the arguments; what is done with them is `KeyCommands` in Control.

import ArgumentParser
import Sluice

/// Which store.
struct StoreOptions: ParsableArguments {
  @Option(help: "The store, a file; create makes it when it is missing.")
  var store: String?

  @Option(name: [.short, .long], help: "A configuration whose auth.store names the store.")
  var config: String?

  func validate() throws {
    if (store == nil) == (config == nil) {
      throw ValidationError("Say which store: either --store PATH or --config FILE")
    }
  }

  var place: StorePlace { config.map { .configuration(path: $0) } ?? .store(path: store ?? "") }
}

extension Keys {
  struct Create: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a key and print it, once.",
      discussion: """
        The key alone goes to standard output, the rest to standard error:

          KEY=$(sluice keys create --store keys.db --name alice --expires 90d)

        The store keeps a SHA-256 of it; it cannot be shown again.
        """)

    @OptionGroup var of: StoreOptions

    @Option(help: "The holder, for logs and lists.")
    var name: String

    @Option(
      name: .customLong("permission"),
      help: "What it may do: read, proxy or admin; may be repeated. (default: read and proxy)")
    var permissions: [String] = []

    @Option(name: .customLong("model"), help: "A model that it may use; may be repeated. (default: all)")
    var models: [String] = []

    @Option(help: "Its account type, which rules of limits may ask for. (default: none)")
    var account: String?

    @Option(help: "When it ends: days as 30d, hours as 12h, or 2027-01-31, 0:00 UTC of that day. (default: never)")
    var expires: String?

    @Flag(help: "Print one JSON object with everything.")
    var json = false

    func run() throws {
      try leave(
        KeyCommands.create(
          in: of.place, name: name, permissions: permissions, models: models, account: account, expires: expires,
          asJSON: json))
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print all keys, the oldest first.",
      discussion: "Of each only its first characters are known, and shown. Times are UTC.")

    @OptionGroup var of: StoreOptions

    @Flag(help: "Print one JSON object; times in seconds since 1970.")
    var json = false

    func run() throws { try leave(KeyCommands.list(in: of.place, asJSON: json)) }
  }

  struct Revoke: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "End a key, from its next request on.",
      discussion: "It stays in the list. Sessions that began with it end as well.")

    @OptionGroup var of: StoreOptions

    @Flag(help: "Print the key as one JSON object.")
    var json = false

    @Argument(help: "The key's id, or its name where no other has it.")
    var key: String

    func run() throws { try leave(KeyCommands.revoke(key, in: of.place, asJSON: json)) }
  }

  struct Rotate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give a key a new secret and print it, once.",
      discussion: "Id, rights and the end of its time stay. Sessions that began with it end.")

    @OptionGroup var of: StoreOptions

    @Option(help: "How long the old one stays good: seconds as 90s, hours as 24h, days as 7d. (default: not at all)")
    var grace: String?

    @Flag(help: "Print one JSON object with everything.")
    var json = false

    @Argument(help: "The key's id, or its name where no other has it.")
    var key: String

    func run() throws { try leave(KeyCommands.rotate(key, in: of.place, grace: grace, asJSON: json)) }
  }
}
