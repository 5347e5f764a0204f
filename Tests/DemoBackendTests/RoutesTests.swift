// Requests and replies as values: every route, every refusal.

import Testing

@testable import DemoBackend

@Suite("Routes")
struct RoutesTests {
  let routes = DemoRoutes(settings: DemoSettings(models: ["m", "org/m"]), startedAt: 1)

  func reply(_ method: String, _ path: String, _ body: String = "", wishes: String = "") -> DemoReply {
    let request = DemoRequest(method: method, path: path, wishes: wishes, body: Array(body.utf8))
    return routes.reply(to: request, counters: DemoCounters())
  }

  func json(_ reply: DemoReply) -> JSON {
    guard case .whole(let bytes) = reply.body else { return nil }
    return (try? JSONParser.parse(bytes)) ?? nil
  }

  func events(_ reply: DemoReply) -> [String] {
    guard case .events(let script) = reply.body else { return [] }
    return (0..<script.eventCount).map { String(decoding: script.event($0).bytes, as: UTF8.self) }
  }

  /// The data of each event as JSON; `[DONE]` is null.
  func data(_ reply: DemoReply) -> [JSON] {
    guard case .events(let script) = reply.body else { return [] }
    return (0..<script.eventCount).map { (try? JSONParser.parse(script.event($0).data)) ?? nil }
  }

  @Test("a chat answer has what the SDKs read")
  func chat() {
    let answer = json(
      reply(
        "POST", "/v1/chat/completions",
        #"{"model":"m","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"Grüße 👋"}],"n":2,"max_tokens":5}"#
      ))
    #expect(answer["object"] == "chat.completion")
    #expect(answer["choices"]?.elements?.count == 2)
    let choice = answer["choices"]?.elements?.last
    #expect(choice?["index"] == 1)
    #expect(choice?["finish_reason"] == "length")
    #expect(choice?["message"]?["content"] == "Hello! This is Sluice's demo")
    #expect(answer["usage"]?["prompt_tokens"] == 4)
    #expect(answer["usage"]?["completion_tokens"] == 10)
    #expect(answer["usage"]?["total_tokens"] == 14)
  }

