import Flow
import Testing

@testable import Gateway
@testable import Plugins

@Suite("The OpenAI dialect")
struct OpenAIDialectTests {
  static let hostilePath = "/v1/files/%22%0a;\"quoted\\"

  @Test("every failure has four members, in the words that clients know", arguments: FailureCase.every)
  func words(_ row: FailureCase) throws {
    let failure = Failure(.upstream, row.cause, detail: "127.0.0.1:8000 is our own business")
    try withExchange { exchange in
      let reply = try #require(OpenAIDialect().failed(exchange, failure))
      #expect(reply.status == row.status)
      let whole = try jsonObject(reply.body)
      #expect(Array(whole.keys) == ["error"])
      let error = try #require(whole["error"] as? [String: Any])
      #expect(Set(error.keys) == ["message", "type", "param", "code"])
      #expect(error["type"] as? String == row.type)
      #expect(error["param"] as? String == row.param)
      #expect(error["code"] as? String == row.code)
      let message = try #require(error["message"] as? String)
      #expect(message.contains(row.message))
      #expect(!string(reply.body).contains("127.0.0.1"), "detail is for the log")
    }
  }

  @Test("what is null is null, not missing and not a text")
  func nulls() throws {
    try withExchange { exchange in
      let words = ErrorWords(Failure(.downstream, .noKey), exchange)
      #expect(string(words.fullEnvelope()).hasSuffix(#","type":"invalid_request_error","param":null,"code":null}}"#))
    }
  }

  @Test("a hostile path stays inside the message", arguments: FailureCase.every)
  func hostilePath(_ row: FailureCase) throws {
    try withExchange { exchange in
      exchange.record.path = Array(Self.hostilePath.utf8) + [0xff, 0x0a, 0x00]
      let reply = try #require(OpenAIDialect().failed(exchange, Failure(.downstream, row.cause)))
      #expect(!reply.body.contains { $0 < 0x20 })
      let error = try #require(try jsonObject(reply.body)["error"] as? [String: Any])
      #expect(error.count == 4)
    }
  }

  @Test("a form that cannot be read is not called JSON")
  func form() throws {
    try withExchange { exchange in
      exchange.isForm = true
      let words = ErrorWords(Failure(.downstream, .unreadableBody), exchange)
      #expect(words.message == "We could not parse the form in the body of your request.")
    }
  }

  @Test("401 names the scheme, 405 the methods, and no other failure adds fields", arguments: FailureCase.every)
  func fields(_ row: FailureCase) throws {
    try withExchange { exchange in
      let reply = try #require(OpenAIDialect().failed(exchange, Failure(.downstream, row.cause)))
      let fields = reply.fields.map { "\($0.name): \($0.value)" }
      switch row.status {
      case 401: #expect(fields == ["WWW-Authenticate: Bearer realm=\"OpenAI API\""])
      case 405: #expect(fields == ["Allow: POST"])
      case 501: #expect(fields == ["x-should-retry: false"])
      case 503 where row.word != "draining": #expect(fields == ["x-should-retry: false"])
      default: #expect(fields.isEmpty)
      }
    }
  }

  // MARK: Streams

  /// The lines of an event, which must be one whole event and nothing else.
  static func event(_ bytes: [UInt8]) throws -> [String] {
    let text = string(bytes)
    #expect(text.hasSuffix("\n\n") && !text.dropLast(2).contains("\n\n"))
    #expect(!text.contains("[DONE]"))
    return text.split(separator: "\n").map(String.init)
  }

