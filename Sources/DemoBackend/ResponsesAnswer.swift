// POST /v1/responses, plain and streamed. A stream of this API has named events with sequence numbers and no [DONE].
//
//   created ─▶ in_progress ─▶ output_item.added ─▶ content_part.added ─▶ output_text.delta …
//     ─▶ output_text.done ─▶ content_part.done ─▶ output_item.done ─▶ completed | incomplete

/// An answer of the responses API.
struct ResponsesAnswer: EventScript {
  let generation: Generation
  let id = DemoID.make("resp_", length: 48, hexadecimal: true)
  private let itemID = DemoID.make("msg_", length: 48, hexadecimal: true)
  private let body: JSON

  init(_ body: JSON, switches: DemoSwitches, created: Int) throws(APIError) {
    var prompt = Prompt()
    if let instructions = body["instructions"]?.text { prompt.add(instructions, isQuestion: false) }
    let input = try body.required("input")
    if let text = input.text {
      prompt.add(text, isQuestion: true)
    } else if let items = input.elements {
      for item in items {
        prompt.add(Chat.text(of: item["content"]), isQuestion: item["role"]?.text == "user")
      }
    } else {
      throw .wrongType("input", expected: "a string or an array of items", found: input)
    }
    generation = try Generation(
      body, prompt: prompt, bounds: ["max_output_tokens"], switches: switches, created: created)
    self.body = body
  }

  private var isCut: Bool { generation.answer.finish == .length }
  private var end: String { isCut ? "incomplete" : "completed" }

  private func part(_ text: String) -> JSON {
    ["type": "output_text", "annotations": [], "logprobs": [], "text": .string(text)]
  }

  private func item(_ status: String, _ content: [JSON]) -> JSON {
    [
      "id": .string(itemID), "type": "message", "status": .string(status), "content": .array(content),
      "role": "assistant",
    ]
  }

  var whole: JSON { response(end, output: [item(end, [part(generation.answer.text)])]) }

  /// The response object. What the request set comes back as it was; the rest has OpenAI's defaults.
  private func response(_ status: String, output: [JSON]) -> JSON {
    let isOver = status == end
    let tokens = generation.answer.count
    let usage: JSON = [
      "input_tokens": .integer(generation.promptTokens), "input_tokens_details": ["cached_tokens": 0],
      "output_tokens": .integer(tokens), "output_tokens_details": ["reasoning_tokens": 0],
      "total_tokens": .integer(generation.promptTokens + tokens),
    ]
    return [
      "id": .string(id), "object": "response", "created_at": .integer(generation.created),
      "status": .string(status), "background": false, "error": nil,
      "incomplete_details": isOver && isCut ? ["reason": "max_output_tokens"] : nil,
      "instructions": body["instructions"] ?? nil, "max_output_tokens": body["max_output_tokens"] ?? nil,
      "model": .string(generation.model), "output": .array(output), "parallel_tool_calls": true,
      "previous_response_id": nil, "reasoning": ["effort": nil, "summary": nil], "store": false,
      "temperature": body.present("temperature") ?? 1, "text": ["format": ["type": "text"]],
      "tool_choice": "auto", "tools": [], "top_p": body.present("top_p") ?? 1, "truncation": "disabled",
      "usage": isOver ? usage : nil, "user": nil, "metadata": body.present("metadata") ?? [:],
    ]
  }

  // MARK: Streamed

  var eventCount: Int { generation.answer.count + 8 }

  func event(_ index: Int) -> ScriptedEvent {
    let words = generation.answer.count
    switch index {
    case 0: return named("response.created", index, ["response": response("in_progress", output: [])])
    case 1: return named("response.in_progress", index, ["response": response("in_progress", output: [])])
    case 2: return named("response.output_item.added", index, ["output_index": 0, "item": item("in_progress", [])])
    case 3: return named("response.content_part.added", index, place + [("part", part(""))])
    case 4..<(4 + words):
      let delta = JSON.string(generation.answer.piece(index - 4))
      return named(
        "response.output_text.delta", index, place + [("delta", delta), ("logprobs", [])], isWord: index > 4)
    case 4 + words:
      let text = JSON.string(generation.answer.text)
      return named("response.output_text.done", index, place + [("text", text), ("logprobs", [])])
    case 5 + words:
      return named("response.content_part.done", index, place + [("part", part(generation.answer.text))])
    case 6 + words:
      return named(
        "response.output_item.done", index, ["output_index": 0, "item": item(end, [part(generation.answer.text)])])
    default:
      return named("response.\(end)", index, ["response": whole])
    }
  }

  func failure(_ error: APIError, at index: Int) -> ScriptedEvent {
    named(
      "error", index,
      ["code": .string(error.code ?? error.type), "message": .string(error.message), "param": .optional(error.param)])
  }

  private var place: [(String, JSON)] {
    [("item_id", .string(itemID)), ("output_index", 0), ("content_index", 0)]
  }

  private func named(
    _ name: String, _ index: Int, _ members: KeyValuePairs<String, JSON>, isWord: Bool = false
  ) -> ScriptedEvent {
    named(name, index, members.map { ($0.key, $0.value) }, isWord: isWord)
  }

  private func named(_ name: String, _ index: Int, _ members: [(String, JSON)], isWord: Bool = false) -> ScriptedEvent {
    let first: [(String, JSON)] = [("type", .string(name)), ("sequence_number", .integer(index))]
    return ScriptedEvent(
      name: name, .object((first + members).map { JSON.Member(name: $0.0, value: $0.1) }), isWord: isWord)
  }
}
