// The public face: what the command line calls, and a program that brings its own plugins. Functions here return the
// process's exit code and print for an operator; none is isolated to an actor, so that callbacks made below them pay no
// isolation check.

@_exported import Control
@_exported import Gateway
import Glibc
@_exported import Plugins
@_exported import Reactor

/// This program's version.
public var version: String { Version.text }

/// Runs the gateway of the configuration at `configurationPath` until it is told to stop; the process's exit code.
///
/// - Parameter plugins: types that the configuration may switch on below `plugins`. They run behind the gateway's own auth
///   and limits and in front of its routing, in the order of the file.
public func run(configurationPath: String, plugins: [any ConfigurablePlugin.Type] = []) -> Int32 {
  Server.run(configurationPath: configurationPath, plugins: plugins.map { PluginKind(opening: $0) })
}

/// A whole program: runs the gateway, or checks a configuration, as the command line says, and ends the process.
///
/// ```
/// my-gateway [run] --config FILE
/// my-gateway check FILE
/// ```
public func main(plugins: [any ConfigurablePlugin.Type]) -> Never {
  let arguments = Array(CommandLine.arguments.dropFirst())
  switch arguments.count {
  case 2 where arguments[0] == "check": exit(check(configurationPath: arguments[1], plugins: plugins))
  case 2 where arguments[0] == "--config": exit(run(configurationPath: arguments[1], plugins: plugins))
  case 3 where arguments[0] == "run" && arguments[1] == "--config":
    exit(run(configurationPath: arguments[2], plugins: plugins))
  default:
    let name = CommandLine.arguments.first.map { $0.split(separator: "/").last.map(String.init) ?? $0 } ?? "gateway"
    complain("usage: \(name) [run] --config FILE\n       \(name) check FILE")
    exit(64)
  }
}

/// Runs the demo backend alone until it is told to stop; the process's exit code.
public func demoBackend(
  address: String, models: [String], wordMilliseconds: Int, firstWordMilliseconds: Int
) -> Int32 {
  guard let address = Configuration.ListenAddress(address) else {
    complain("--address: found \(address), expected an IP address with a port, :port, or unix:/path")
    return ExitStatus.badData
  }
  var demo = Configuration.DemoBackend()
  demo.address = address
  demo.models = models
  demo.wordMilliseconds = wordMilliseconds
  demo.firstWordMilliseconds = firstWordMilliseconds
  return Server.runDemoBackend(demo)
}

/// SHA-256 of `key` in lowercase hexadecimal, as the configuration takes it.
public func keyHash(_ key: String) -> String { Server.keyHash(key) }

/// Checks a configuration: one line on standard output when it is good, every mistake on standard error when not.
public func check(configurationPath: String, plugins: [any ConfigurablePlugin.Type] = []) -> Int32 {
  Server.check(configurationPath: configurationPath, plugins: plugins.map { PluginKind(opening: $0) })
}

extension PluginKind {
  fileprivate init(opening type: any ConfigurablePlugin.Type) {
    func kind(_ type: (some ConfigurablePlugin).Type) -> PluginKind { PluginKind(type) }
    self = kind(type)
  }
}

/// Writes a line to standard error.
public func complain(_ text: String) { Terminal.error(text) }
