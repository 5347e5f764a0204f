// Words for whoever runs the tool.

import Glibc

enum Terminal {
  /// Writes a line to standard error.
  static func complain(_ text: String) {
    var line = text + "\n"
    line.withUTF8 { _ = write(2, $0.baseAddress, $0.count) }
  }
}
