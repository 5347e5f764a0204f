// What a load sends and its reports do not repeat: the key, and the values of header lines. Servers like to tell what
// they were sent, and what they tell is printed, kept and shown to others.

/// Takes secrets out of what a server said.
struct Secrets {
  /// Longer ones first, or the rest of one would stay behind another that it begins with.
  private let words: [[UInt8]]

  init(_ settings: LoadSettings) {
    var words = settings.key.map { [$0] } ?? []
    for header in settings.headers {
      // `Bearer sk-…` may come back without its scheme.
      words += ([header.value] + header.value.split(separator: " ").map { String($0) }).filter {
        $0.utf8.count >= Self.headerBytesMin
      }
    }
    let all = words.flatMap { Self.forms($0) }.filter { !$0.isEmpty }
    self.words = Set(all).map { Array($0.utf8) }.sorted { $0.count > $1.count }
  }

  /// The first bytes of `said`, with `***` for each secret. One that the end of `said` cuts off counts as well.
  func hidden(in said: [UInt8], bytesMax: Int) -> String {
    var text: [UInt8] = []
    var rest = said[...]
    while let byte = rest.first, text.count < bytesMax {
      if let word = words.first(where: { rest.starts(with: $0) || isCut($0, rest) }) {
        text += Array("***".utf8)
        rest = rest.dropFirst(word.count)
      } else {
        text.append(byte)
        rest = rest.dropFirst()
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  private func isCut(_ word: [UInt8], _ rest: ArraySlice<UInt8>) -> Bool {
    rest.count < word.count && rest.count >= Self.cutBytesMin && word.starts(with: rest)
  }

  /// As it is, and as JSON may have it.
  private static func forms(_ word: String) -> [String] {
    let quoted = String(RequestText.quoted(word).dropFirst().dropLast())
    let slashes = quoted.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "\\/")
    return [word, quoted, slashes]
  }

  /// Shorter words of headers are no secrets, and hiding them would hide everything.
  private static let headerBytesMin = 8
  /// Fewer bytes of a secret say nothing.
  private static let cutBytesMin = 4
}
