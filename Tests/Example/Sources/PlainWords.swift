import Sluice

/// A dialect of one's own: errors are a line of text. A prefix or a listener speaks it with `dialect: plain_words`.
struct PlainWords: ConfigurablePlugin {
  struct Options: Codable, Sendable {
    let apology: String?
  }

  static let key = "plain_words"
  static var newDialects: [String] { ["plain_words"] }
  let options: Options
  init(options: Options) { self.options = options }

  var name: String { Self.key }
  var phases: Phases { .failed }
  var dialects: [String] { Self.newDialects }

  func failed(_ exchange: Exchange, _ failure: Failure) -> Reply? {
    let text = "\(failure.word.replacing("_", with: " "))\(options.apology.map { ". \($0)" } ?? "")\n"
    return Reply(status: failure.status, contentType: "text/plain", body: Array(text.utf8))
  }
}
