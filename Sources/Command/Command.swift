import ArgumentParser
import Sluice
@main
struct Command: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "sluice", subcommands: [Run.self])
}
struct Run: ParsableCommand {
  @Option var config: String
  func run() throws { throw ExitCode(Sluice.run(configurationPath: config)) }
}
