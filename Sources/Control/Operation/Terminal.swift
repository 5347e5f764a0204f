// What the operator reads while the gateway runs: lines on standard error, written whole.

import Glibc

/// The operator's terminal.
public enum Terminal {
  /// Writes a line to standard error.
  public static func error(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = line.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
  }
}
