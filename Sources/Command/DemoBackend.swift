// `sluice demo-backend`: a pretended model server, to try the gateway or a client without a model.

import ArgumentParser
import Sluice

struct DemoBackend: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo-backend",
    abstract: "Run a pretended model server.",
    discussion: "The gateway can start one of its own as well: demo_backend in the configuration.")

  @Option(help: "Where it listens: an IP address with a port, :port, or unix:/path.")
  var address = "127.0.0.1:18080"

  @Option(name: .customLong("model"), help: "A model it says it has; may be repeated. (default: demo)")
  var models: [String] = []

  @Option(help: "Milliseconds between two words of a streamed answer, 0 to 60000.")
  var wordMilliseconds = 30

  @Option(help: "Milliseconds before the first word, 0 to 600000.")
  var firstWordMilliseconds = 200

  func validate() throws {
    guard (0...60_000).contains(wordMilliseconds) else {
      throw ValidationError("--word-milliseconds: found \(wordMilliseconds), expected 0 to 60000")
    }
    guard (0...600_000).contains(firstWordMilliseconds) else {
      throw ValidationError("--first-word-milliseconds: found \(firstWordMilliseconds), expected 0 to 600000")
    }
  }

  func run() throws {
    try leave(
      Sluice.demoBackend(
        address: address, models: models.isEmpty ? ["demo"] : models, wordMilliseconds: wordMilliseconds,
        firstWordMilliseconds: firstWordMilliseconds))
  }
}
