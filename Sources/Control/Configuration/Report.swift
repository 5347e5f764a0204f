// What one reading of a file has found so far. Every reader of a part of the file holds the same report, so that all
// mistakes of a file come out together. Lives during one call of `parse`.

/// A place in the file, from 1.
struct Place: Hashable {
  var line: Int
  var column: Int

  static let start = Place(line: 1, column: 1)
}

final class Report {
  let file: String
  let environment: [String: String]
  /// The kinds of plugins that the program brings.
  let plugins: [PluginKind]
  /// Names of the dialects that there are.
  var dialects: [String] { Configuration.dialects + plugins.flatMap(\.dialects) }
  /// Set while the decoder is asked which keys it knows: sections that are absent are walked anyway, nothing is a mistake.
  let surveying: Bool
  /// Keys that were a second time in their mapping: reported already, to be skipped.
  var repeatedKeys: Set<Place> = []
  /// Every key that was asked for while surveying, such as `clusters.*.tls.verify`, in the decoder's order.
  private(set) var knownKeys: [String] = []
  private(set) var mistakes: [ConfigurationMistake] = []
  private var seen: Set<ConfigurationMistake> = []
  private var visited = 0

  /// More mistakes than that are not collected: nobody reads them.
  static let mistakesMax = 200
  /// Values looked at in one reading. Aliases share memory but not this count, so they cannot multiply without end.
  static let valuesMax = 200_000

  init(
    file: String, environment: [String: String], plugins: [PluginKind] = [], surveying: Bool = false
  ) {
    self.plugins = plugins
    self.file = file
    self.environment = environment
    self.surveying = surveying
  }

  /// Adds a mistake; the same one again (a value used through an alias) counts once.
  func add(_ place: Place?, _ path: String, _ text: String) {
    guard !surveying, mistakes.count < Report.mistakesMax else { return }
    let mistake = ConfigurationMistake(
      file: file, line: place?.line ?? 0, column: place?.column ?? 0, path: path, text: text)
    if seen.insert(mistake).inserted { mistakes.append(mistake) }
  }

  /// Counts one value; false when the file has used up its allowance, and then the value must not be looked at.
  func visit(_ place: Place) -> Bool {
    visited += 1
    if visited == Report.valuesMax + 1 {
      add(place, "", "found more than \(Report.valuesMax) values; write fewer, or use aliases less")
    }
    return visited <= Report.valuesMax
  }

  func asked(for key: String) {
    if surveying, !knownKeys.contains(key) { knownKeys.append(key) }
  }

  /// The mistakes in the file's order.
  var errors: ConfigurationErrors {
    ConfigurationErrors(
      mistakes: mistakes.enumerated().sorted {
        ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset)
      }.map(\.element))
  }
}
