// Ids as OpenAI's look: a prefix that says what it is, and random characters.

import Reactor

enum DemoID {
  private static let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)

  /// `prefix` and `length` random letters and digits, or as many hexadecimal digits.
  static func make(_ prefix: String, length: Int = 24, hexadecimal: Bool = false) -> String {
    let choices = hexadecimal ? alphabet[..<16] : alphabet[...]
    return prefix + String(decoding: (0..<length).map { _ in choices.randomElement() ?? 0x30 }, as: UTF8.self)
  }

  /// Seconds since 1970.
  static func now() -> Int { Int(clamping: Machine.wallClockNanoseconds() / 1_000_000_000) }
}
