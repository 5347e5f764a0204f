// The table of `sluice keys list`: one line for each key, columns as wide as what is in them.

import KeyStore

enum KeyList {
  static func table(_ keys: [StoredKey], _ now: Int) -> String {
    var rows = [["ID", "NAME", "KEY", "STATE", "PERMISSIONS", "MODELS", "ACCOUNT", "CREATED", "EXPIRES"]]
    rows += keys.map { key in
      [
        key.id, shown(key.name), "\(shown(key.hint))...", key.status(at: now).rawValue,
        key.permissions.words.joined(separator: ","), shown(key.models?.joined(separator: ",") ?? "all"),
        shown(key.account ?? "-"), KeyTime.text(key.createdAt), key.expiresAt.map(KeyTime.text) ?? "never",
      ]
    }
    let widths = (rows.first ?? []).indices.map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = ""
      for (text, width) in zip(row, widths) {
        line += text + String(repeating: " ", count: max(0, width - text.count) + 2)
      }
      while line.last == " " { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }

  /// Whatever stands in the store must not move the terminal's cursor.
  private static func shown(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.isControl ? "?" : $0 }))
  }
}
