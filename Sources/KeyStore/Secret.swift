// Secrets of keys and sessions: how they are made, and how they are told from other texts without looking.

import Plugins
import Reactor

/// A text that only its holder has: `mp_live_` or `mp_sess_`, and 40 random letters and digits (238 bits).
enum Secret {
  static let keyPrefix = "mp_live_"
  static let sessionPrefix = "mp_sess_"
  static let randomCount = 40
  /// Characters of a hint.
  static let hintCount = 12

  static func make(_ kind: StoredKey.Kind) -> String {
    prefix(kind) + random(randomCount, of: letters)
  }

  static func makeID(_ kind: StoredKey.Kind) -> String {
    (kind == .key ? "key_" : "ses_") + random(16, of: Array("abcdefghijklmnopqrstuvwxyz234567".utf8))
  }

  static func hint(_ secret: String) -> String { String(secret.prefix(hintCount)) }

  /// Whether `bytes`, shown as `kind`, has the form of a secret of this store.
  static func hasForm(_ kind: Credential.Kind, _ bytes: UnsafeRawBufferPointer) -> Bool {
    let prefix = kind == .session ? sessionPrefix : keyPrefix
    return bytes.count == prefix.utf8.count + randomCount && bytes.starts(with: prefix.utf8)
      && bytes.dropFirst(prefix.utf8.count).allSatisfy(isLetter)
  }

  private static func prefix(_ kind: StoredKey.Kind) -> String { kind == .key ? keyPrefix : sessionPrefix }

  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

  private static func isLetter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    default: false
    }
  }

  /// `count` characters of `alphabet`, each as likely as any other: random bytes beyond the last whole multiple of its
  /// size are thrown away, which a remainder alone would favour the first characters with.
  private static func random(_ count: Int, of alphabet: [UInt8]) -> String {
    let bound = 256 - 256 % alphabet.count
    var out: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 64)
    while out.count < count {
      room.withUnsafeMutableBytes { Machine.entropy(into: $0) }
      for byte in room where Int(byte) < bound && out.count < count {
        out.append(alphabet[Int(byte) % alphabet.count])
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
