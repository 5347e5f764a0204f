// The public face: what the command line calls, and a program that brings its own plugins. Functions here return the
// process's exit code and print for an operator; none is isolated to an actor, so that callbacks made below them pay no
// isolation check.

@_exported import Control
@_exported import Gateway

/// This program's version.
public var version: String { Version.text }

/// Runs the gateway of the configuration at `configurationPath` until it is told to stop; the process's exit code.
///
/// - Parameter plugins: run in front of the gateway's own routing and behind its auth and limits, in their order.
public func run(configurationPath: String, plugins: [any Plugin] = []) -> Int32 {
  Server.run(configurationPath: configurationPath, plugins: plugins)
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
public func check(configurationPath: String) -> Int32 { Server.check(configurationPath: configurationPath) }

/// Writes a line to standard error.
public func complain(_ text: String) { Terminal.error(text) }
