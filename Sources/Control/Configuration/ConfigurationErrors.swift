// What is wrong with a configuration file, in words an operator can act on. Never holds a secret.

/// One mistake in a configuration file: where, what was found, what was expected, how to mend it.
public struct ConfigurationMistake: Error, Sendable, Hashable, CustomStringConvertible {
  /// The file's name as given.
  public var file: String
  /// From 1; 0 when the mistake has no place in the file (it cannot be read at all).
  public var line: Int
  /// From 1, in Unicode scalars; 0 like `line`.
  public var column: Int
  /// The key it is about, such as `client.head_seconds`; empty when it is about the file.
  public var path: String
  /// What was found, what was expected; then, after a semicolon, how to mend it.
  public var text: String

  /// `conf/sluice.yaml:35:3: client.head_seconds: found "ten", expected a number of seconds greater than 0; write ...`
  public var description: String {
    let place = line > 0 ? "\(file):\(line):\(column): " : "\(file): "
    return path.isEmpty ? place + text : "\(place)\(path): \(text)"
  }
}

/// Every mistake of a file, in the file's order; at least one.
public struct ConfigurationErrors: Error, Sendable, Hashable, CustomStringConvertible {
  public var mistakes: [ConfigurationMistake]

  /// One mistake per line, without a newline at the end.
  public var description: String {
    mistakes.map(\.description).joined(separator: "\n")
  }
}
