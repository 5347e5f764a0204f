// What the demo backend says: friendly words around the question, cut into the pieces a model would send one by one. A
// piece counts as a token.

/// The text of one answer.
struct Answer: Equatable {
  /// Why an answer ends.
  enum Finish: String {
    /// The text is over, or a stop sequence came.
    case stop
    /// The request's bound on tokens was reached.
    case length
  }

  /// How many pieces there are.
  let count: Int
  /// Why there are no more.
  let finish: Finish
  private let pieces: [String]

  /// - Parameters:
  ///   - question: what the user asked last.
  ///   - words: length of the answer in words; nil for its natural length.
  ///   - tokensMax: bound the request sets.
  ///   - stop: sequences that end the answer, and are not part of it.
  init(question: String, words: Int? = nil, tokensMax: Int? = nil, stop: [String] = []) {
    let pieces = Self.pieces(of: Self.text(question))
    let wanted = min(max(words ?? pieces.count, 1), DemoSwitches.wordsMax)
    let stop = stop.filter { !$0.isEmpty }
    if stop.isEmpty {
      self.pieces = pieces
      count = min(wanted, max(tokensMax ?? wanted, 0))
      finish = count < wanted ? .length : .stop
    } else {
      // A stop sequence may lie across pieces: only here is the whole text put together.
      let whole = (0..<wanted).lazy.map { Self.piece($0, of: pieces) }.joined()
      let kept = Self.pieces(of: Self.cut(String(whole), before: stop))
      self.pieces = kept
      count = min(kept.count, max(tokensMax ?? kept.count, 0))
      finish = count < kept.count ? .length : .stop
    }
  }

  /// The piece at `index`; longer answers say the same again.
  func piece(_ index: Int) -> String { Self.piece(index, of: pieces) }

  /// All pieces.
  var text: String { (0..<count).lazy.map { piece($0) }.joined() }

  private static func piece(_ index: Int, of pieces: [String]) -> String {
    guard !pieces.isEmpty, index >= 0 else { return "" }
    let piece = pieces[index % pieces.count]
    return index > 0 && index % pieces.count == 0 ? " " + piece : piece
  }

  private static func text(_ question: String) -> String {
    let trimmed = quote(question)
    let start = "Hello! This is Sluice's demo backend: a real HTTP server behind the gateway, but no model and no GPU. "
    let end =
      "A real model would answer that; I only send these words, one by one, so that you can watch the stream arrive. "
      + "Point a cluster of the configuration at a backend of your own, and your client stays as it is."
    guard !trimmed.isEmpty else { return start + "You did not ask anything. " + end }
    return start + "You said: “" + trimmed + "” " + end
  }

  /// The question without white space around it, cut where it would be tedious. Characters and scalars are both bounded,
  /// because one character may be made of any number of scalars.
  private static func quote(_ question: String) -> String {
    let scalars = question.unicodeScalars.drop(while: \.properties.isWhitespace)
    let bounded = String(scalars.prefix(4 * quoteMax))
    var quoted = String(bounded.prefix(quoteMax))
    let isCut = quoted.utf8.count < bounded.utf8.count || scalars.dropFirst(4 * quoteMax).first != nil
    while quoted.last?.isWhitespace == true { quoted.removeLast() }
    return isCut ? quoted + "…" : quoted
  }

  /// Words with the white space in front of them. A run without white space, as some scripts write, is cut as well.
  static func pieces(of text: String) -> [String] {
    var pieces: [String] = []
    var piece = ""
    var hasWord = false
    var length = 0
    for character in text {
      let isSpace = character.isWhitespace
      if hasWord && (isSpace || length >= pieceMax) || length >= 4 * pieceMax {
        pieces.append(piece)
        piece = ""
        hasWord = false
        length = 0
      }
      piece.append(character)
      length += 1
      if !isSpace { hasWord = true }
    }
    if !piece.isEmpty { pieces.append(piece) }
    return pieces
  }

  /// Words of a prompt, which is what usage counts.
  static func wordCount(_ text: String) -> Int {
    var count = 0
    var inWord = false
    for byte in text.utf8 {
      let isSpace = byte == 0x20 || byte &- 9 < 5
      if !isSpace, !inWord { count += 1 }
      inWord = !isSpace
    }
    return count
  }

  private static func cut(_ text: String, before stops: [String]) -> String {
    let bytes = Array(text.utf8)
    var end = bytes.count
    for stop in stops {
      let wanted = Array(stop.utf8)
      guard wanted.count <= end else { continue }
      for start in 0...(end - wanted.count) where bytes[start..<(start + wanted.count)].elementsEqual(wanted) {
        end = start
        break
      }
    }
    return String(decoding: bytes[..<end], as: UTF8.self)
  }

  private static let quoteMax = 400
  private static let pieceMax = 24
}