  @Test("a broken chat stream ends with one data line that holds the envelope", arguments: FailureCase.every)
  func chat(_ row: FailureCase) throws {
    try withExchange { exchange in
      let lines = try Self.event(try #require(OpenAIDialect().streamFailed(exchange, Failure(.upstream, row.cause))))
      #expect(lines.count == 1)
      let data = try #require(lines.first)
      #expect(data.hasPrefix("data: "))
      let error = try #require(try jsonObject(data.dropFirst(6).utf8)["error"] as? [String: Any])
      #expect(Set(error.keys) == ["message", "type", "param", "code"])
      #expect(error["code"] as? String == row.code)
    }
  }

  @Test("a broken Responses stream ends with an event of that API", arguments: FailureCase.every)
  func responses(_ row: FailureCase) throws {
    try withExchange("POST /v1/responses HTTP/1.1\r\nHost: a\r\n\r\n") { exchange in
      let lines = try Self.event(try #require(OpenAIDialect().streamFailed(exchange, Failure(.upstream, row.cause))))
      #expect(lines.count == 2 && lines.first == "event: error")
      let data = try #require(lines.last)
      let object = try jsonObject(data.dropFirst(6).utf8)
      #expect(Set(object.keys) == ["type", "code", "message", "param", "sequence_number"])
      #expect(object["type"] as? String == "error")
      #expect(object["code"] as? String == row.code)
    }
  }

  @Test("a broken Messages stream ends with Anthropic's event", arguments: FailureCase.every)
  func messages(_ row: FailureCase) throws {
    try withExchange("POST /v1/messages HTTP/1.1\r\nHost: a\r\n\r\n") { exchange in
      let lines = try Self.event(try #require(OpenAIDialect().streamFailed(exchange, Failure(.upstream, row.cause))))
      #expect(lines.count == 2 && lines.first == "event: error")
      let data = try #require(lines.last)
      let object = try jsonObject(data.dropFirst(6).utf8)
      #expect(object["type"] as? String == "error")
      let error = try #require(object["error"] as? [String: Any])
      #expect(error["type"] as? String == "api_error")
      #expect(error["message"] as? String == ErrorWords(Failure(.upstream, row.cause), exchange).message)
    }
  }

  // MARK: The limit's message

  @Test(
    "the wait in the message is the one until the next request",
    arguments: [(1, "1ms"), (599_000_001, "600ms"), (20_000_000_000, "20s")] as [(UInt64, String)])
  func wait(_ nanoseconds: UInt64, _ text: String) throws {
    let words = try Self.words(LimitReached(.requests(Self.rate(3)), of: .address, retryAfter: nanoseconds))
    #expect(
      words.message
        == "Rate limit reached for requests from your address: Limit 3 per minute. Please try again in \(text).")
    #expect(words.type == "requests" && words.code == "rate_limit_exceeded")
  }

  static func rate(_ count: Int, seconds: UInt64 = 60) -> Rate {
    Rate(count: count, perNanoseconds: seconds * 1_000_000_000, burst: count)
  }

  @Test(
    "a limit is told with its period",
    arguments: [
      (1, "7 per second"), (60, "7 per minute"), (3600, "7 per hour"), (86_400, "7 per day"), (90, "7 in 1m30s"),
    ]
      as [(UInt64, String)])
  func period(_ seconds: UInt64, _ text: String) throws {
    let reached = LimitReached(.requests(Self.rate(7, seconds: seconds)), of: .key, retryAfter: 1_000_000_000)
    #expect(try Self.words(reached).message.contains("Limit \(text)."))
  }

  static func words(_ reached: LimitReached) throws -> ErrorWords {
    try withExchange { ErrorWords(Failure(.downstream, .limited(reached)), $0) }
  }

  @Test("tokens and places have messages of their own, and what can never be let in says how it could be")
  func measures() throws {
    let wait = try Self.words(.init(.tokens(Self.rate(9), requested: 5), of: .key, retryAfter: 1_000_000_000))
    #expect(
      wait.message == "Rate limit reached for tokens with your API key: Limit 9 per minute, Requested 5. "
        + "Please try again in 1s.")
    #expect(wait.type == "tokens")
    let never = try Self.words(.init(.tokens(Self.rate(9), requested: 10), of: .everybody, retryAfter: nil))
    #expect(
      never.message == "Request too large for the tokens of all clients: Limit 9 per minute, Requested 10. "
        + "Lower max_tokens to run it.")
    let many = try Self.words(.init(.concurrent(4), of: .key, retryAfter: 1_000_000_000))
    #expect(
      many.message == "Too many requests with your API key at one time: Limit 4. Please try again when one has ended.")
  }
}
