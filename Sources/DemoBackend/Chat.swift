// POST /v1/chat/completions, plain and streamed.

/// An answer of the chat API.
struct Chat: EventScript {
  let generation: Generation
  let id = DemoID.make("chatcmpl-")

  init(_ body: JSON, switches: DemoSwitches, created: Int) throws(APIError) {
    let messages = try body.required("messages")
    guard let elements = messages.elements else {
      throw .wrongType("messages", expected: "an array of objects", found: messages)
    }
    guard !elements.isEmpty else {
      throw APIError(
        status: 400, message: "Invalid 'messages': empty array. Expected an array with minimum length 1.",
        param: "messages", code: "empty_array")
    }
    var prompt = Prompt()
    for (index, message) in elements.enumerated() {
      guard message.members != nil else {
        throw .wrongType("messages[\(index)]", expected: "an object", found: message)
      }
      let role = try message.required("role").requireText("messages[\(index)].role")
      prompt.add(Self.text(of: message["content"]), isQuestion: role == "user")
    }
    generation = try Generation(
      body, prompt: prompt, bounds: ["max_completion_tokens", "max_tokens"], switches: switches, created: created)
  }

  /// Text of a message: a string, or the text parts of a list. Images and sounds are not looked at.
  static func text(of content: JSON?) -> String {
    if let text = content?.text { return text }
    return (content?.elements ?? []).compactMap { $0["text"]?.text }.joined(separator: "\n")
  }

  // MARK: Plain

  var whole: JSON {
    let text = generation.answer.text
    let choices = (0..<generation.choiceCount).map { index -> JSON in
      [
        "index": .integer(index),
        "message": ["role": "assistant", "content": .string(text), "refusal": nil, "annotations": []],
        "logprobs": nil, "finish_reason": .string(generation.answer.finish.rawValue),
      ]
    }
    return [
      "id": .string(id), "object": "chat.completion", "created": .integer(generation.created),
      "model": .string(generation.model), "choices": .array(choices), "usage": generation.usage(),
      "service_tier": "default", "system_fingerprint": "fp_sluice_demo",
    ]
  }

  // MARK: Streamed: roles, words in turn, reasons, usage, [DONE]

  var eventCount: Int {
    generation.choiceCount * (generation.answer.count + 2) + (generation.includeUsage ? 1 : 0) + 1
  }

  func event(_ index: Int) -> ScriptedEvent {
    let choices = generation.choiceCount
    let words = generation.answer.count
    let (row, choice) = index.quotientAndRemainder(dividingBy: choices)
    if row == 0 {
      return chunk(choice, delta: ["role": "assistant", "content": "", "refusal": nil])
    }
    if row <= words {
      return chunk(
        choice, delta: ["content": .string(generation.answer.piece(row - 1))], isWord: row > 1 && choice == 0)
    }
    if row == words + 1 {
      return chunk(choice, delta: [:], finish: .string(generation.answer.finish.rawValue))
    }
    guard generation.includeUsage, index < eventCount - 1 else { return .done }
    return ScriptedEvent(chunk(choices: [], usage: generation.usage()))
  }

  func failure(_ error: APIError, at index: Int) -> ScriptedEvent { ScriptedEvent(error.envelope) }

  private func chunk(_ choice: Int, delta: JSON, finish: JSON = nil, isWord: Bool = false) -> ScriptedEvent {
    let choices: JSON = [
      ["index": .integer(choice), "delta": delta, "logprobs": nil, "finish_reason": finish]
    ]
    return ScriptedEvent(chunk(choices: choices, usage: nil), isWord: isWord)
  }

  private func chunk(choices: JSON, usage: JSON) -> JSON {
    var members: [JSON.Member] = [
      JSON.Member(name: "id", value: .string(id)),
      JSON.Member(name: "object", value: "chat.completion.chunk"),
      JSON.Member(name: "created", value: .integer(generation.created)),
      JSON.Member(name: "model", value: .string(generation.model)),
      JSON.Member(name: "service_tier", value: "default"),
      JSON.Member(name: "system_fingerprint", value: "fp_sluice_demo"),
      JSON.Member(name: "choices", value: choices),
    ]
    // Who asked for usage gets the member in every chunk, null until the last.
    if generation.includeUsage { members.append(JSON.Member(name: "usage", value: usage)) }
    return .object(members)
  }
}
