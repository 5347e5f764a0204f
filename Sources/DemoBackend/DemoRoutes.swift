// Which request gets which reply. Pure: a request and the settings in, a reply out.

/// The routes of the demo backend.
struct DemoRoutes {
  let settings: DemoSettings
  let startedAt: Int

  /// The reply to `request`.
  func reply(to request: DemoRequest, counters: DemoCounters) -> DemoReply {
    var switches = DemoSwitches(text: request.wishes)
    do throws(APIError) {
      var body: JSON?
      let handler = try handler(for: request)
      if handler.takesBody {
        body = try? JSONParser.parse(request.body)
        if let body { switches = switches.over(DemoSwitches(body: body)) }
      }
      if let status = switches.status { throw .asked(for: status) }
      var reply: DemoReply
      switch handler {
      case .generation(let kind): reply = try generate(kind, try Self.object(body), &switches)
      case .embeddings:
        let body = try Self.object(body)
        try checkModel(in: body)
        reply = DemoReply(try Embeddings(body, dimensions: settings.embeddingDimensions).whole)
      case .models: reply = DemoReply(["object": "list", "data": .array(settings.models.map { model($0) })])
      case .model(let name):
        guard knows(name) else { throw .unknownModel(name) }
        reply = DemoReply(model(name))
      case .health: reply = DemoReply(["status": "ok"])
      case .counters: reply = DemoReply(counters.json)
      }
      reply.switches = switches
      return reply
    } catch {
      return DemoReply(error: error, switches: switches)
    }
  }

  // MARK: Paths

  private enum Kind {
    case chat, completion, responses
  }

  private enum Handler {
    case generation(Kind)
    case embeddings, models, health, counters
    case model(String)

    var takesBody: Bool {
      switch self {
      case .generation, .embeddings: true
      case .models, .health, .counters, .model: false
      }
    }
  }

  private func handler(for request: DemoRequest) throws(APIError) -> Handler {
    guard let handler = Self.handler(at: request.path) else { throw .unknownURL(request.method, request.path) }
    let isAllowed = handler.takesBody ? request.method == "POST" : request.method == "GET" || request.method == "HEAD"
    guard isAllowed else { throw .wrongMethod(request.method, request.path) }
    return handler
  }

  private static func handler(at path: String) -> Handler? {
    switch path {
    case "/v1/chat/completions": return .generation(.chat)
    case "/v1/completions": return .generation(.completion)
    case "/v1/responses": return .generation(.responses)
    case "/v1/embeddings": return .embeddings
    case "/v1/models": return .models
    case "/health": return .health
    case "/demo/counters": return .counters
    default:
      // Names of models may have slashes, plain or encoded.
      let prefix = "/v1/models/"
      guard path.hasPrefix(prefix), path.utf8.count > prefix.utf8.count else { return nil }
      return .model(decodePercent(String(path.dropFirst(prefix.count))))
    }
  }

  /// `%2F` is a slash. What is no escape stays as it is.
  static func decodePercent(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var decoded: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
        let high = Character(Unicode.Scalar(bytes[index + 1])).hexDigitValue,
        let low = Character(Unicode.Scalar(bytes[index + 2])).hexDigitValue
      {
        decoded.append(UInt8(high << 4 | low))
        index += 3
      } else {
        decoded.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  // MARK: Models

  /// Longest model name in bytes: it is repeated in every event.
  private static let modelBytesMax = 1024

  private func knows(_ name: String) -> Bool {
    settings.models.isEmpty ? name.utf8.count <= Self.modelBytesMax : settings.models.contains(name)
  }

  private func model(_ name: String) -> JSON {
    ["id": .string(name), "object": "model", "created": .integer(startedAt), "owned_by": "sluice-demo"]
  }

  private func checkModel(in body: JSON) throws(APIError) {
    guard let value = body.present("model") else {
      throw APIError(status: 400, message: "you must provide a model parameter", param: "model")
    }
    let name = try value.requireText("model")
    guard knows(name) else { throw .unknownModel(String(name.prefix(200))) }
  }

  // MARK: Text

  private static func object(_ body: JSON?) throws(APIError) -> JSON {
    guard let body, body.members != nil else { throw .unreadableBody }
    return body
  }

  private func generate(_ kind: Kind, _ body: JSON, _ switches: inout DemoSwitches) throws(APIError) -> DemoReply {
    try checkModel(in: body)
    let created = DemoID.now()
    switch kind {
    case .chat:
      let chat = try Chat(body, switches: switches, created: created)
      return try reply(chat.generation, whole: { chat.whole }, script: chat, &switches)
    case .completion:
      let completion = try Completion(body, switches: switches, created: created)
      return try reply(completion.generation, whole: { completion.whole }, script: completion, &switches)
    case .responses:
      let answer = try ResponsesAnswer(body, switches: switches, created: created)
      return try reply(answer.generation, whole: { answer.whole }, script: answer, &switches)
    }
  }

  private func reply(
    _ generation: Generation, whole: () -> JSON, script: any EventScript, _ switches: inout DemoSwitches
  ) throws(APIError) -> DemoReply {
    // Now with what the message itself asks for.
    switches = generation.switches
    if let status = switches.status { throw .asked(for: status) }
    var reply = generation.stream ? DemoReply(events: script) : DemoReply(whole())
    reply.isGenerated = true
    return reply
  }
}
