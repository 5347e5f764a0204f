// What the command line asks for beside running a gateway.

import DemoBackend
import Reactor

extension Server {
  /// Checks a configuration: one line on standard output when it is good, every mistake on standard error when not.
  public static func check(configurationPath path: String, plugins: [PluginKind] = []) -> Int32 {
    switch Configuration.load(path: path, environment: Machine.environment, plugins: plugins) {
    case .success(let configuration):
      print("\(path): good: \(configuration.summary)")
      return ExitStatus.good
    case .failure(let errors):
      Terminal.error(errors.description)
      return ExitStatus.badConfiguration
    }
  }

  /// Runs the demo backend in the foreground until it is told to stop.
  public static func runDemoBackend(_ demo: Configuration.DemoBackend) -> Int32 {
    Terminal.fillStandardDescriptors()
    do throws(ReactorError) {
      Terminal.info("sluice: demo backend on \(demo.address), models \(demo.models.joined(separator: ", "))")
      try DemoBackend.run(DemoSettings(demo))
      return ExitStatus.good
    } catch {
      Terminal.error("sluice: cannot run the demo backend on \(demo.address): \(error)")
      return ExitStatus.unavailable
    }
  }

  /// SHA-256 of `key` in lowercase hexadecimal.
  public static func keyHash(_ key: String) -> String { SHA256Digest(hashing: key).hex }
}
