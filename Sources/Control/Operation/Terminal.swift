// What the operator reads while the gateway runs: lines on standard error, written whole, from a level upward.

import Glibc
import Synchronization

/// The operator's terminal.
public enum Terminal {
  private static let threshold = Atomic<Int>(0)

  /// Fills those of the descriptors 0 to 2 that the caller left closed, before anything is opened: a socket that took such
  /// a number would be written to as if it were the terminal or the log.
  static func fillStandardDescriptors() {
    // The lowest number that is free is taken; nothing is tried again where there is no such file.
    for _ in 0...3 {
      let descriptor = open("/dev/null", O_RDWR)
      if descriptor > 2 { close(descriptor) }
      if descriptor < 0 || descriptor > 2 { return }
    }
  }

  /// Writes nothing below `level` from now on.
  static func show(from level: Configuration.Log.Level) { threshold.store(rank(level), ordering: .relaxed) }

  /// What goes as it should: the banner, a reload, a shutdown.
  public static func info(_ text: String) { write(text, .info) }

  /// What the gateway lives with, and the operator should know of.
  public static func warning(_ text: String) { write(text, .warning) }

  /// What did not work.
  public static func error(_ text: String) { write(text, .error) }

  private static func write(_ text: String, _ level: Configuration.Log.Level) {
    guard rank(level) >= threshold.load(ordering: .relaxed) else { return }
    let line = Array((text + "\n").utf8)
    var rest = line[...]
    while !rest.isEmpty {
      // SAFETY: the array's bytes are lent for the length of the call.
      let count = rest.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  private static func rank(_ level: Configuration.Log.Level) -> Int {
    Configuration.Log.Level.allCases.firstIndex(of: level) ?? 0
  }
}
