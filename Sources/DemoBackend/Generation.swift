// What chat, completions and responses have in common: the members of the body that decide how much is said and how it
// is sent. Reading them is strict about types, as OpenAI is, and lenient about what it does not know.

/// The common part of a request for text.
struct Generation {
  let model: String
  let stream: Bool
  let includeUsage: Bool
  /// How many answers to each prompt.
  let choiceCount: Int
  let answer: Answer
  let promptTokens: Int
  let created: Int
  let switches: DemoSwitches

  /// Reads `body`. `bounds` are the members that bound the answer's length, the most specific one first.
  init(
    _ body: JSON, prompt: Prompt, bounds: [String], switches asked: DemoSwitches, created: Int
  ) throws(APIError) {
    model = try body.required("model").requireText("model")
    stream = try body.flag("stream") ?? false
    includeUsage = try body.object("stream_options")?.flag("include_usage") ?? false
    let choices = try body.integer("n", in: 1...Self.choicesMax) ?? 1
    choiceCount = choices
    var tokensMax: Int?
    for name in bounds where tokensMax == nil { tokensMax = try body.integer(name, in: 1...1_000_000_000) }
    promptTokens = prompt.wordCount
    self.created = created
    switches = asked.over(DemoSwitches(message: prompt.question))
    answer = Answer(
      question: prompt.question, words: switches.words.map { min($0, DemoSwitches.wordsMax / choices) },
      tokensMax: tokensMax, stop: try Self.stops(body["stop"]))
  }

  private static func stops(_ value: JSON?) throws(APIError) -> [String] {
    guard let value, !value.isNull else { return [] }
    if let text = value.text { return [text] }
    guard let elements = value.elements, elements.count <= 4, elements.allSatisfy({ $0.text != nil }) else {
      throw .wrongType("stop", expected: "a string or an array of at most 4 strings", found: value)
    }
    return elements.compactMap(\.text)
  }

  /// Tokens of all answers to `promptCount` prompts together.
  func completionTokens(promptCount: Int = 1) -> Int { answer.count * choiceCount * promptCount }

  /// `usage` of chat and completions.
  func usage(promptCount: Int = 1) -> JSON {
    let completion = completionTokens(promptCount: promptCount)
    return [
      "prompt_tokens": .integer(promptTokens), "completion_tokens": .integer(completion),
      "total_tokens": .integer(promptTokens + completion),
      "prompt_tokens_details": ["cached_tokens": 0],
      "completion_tokens_details": ["reasoning_tokens": 0],
    ]
  }

  private static let choicesMax = 128
}

/// What a request says to the model.
struct Prompt {
  /// The last thing the user said.
  var question = ""
  /// Words of everything that was said.
  var wordCount = 0

  mutating func add(_ text: String, isQuestion: Bool) {
    wordCount += Answer.wordCount(text)
    if isQuestion { question = text }
  }
}

// MARK: - Members of a body

extension JSON {
  /// The member with this name, unless it is null.
  func present(_ name: String) -> JSON? {
    guard let value = self[name], !value.isNull else { return nil }
    return value
  }

  func required(_ name: String) throws(APIError) -> JSON {
    guard let value = present(name) else { throw .missing(name) }
    return value
  }

  /// The text of this value, which is the member `name` of a body.
  func requireText(_ name: String) throws(APIError) -> String {
    guard let text else { throw .wrongType(name, expected: "a string", found: self) }
    return text
  }

  func flag(_ name: String) throws(APIError) -> Bool? {
    guard let value = present(name) else { return nil }
    guard let flag = value.flag else { throw .wrongType(name, expected: "a boolean", found: value) }
    return flag
  }

  func object(_ name: String) throws(APIError) -> JSON? {
    guard let value = present(name) else { return nil }
    guard value.members != nil else { throw .wrongType(name, expected: "an object", found: value) }
    return value
  }

  func integer(_ name: String, in range: ClosedRange<Int>) throws(APIError) -> Int? {
    guard let value = present(name) else { return nil }
    guard let integer = value.integer else { throw .wrongType(name, expected: "an integer", found: value) }
    guard range.contains(integer) else { throw .outOfRange(name, range, found: integer) }
    return integer
  }
}
