// The command line: parses arguments and calls Sluice. Nothing here is isolated to an actor, and nothing runs in the
// body of @main itself; what a subcommand does is a function elsewhere.

import ArgumentParser
import Sluice

@main
struct Command: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sluice",
    abstract: "A streaming gateway for models that speak the OpenAI API.",
    discussion: """
      Exit codes: 0 good, 1 an answer to a load was wrong, 64 wrong arguments, 65 an argument's content is wrong, \
      69 something could not be opened, 78 the configuration has mistakes or cannot be read.
      """,
    version: "sluice \(Sluice.version)",
    subcommands: [Run.self, Check.self, Keys.self, Load.self, DemoBackend.self, Version.self])
}

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the gateway.",
    discussion: "SIGTERM drains and stops. A configuration with mistakes is told in full, with exit code 78.")

  @Option(name: [.short, .long], help: "The configuration, a YAML file.")
  var config: String

  func run() throws {
    try leave(Sluice.run(configurationPath: config))
  }
}

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check configurations without running them.",
    discussion: """
      Prints one line for each good file. Mistakes go to standard error, each with its line and column, and the exit \
      code is 78. Variables are taken from the environment, as in a run.
      """)

  @Option(name: [.short, .long], help: "The configuration, as for run.")
  var config: String?

  @Argument(help: "More configurations.")
  var files: [String] = []

  func validate() throws {
    if config == nil, files.isEmpty { throw ValidationError("Name a configuration: sluice check FILE") }
  }

  func run() throws {
    var worst: Int32 = 0
    for path in (config.map { [$0] } ?? []) + files {
      worst = max(worst, Sluice.check(configurationPath: path))
    }
    try leave(worst)
  }
}

struct Version: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Print the version.")

  func run() {
    print("sluice \(Sluice.version)")
  }
}

/// Ends the process with `code`, unless all is good.
func leave(_ code: Int32) throws {
  if code != 0 { throw ExitCode(code) }
}
