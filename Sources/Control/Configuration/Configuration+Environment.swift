// The environment of this process, which only Foundation hands out without a race.

import Foundation

extension Configuration {
  /// Reads and checks the file at `path` with this process' environment.
  public static func load(path: String) -> Result<Configuration, ConfigurationErrors> {
    load(path: path, environment: ProcessInfo.processInfo.environment)
  }
}
