// The bench's command line: parses arguments and calls the libraries. Nothing runs in the body of @main itself.

import ArgumentParser

@main
struct Tool: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sluice-bench",
    abstract: "Measure gateways: a mock model behind them, a load in front of them.",
    discussion:
      "Exit codes: 0 good, 1 an answer was wrong or nothing was measured, 64 wrong arguments, 69 cannot listen.",
    subcommands: [Mock.self, Load.self])
}
