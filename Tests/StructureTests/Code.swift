// Just enough of Swift's grammar to look at code alone: comments and literals are blanked, interpolations are kept.

enum Code {
  /// `source` with the same lines, in which comments and the text of string literals are gone.
  static func withoutCommentsAndLiterals(_ source: String) -> String {
    var scanner = Scanner(bytes: Array(source.utf8))
    scanner.code(untilClosing: false)
    return String(decoding: scanner.out, as: UTF8.self)
  }

  /// Lines (from 1) with a postfix `!`: a forced value, a forced try or cast, or an implicitly unwrapped type.
  static func forcedLines(in source: String) -> [Int] {
    let forced = /[A-Za-z0-9_\)\]\}>?`]!(?!=)/
    return withoutCommentsAndLiterals(source).split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      .filter { $0.element.contains(forced) }.map { $0.offset + 1 }
  }

  private struct Scanner {
    let bytes: [UInt8]
    var position = 0
    var out: [UInt8] = []

    init(bytes: [UInt8]) { self.bytes = bytes }

    func sees(_ text: StaticString) -> Bool {
      text.withUTF8Buffer { bytes[position...].starts(with: $0) }
    }

    /// Copies code; with `untilClosing` up to the parenthesis that ends an interpolation.
    mutating func code(untilClosing: Bool) {
      var depth = 0
      while position < bytes.count {
        if sees("//") {
          while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
        } else if sees("/*") {
          blockComment()
        } else if let hashes = literalAhead() {
          literal(hashes: hashes)
        } else {
          let byte = bytes[position]
          if byte == UInt8(ascii: "(") { depth += 1 }
          if byte == UInt8(ascii: ")") {
            if untilClosing, depth == 0 { return }
            depth -= 1
          }
          out.append(byte)
          position += 1
        }
      }
    }

    mutating func blockComment() {
      var depth = 0
      while position < bytes.count {
        if sees("/*") {
          depth += 1
          position += 2
        } else if sees("*/") {
          depth -= 1
          position += 2
          if depth == 0 { return }
        } else {
          skip()
        }
      }
    }

    /// The number of `#` before a quote, if a string literal begins here.
    func literalAhead() -> Int? {
      var end = position
      while end < bytes.count, bytes[end] == UInt8(ascii: "#") { end += 1 }
      return end < bytes.count && bytes[end] == UInt8(ascii: "\"") ? end - position : nil
    }

    mutating func literal(hashes: Int) {
      position += hashes
      let quotes = sees("\"\"\"") ? 3 : 1
      position += quotes
      out.append(UInt8(ascii: "\""))
      let closing =
        Array(repeating: UInt8(ascii: "\""), count: quotes) + Array(repeating: UInt8(ascii: "#"), count: hashes)
      let escape = [UInt8(ascii: "\\")] + Array(repeating: UInt8(ascii: "#"), count: hashes)
      while position < bytes.count {
        if bytes[position...].starts(with: closing) {
          position += closing.count
          out.append(UInt8(ascii: "\""))
          return
        }
        if bytes[position...].starts(with: escape) {
          position += escape.count
          if position < bytes.count, bytes[position] == UInt8(ascii: "(") {
            position += 1
            out.append(UInt8(ascii: "("))
            code(untilClosing: true)
            out.append(UInt8(ascii: ")"))
          }
          skip()
        } else {
          // A literal of one line that is not closed is no Swift; do not swallow the rest of the file for it.
          if quotes == 1, bytes[position] == UInt8(ascii: "\n") { return }
          skip()
        }
      }
    }

    /// Passes one byte; lines stay lines.
    mutating func skip() {
      guard position < bytes.count else { return }
      if bytes[position] == UInt8(ascii: "\n") { out.append(UInt8(ascii: "\n")) }
      position += 1
    }
  }
}