  @Test("a streamed chat has roles, words, reasons, usage and [DONE], in this order")
  func chatStream() {
    let reply = reply(
      "POST", "/v1/chat/completions",
      #"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}],"n":2,"#
        + #""max_completion_tokens":3,"stream":true,"stream_options":{"include_usage":true}}"#)
    let lines = events(reply)
    #expect(lines.last == "data: [DONE]\n\n")
    #expect(lines.allSatisfy { $0.hasPrefix("data: ") && $0.hasSuffix("\n\n") && !$0.dropLast(2).contains("\n") })
    let data = data(reply).dropLast()
    #expect(data.count == 2 * (1 + 3 + 1) + 1)
    #expect(data.prefix(2).allSatisfy { $0["choices"]?.elements?.first?["delta"]?["role"] == "assistant" })
    #expect(data.dropLast().allSatisfy { $0["usage"] == JSON.null })
    #expect(data.last?["choices"] == [])
    #expect(data.last?["usage"]?["completion_tokens"] == 6)
    for index in 0..<2 {
      let own = data.compactMap { $0["choices"]?.elements?.first }.filter { $0["index"] == .integer(index) }
      #expect(own.compactMap { $0["delta"]?["content"]?.text }.joined() == "Hello! This is")
      #expect(own.last?["finish_reason"] == "length")
    }
    #expect(Set(data.compactMap { $0["id"]?.text }).count == 1)
  }

  @Test("without include_usage no chunk mentions usage")
  func noUsage() {
    let reply = reply(
      "POST", "/v1/chat/completions", #"{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}"#)
    #expect(data(reply).dropLast().allSatisfy { $0["usage"] == nil && $0["choices"]?.elements?.count == 1 })
  }

  @Test("completions answer each prompt, plain and streamed")
  func completions() {
    let plain = json(reply("POST", "/v1/completions", #"{"model":"m","prompt":["a b","c"],"n":2,"max_tokens":2}"#))
    #expect(plain["object"] == "text_completion")
    #expect(plain["choices"]?.elements?.compactMap { $0["index"]?.integer } == [0, 1, 2, 3])
    #expect(plain["usage"]?["prompt_tokens"] == 3)
    #expect(plain["usage"]?["completion_tokens"] == 8)
    let stream = reply(
      "POST", "/v1/completions",
      #"{"model":"m","prompt":[1,2,3],"stream":true,"max_tokens":2,"stream_options":{"include_usage":true}}"#)
    let chunks = data(stream)
    #expect(chunks.count == 2 + 1 + 1 + 1)
    #expect(chunks.compactMap { $0["choices"]?.elements?.first?["text"]?.text }.joined() == "Hello! This")
    #expect(chunks[3]["usage"]?["prompt_tokens"] == 3)
  }

  @Test("responses are answered plain, and streamed with numbered events")
  func responses() {
    let plain = json(reply("POST", "/v1/responses", #"{"model":"m","input":"hi","metadata":{"a":"b"}}"#))
    #expect(plain["status"] == "completed")
    #expect(plain["metadata"] == ["a": "b"])
    #expect(plain["output"]?.elements?.first?["content"]?.elements?.first?["text"]?.text?.contains("“hi”") == true)
    let stream = reply(
      "POST", "/v1/responses",
      #"{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"hi"}]}],"stream":true,"max_output_tokens":2}"#
    )
    let data = data(stream)
    #expect(data.compactMap { $0["sequence_number"]?.integer } == Array(0..<data.count))
    #expect(
      data.compactMap { $0["type"]?.text } == [
        "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
        "response.output_text.delta", "response.output_text.delta", "response.output_text.done",
        "response.content_part.done", "response.output_item.done", "response.incomplete",
      ])
    for (line, event) in zip(events(stream), data) { #expect(line.hasPrefix("event: \(event["type"]?.text ?? "?")\n")) }
  }

  @Test("embeddings come as floats by default, in base64 when asked, in the length asked")
  func embeddings() {
    let floats = json(reply("POST", "/v1/embeddings", #"{"model":"m","input":["a b","c"],"dimensions":3}"#))
    #expect(floats["data"]?.elements?.compactMap { $0["embedding"]?.elements?.count } == [3, 3])
    #expect(floats["usage"]?["total_tokens"] == 3)
    let encoded = json(
      reply("POST", "/v1/embeddings", #"{"model":"m","input":"a b","dimensions":3,"encoding_format":"base64"}"#))
    #expect(encoded["data"]?.elements?.first?["embedding"]?.text?.utf8.count == 16)
    for body in [
      #"{"model":"m","input":""}"#, #"{"model":"m","input":[]}"#, #"{"model":"m","input":[{}]}"#,
      #"{"model":"m","input":"a","dimensions":0}"#, #"{"model":"m","input":"a","encoding_format":"x"}"#,
    ] { #expect(reply("POST", "/v1/embeddings", body).status == 400) }
  }

  @Test("models are listed and found, also with slashes in their names")
  func models() {
    #expect(json(reply("GET", "/v1/models"))["data"]?.elements?.compactMap { $0["id"]?.text } == ["m", "org/m"])
    #expect(json(reply("GET", "/v1/models/org/m"))["id"] == "org/m")
    #expect(json(reply("GET", "/v1/models/org%2Fm"))["id"] == "org/m")
    #expect(reply("HEAD", "/v1/models").status == 200)
    #expect(reply("GET", "/v1/models/x").status == 404)
    #expect(reply("GET", "/v1/models/").status == 404)
  }

  @Test(
    "mistakes get OpenAI's envelope",
    arguments: [
      ("POST", "/v1/chat/completions", "", 400, JSON.null, JSON.null),
      ("POST", "/v1/chat/completions", "{", 400, nil, nil), ("POST", "/v1/chat/completions", "[]", 400, nil, nil),
      ("POST", "/v1/chat/completions", "{}", 400, "model", nil),
      ("POST", "/v1/chat/completions", #"{"model":1}"#, 400, "model", "invalid_type"),
      ("POST", "/v1/chat/completions", #"{"model":"x","messages":[]}"#, 404, "model", "model_not_found"),
      ("POST", "/v1/chat/completions", #"{"model":"m"}"#, 400, "messages", "missing_required_parameter"),
      ("POST", "/v1/chat/completions", #"{"model":"m","messages":{}}"#, 400, "messages", "invalid_type"),
      ("POST", "/v1/chat/completions", #"{"model":"m","messages":[1]}"#, 400, "messages[0]", "invalid_type"),
      (
        "POST", "/v1/chat/completions", #"{"model":"m","messages":[{"role":"user"}],"stream":"yes"}"#, 400, "stream",
        "invalid_type"
      ),
      (
        "POST", "/v1/chat/completions", #"{"model":"m","messages":[{"role":"user"}],"max_tokens":0}"#, 400,
        "max_tokens",
        "integer_below_min_value"
      ),
      (
        "POST", "/v1/chat/completions", #"{"model":"m","messages":[{"role":"user"}],"n":1e9}"#, 400, "n",
        "integer_above_max_value"
      ),
      ("POST", "/v1/responses", #"{"model":"m","input":1}"#, 400, "input", "invalid_type"),
      ("GET", "/v1/chat/completions", "", 405, nil, "method_not_supported"),
      ("POST", "/v1/models", "", 405, nil, "method_not_supported"), ("GET", "/", "", 404, nil, nil),
      ("POST", "/v1/nothing", "{}", 404, nil, nil),
    ])
  func mistakes(method: String, path: String, body: String, status: Int, param: JSON, code: JSON) {
    let reply = reply(method, path, body)
    #expect(reply.status == status)
    let error = json(reply)["error"]
    #expect(error?.members?.map(\.name) == ["message", "type", "param", "code"])
    #expect(error?["type"] == "invalid_request_error")
    #expect(error?["param"] == param)
    #expect(error?["code"] == code)
  }

  @Test("a status can be asked for by header, body and message")
  func asked() {
    let chat = "/v1/chat/completions"
    let busy = reply("POST", chat, "not even JSON", wishes: "status=503,retry=7")
    #expect(busy.status == 503)
    #expect(busy.fields.contains { $0 == ("retry-after", "7") })
    let plain = #"{"model":"m","messages":[{"role":"user","content":"hi [demo status=418]"}]}"#
    #expect(reply("POST", chat, plain).status == 418)
    #expect(reply("POST", chat, #"{"model":"m","demo":{"status":429}}"#).status == 429)
    #expect(reply("GET", "/v1/models", wishes: "status=500").status == 500)
  }

  @Test("with no list of models every name is answered, unless it is absurd")
  func anyModel() {
    let routes = DemoRoutes(settings: DemoSettings(models: []), startedAt: 1)
    func status(_ name: String) -> Int {
      let body = JSON.object([.init(name: "model", value: .string(name)), .init(name: "input", value: "a")]).bytes
      let request = DemoRequest(method: "POST", path: "/v1/embeddings", body: body)
      return routes.reply(to: request, counters: DemoCounters()).status
    }
    #expect(status("anything") == 200)
    #expect(status(String(repeating: "x", count: 2000)) == 404)
  }
}
