// POST /v1/completions, plain and streamed: the older API, with a text instead of messages and a list of prompts.

/// An answer of the completions API.
struct Completion: EventScript {
  let generation: Generation
  let id = DemoID.make("cmpl-")
  private let promptCount: Int

  init(_ body: JSON, switches: DemoSwitches, created: Int) throws(APIError) {
    let value = try body.required("prompt")
    let inputs = try TextInput.list(value, name: "prompt", countMax: 32)
    var prompt = Prompt()
    for input in inputs { prompt.add(input.text, isQuestion: true) }
    promptCount = inputs.count
    // As many words as a single prompt may ask for, over all of them.
    var asked = switches
    if let words = asked.words { asked.words = min(words, DemoSwitches.wordsMax / max(promptCount, 1)) }
    generation = try Generation(body, prompt: prompt, bounds: ["max_tokens"], switches: asked, created: created)
  }

  private var choiceCount: Int { promptCount * generation.choiceCount }

  // MARK: Plain

  var whole: JSON {
    let text = generation.answer.text
    let choices = (0..<choiceCount).map { index -> JSON in
      [
        "text": .string(text), "index": .integer(index), "logprobs": nil,
        "finish_reason": .string(generation.answer.finish.rawValue),
      ]
    }
    return .object(
      head + [
        JSON.Member(name: "choices", value: .array(choices)),
        JSON.Member(name: "usage", value: generation.usage(promptCount: promptCount)),
      ])
  }

  private var head: [JSON.Member] {
    [
      JSON.Member(name: "id", value: .string(id)),
      JSON.Member(name: "object", value: "text_completion"),
      JSON.Member(name: "created", value: .integer(generation.created)),
      JSON.Member(name: "model", value: .string(generation.model)),
      JSON.Member(name: "system_fingerprint", value: "fp_sluice_demo"),
    ]
  }

  // MARK: Streamed: words in turn, reasons, usage, [DONE]

  var eventCount: Int { choiceCount * (generation.answer.count + 1) + (generation.includeUsage ? 1 : 0) + 1 }

  func event(_ index: Int) -> ScriptedEvent {
    let (row, choice) = index.quotientAndRemainder(dividingBy: choiceCount)
    if row < generation.answer.count {
      return chunk(choice, text: generation.answer.piece(row), isWord: row > 0 && choice == 0)
    }
    if row == generation.answer.count {
      return chunk(choice, text: "", finish: .string(generation.answer.finish.rawValue))
    }
    guard generation.includeUsage, index < eventCount - 1 else { return .done }
    return ScriptedEvent(
      .object(
        head + [
          JSON.Member(name: "choices", value: []),
          JSON.Member(name: "usage", value: generation.usage(promptCount: promptCount)),
        ]))
  }

  func failure(_ error: APIError, at index: Int) -> ScriptedEvent { ScriptedEvent(error.envelope) }

  private func chunk(_ choice: Int, text: String, finish: JSON = nil, isWord: Bool = false) -> ScriptedEvent {
    var members = head
    members.append(
      JSON.Member(
        name: "choices",
        value: [["text": .string(text), "index": .integer(choice), "logprobs": nil, "finish_reason": finish]]))
    if generation.includeUsage { members.append(JSON.Member(name: "usage", value: nil)) }
    return ScriptedEvent(.object(members), isWord: isWord)
  }
}
