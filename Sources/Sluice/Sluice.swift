// The public face: what the command line calls, and a program that brings its own plugins. Functions here return the
// process' exit code and print for an operator; none is isolated to an actor, so that callbacks made below them pay no
// isolation check.

import Control
import Glibc

/// This program's version.
public let version = "0.1.0"

/// Exit codes, as sysexits.h has them.
public enum ExitStatus {
  public static let good: Int32 = 0
  /// A key or another argument cannot be what it should be (EX_DATAERR).
  public static let badData: Int32 = 65
  /// Something inside is missing or broken (EX_SOFTWARE).
  public static let broken: Int32 = 70
  /// The configuration has mistakes, or cannot be read (EX_CONFIG).
  public static let badConfiguration: Int32 = 78
}

/// Runs the gateway until it is told to stop.
public func run(configurationPath: String) -> Int32 {
  switch Configuration.load(path: configurationPath) {
  case .failure(let errors):
    complain(errors.description)
    return ExitStatus.badConfiguration
  case .success:
    complain("sluice: this build carries no gateway")
    return ExitStatus.broken
  }
}

/// Runs the pretended model server alone until it is told to stop.
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
  complain("sluice: this build carries no demo backend for \(demo.address)")
  return ExitStatus.broken
}

/// SHA-256 of `key` in lowercase hexadecimal; nil when this build cannot hash.
public func keyHash(_ key: String) -> String? {
  nil
}

/// Checks a configuration: one line on standard output when it is good, every mistake on standard error when not.
public func check(configurationPath: String) -> Int32 {
  switch Configuration.load(path: configurationPath) {
  case .success(let configuration):
    print("\(configurationPath): good: \(configuration.summary)")
    return ExitStatus.good
  case .failure(let errors):
    complain(errors.description)
    return ExitStatus.badConfiguration
  }
}

/// Writes a line to standard error.
public func complain(_ text: String) {
  let line = Array((text + "\n").utf8)
  var rest = line[...]
  while !rest.isEmpty {
    // SAFETY: write reads `$0.count` bytes of a buffer that lives for the call.
    let count = rest.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    if count < 0, errno == EINTR { continue }
    guard count > 0 else { return }
    rest = rest.dropFirst(count)
  }
}
