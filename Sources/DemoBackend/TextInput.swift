// Inputs that may be a text, a list of texts, a list of tokens or a list of lists of tokens: prompts of completions and
// inputs of embeddings.

/// One input.
struct TextInput: Equatable {
  /// The text; tokens are written as numbers.
  let text: String
  /// What usage counts.
  let tokenCount: Int

  private init(text: String) {
    self.text = text
    tokenCount = Answer.wordCount(text)
  }

  /// Nil when not all of them are whole numbers.
  private init?(tokens: [JSON]) {
    let numbers = tokens.compactMap(\.integer)
    guard !tokens.isEmpty, numbers.count == tokens.count else { return nil }
    self.init(text: numbers.map { String($0) }.joined(separator: " "))
  }

  /// All inputs in `value`, at least one and at most `countMax`.
  static func list(_ value: JSON, name: String, countMax: Int) throws(APIError) -> [TextInput] {
    if let text = value.text { return [TextInput(text: text)] }
    let complaint = APIError.wrongType(name, expected: "a string or an array of strings or tokens", found: value)
    guard let elements = value.elements else { throw complaint }
    guard !elements.isEmpty else {
      throw APIError(status: 400, message: "Invalid '\(name)': empty array.", param: name, code: "empty_array")
    }
    if let tokens = TextInput(tokens: elements) { return [tokens] }
    guard elements.count <= countMax else {
      throw APIError(
        status: 400, message: "Invalid '\(name)': array too long. Expected an array with maximum length \(countMax).",
        param: name, code: "array_above_max_length")
    }
    var inputs: [TextInput] = []
    for element in elements {
      if let text = element.text {
        inputs.append(TextInput(text: text))
      } else if let tokens = element.elements, let input = TextInput(tokens: tokens) {
        inputs.append(input)
      } else {
        throw complaint
      }
    }
    return inputs
  }
}
