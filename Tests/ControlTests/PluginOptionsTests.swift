// Plugins of a program's own: what the file says of them reaches them, and what it says wrongly reaches the operator.

import Gateway
import Testing

@testable import Control

struct TeamHeader: ConfigurablePlugin {
  struct Options: Codable, Sendable {
    struct Team: Codable, Sendable {
      let name: String
      let seats: Int?
    }
    let header: String
    let teams: [Team]
  }

  static let key = "team_header"
  static var newDialects: [String] { ["team"] }

  struct NoTeams: Error, CustomStringConvertible {
    var description: String { "teams is empty" }
  }

  let options: Options
  init(options: Options) throws {
    if options.teams.isEmpty { throw NoTeams() }
    self.options = options
  }

  var name: String { "team" }
  var phases: Phases { .request }
}

@Suite("Plugins of a program's own")
struct PluginOptionsTests {
  static let kinds = [PluginKind(TeamHeader.self)]

  static func parse(_ text: String, _ environment: [String: String] = [:]) -> Result<Configuration, ConfigurationErrors>
  {
    Configuration.parse(text: smallest + text, name: "t.yaml", environment: environment, plugins: kinds)
  }

  static func mistakes(_ text: String) -> String {
    switch parse(text) {
    case .success: ""
    case .failure(let errors): "\(errors)"
    }
  }

  @Test("options are read into the plugin's own type, with variables replaced")
  func options() throws {
    let text =
      "plugins: { team_header: { header: \"x-${KIND}\", teams: [{ name: red, seats: 3 }, { name: \"7\" }] } }\n"
    let configuration = try Self.parse(text, ["KIND": "team"]).get()
    let options = try #require(configuration.plugins.first)
    #expect(options.key == "team_header")
    let plugin = try #require(try Self.kinds[0].make(options.options) as? TeamHeader)
    #expect(plugin.options.header == "x-team")
    #expect(plugin.options.teams.map(\.name) == ["red", "7"] && plugin.options.teams.map(\.seats) == [3, nil])
  }

  @Test("a plugin that is not switched on is not there")
  func off() throws {
    #expect(try Self.parse("").get().plugins.isEmpty)
  }

  @Test(
    "what is wrong is told where it stands, without its value",
    arguments: [
      (
        "team_header: { teams: [{ name: a }] }",
        "plugins.team_header: found options that cannot be used: header is missing"
      ),
      (
        "team_header: { header: x, teams: [{ name: a, seats: secret }] }",
        "found options that cannot be used: teams.Index 0.seats"
      ),
      ("team_header: { header: x, teams: [] }", "found options that cannot be used: teams is empty"),
      ("team_header: 5", "plugins.team_header: found a value that is not shown here, expected a mapping of options"),
      ("team_heder: {}", "expected the key of a plugin; did you mean team_header?"),
      ("team_header: { header: \"${NONE}\", teams: [] }", "the environment variable NONE is not set"),
    ])
  func wrong(_ text: String, _ message: String) {
    let found = Self.mistakes("plugins: { \(text) }\n")
    #expect(found.contains(message), "\(found)")
    #expect(!found.contains("secret"))
  }

  @Test("a dialect that a plugin brings may be named, any other may not")
  func dialects() throws {
    let text = "paths: { prefixes: [{ path: /v1, dialect: team }] }\n"
    #expect(try Self.parse(text).get().paths.prefixes.map(\.dialect) == ["team"])
    #expect(throws: ConfigurationErrors.self) {
      try Configuration.parse(text: smallest + text, name: "t.yaml", environment: [:]).get()
    }
  }
}
