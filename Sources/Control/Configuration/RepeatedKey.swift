// A key that stands twice in one mapping. Yams stops there and tells only the first place, so the second one is looked
// for in the text, reported, and overwritten with a key that nobody has: then the rest of the file can still be read.

struct RepeatedKey {
  /// Where the key stands again.
  let place: Place
  private let lines: [[Unicode.Scalar]]
  private let count: Int

  /// The next `key` after `first` in the same block mapping; nil in flow style (`{a: 1, a: 2}`), where indentation says
  /// nothing.
  init?(_ key: String, first: Place, in text: String) {
    let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(Array.init)
    let spellings = [key, "\"\(key)\"", "'\(key)'"].map { Array($0.unicodeScalars) }
    guard !key.isEmpty, first.line >= 1, first.line < lines.count else { return nil }
    for number in first.line..<lines.count {
      let indentation = lines[number].prefix { $0 == " " }.count
      let content = lines[number].dropFirst(indentation)
      guard let start = content.first, start != "#", start != "\r" else { continue }
      if indentation < first.column - 1 { return nil }
      guard indentation == first.column - 1,
        let spelling = spellings.first(where: { content.starts(with: $0) }),
        content.dropFirst(spelling.count).drop(while: { $0 == " " }).first == ":"
      else { continue }
      place = Place(line: number + 1, column: first.column)
      count = spelling.count
      self.lines = lines
      return
    }
    return nil
  }

  /// The text with this key replaced by private-use characters, others for each `attempt`, and all places as before.
  func masked(with attempt: Int) -> String {
    let mask = Unicode.Scalar(UInt32(0xE000 + (attempt & 0xFFF))) ?? "?"
    var result = String.UnicodeScalarView()
    for (number, line) in lines.enumerated() {
      if number > 0 { result.append("\n") }
      guard number == place.line - 1 else {
        result.append(contentsOf: line)
        continue
      }
      result.append(contentsOf: line.prefix(place.column - 1))
      result.append(contentsOf: repeatElement(mask, count: count))
      result.append(contentsOf: line.dropFirst(place.column - 1 + count))
    }
    return String(result)
  }
}
