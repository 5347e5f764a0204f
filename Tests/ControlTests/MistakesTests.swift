// Every mistake a file can have, with the exact words an operator reads. The tables are in Mistakes+*.swift.

import Testing

@testable import Control

/// A text and what is said about it.
struct Mistake: Sendable, CustomTestStringConvertible {
  var claim: String
  var text: String
  var environment: [String: String]
  var expected: [String]

  /// `text` stands below `smallest`, less its line that begins with `without`, or `alone`.
  init(
    _ claim: String, without key: String = "", alone: Bool = false, environment: [String: String] = [:],
    _ text: String, _ expected: [String]
  ) {
    self.claim = claim
    self.text = alone ? text : (key.isEmpty ? smallest : smallest(without: key)) + text
    self.environment = environment
    self.expected = expected
  }

  var testDescription: String { claim }
}

@Suite("A mistake is told with its place, what was found, what was expected and how to mend it")
struct MistakesTests {
  @Test("about the file", arguments: fileMistakes)
  func file(_ mistake: Mistake) { check(mistake) }

  @Test("about values", arguments: valuesMistakes)
  func values(_ mistake: Mistake) { check(mistake) }

  @Test("about listeners, keys and limits", arguments: accessMistakes)
  func access(_ mistake: Mistake) { check(mistake) }

  @Test("about tokens and a service that is asked", arguments: tokenMistakes)
  func tokens(_ mistake: Mistake) { check(mistake) }

  @Test("about clusters", arguments: upstreamMistakes)
  func upstream(_ mistake: Mistake) { check(mistake) }

  @Test("about models and the rest", arguments: routingMistakes)
  func routing(_ mistake: Mistake) { check(mistake) }

  @Test("and no message ever holds a secret")
  func secrets() {
    for mistake in fileMistakes + valuesMistakes + accessMistakes + upstreamMistakes + routingMistakes {
      let words = mistakes(mistake.text, mistake.environment).joined()
      #expect(!words.contains("secret"), "\(mistake.claim): \(words)")
    }
    // There a key is called so.
    for mistake in tokenMistakes {
      let words = mistakes(mistake.text, mistake.environment).joined()
      #expect(!words.contains("hidden"), "\(mistake.claim): \(words)")
    }
  }

  @Test("all at once, in the file's order")
  func together() {
    let found = mistakes(
      """
      listeners: [{ address: nowhere }]
      client: { head_seconds: ten, body_bytes_max: huge }
      auth: { keys: [{ name: a }] }
      clusters: { local: { endpoints: [nowhere] } }
      models: { m: { cluster: other } }
      """)
    #expect(found.count == 6)
    #expect(
      found.map { $0.prefix(9) } == ["t.yaml:1:", "t.yaml:2:", "t.yaml:2:", "t.yaml:3:", "t.yaml:4:", "t.yaml:5:"])
  }

  private func check(_ mistake: Mistake) {
    #expect(mistakes(mistake.text, mistake.environment) == mistake.expected)
  }
}
