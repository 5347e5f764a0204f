import Testing

@testable import Gateway
@testable import Plugins

@Suite("The model catalog")
struct ModelCatalogTests {
  static let cluster = AccessLineTests.cluster("local")
  static let fallback = AccessLineTests.cluster("fallback")
  static let models = [
    CatalogModel(name: "gpt", cluster: cluster, created: 1_700_000_000, ownedBy: "local"),
    CatalogModel(
      name: "Qwen/Qwen2.5", cluster: cluster, identifier: "q", ownedBy: "a\"b"),
  ]

  static func catalog(
    _ models: [CatalogModel] = models, fallback: Cluster? = nil, forwardsUnknown: Bool = false
  ) -> ModelCatalog {
    ModelCatalog(models: models, fallback: fallback, forwardsUnknown: forwardsUnknown)
  }

  static func asked(_ catalog: ModelCatalog, _ method: String, _ path: String) throws -> Said {
    try withExchange("\(method) \(path) HTTP/1.1\r\nHost: a\r\n\r\n") { Said(catalog.request($0)) }
  }

  // MARK: The list

  @Test("the list is OpenAI's list object: every model in the order of the file, four members each")
  func list() throws {
    guard case .reply(200, let body) = try Self.asked(Self.catalog(), "GET", "/v1/models") else {
      Issue.record("no list")
      return
    }
    let list = try jsonObject(body.utf8)
    #expect(Set(list.keys) == ["object", "data"])
    #expect(list["object"] as? String == "list")
    let data = try #require(list["data"] as? [[String: Any]])
    #expect(data.map { $0["id"] as? String } == ["gpt", "Qwen/Qwen2.5"])
    for model in data {
      #expect(Set(model.keys) == ["id", "object", "created", "owned_by"])
      #expect(model["object"] as? String == "model")
    }
    #expect(data[0]["created"] as? Int == 1_700_000_000)
    #expect(data[1]["owned_by"] as? String == "a\"b")
  }

  @Test("a list without models is a list")
  func emptyList() throws {
    #expect(try Self.asked(Self.catalog([]), "GET", "/v1/models") == .reply(200, #"{"object":"list","data":[]}"#))
  }

  @Test("one model is the same object, whichever way its slash was written")
  func model() throws {
    for path in ["/v1/models/Qwen/Qwen2.5", "/v1/models/Qwen%2FQwen2.5"] {
      let said = try Self.asked(Self.catalog(), "GET", path)
      #expect(said == .reply(200, #"{"id":"Qwen/Qwen2.5","object":"model","created":0,"owned_by":"a\"b"}"#))
    }
    #expect(try Self.asked(Self.catalog(), "GET", "/v1/models/no") == .fail(404, "unknown_model"))
  }

  @Test("without models of its own the gateway asks its backend for them")
  func backendsList() throws {
    let catalog = Self.catalog([], fallback: Self.fallback, forwardsUnknown: true)
    #expect(try Self.asked(catalog, "GET", "/v1/models") == .pass)
    #expect(try Self.asked(catalog, "GET", "/v1/models/any") == .pass)
  }

  @Test(
    "a method that a path does not know is told so",
    arguments: [
      ("GET", "/v1/chat/completions"), ("PUT", "/v1/embeddings"), ("DELETE", "/v1/models/gpt"), ("POST", "/v1/models"),
    ])
  func methods(_ method: String, _ path: String) throws {
    #expect(try Self.asked(Self.catalog(), method, path) == .fail(405, "method_not_allowed"))
  }

  @Test("a first model of a name counts, a second of the same name does not trap")
  func twice() throws {
    let twin = CatalogModel(name: "gpt", cluster: Self.fallback, created: 1, ownedBy: "b")
    let routed = try Self.routed(Self.catalog(Self.models + [twin]), model: "gpt")
    #expect(routed.cluster == "local")
  }

  // MARK: Routing

  static func routed(
    _ catalog: ModelCatalog, model: String?, path: String = "/v1/chat/completions", method: String = "POST"
  ) throws -> (said: Said, cluster: String?, upstream: String?) {
    try withExchange("\(method) \(path) HTTP/1.1\r\nHost: a\r\n\r\n") { exchange in
      exchange.members.model = model
      let said = Said(catalog.route(exchange))
      #expect(exchange.record.model == model, "the log has the model as the client named it")
      return (said, exchange.destination?.cluster.name, exchange.destination?.upstreamModel)
    }
  }

  @Test("a known model goes to its cluster, under the name it has there")
  func known() throws {
    #expect(try Self.routed(Self.catalog(), model: "gpt") == (.pass, "local", nil))
    #expect(try Self.routed(Self.catalog(), model: "Qwen/Qwen2.5") == (.pass, "local", "q"))
    #expect(try Self.routed(Self.catalog(), model: "gpt", path: "/v1/files") == (.pass, "local", nil))
  }

  @Test("an unknown model is 404, or goes to the default cluster where the file says so")
  func unknown() throws {
    #expect(try Self.routed(Self.catalog(), model: "no") == (.fail(404, "unknown_model"), nil, nil))
    #expect(
      try Self.routed(Self.catalog(fallback: Self.fallback), model: "no") == (.fail(404, "unknown_model"), nil, nil))
    let forwards = Self.catalog(fallback: Self.fallback, forwardsUnknown: true)
    #expect(try Self.routed(forwards, model: "no") == (.pass, "fallback", nil))
    #expect(try Self.routed(forwards, model: "GPT") == (.pass, "fallback", nil), "names are case-sensitive")
  }

  @Test("no model is 400 where the API has no default, and goes to the default cluster where it has")
  func missing() throws {
    let catalog = Self.catalog(fallback: Self.fallback)
    #expect(try Self.routed(catalog, model: nil) == (.fail(400, "missing_model"), nil, nil))
    #expect(try Self.routed(catalog, model: nil, path: "/v1/moderations") == (.pass, "fallback", nil))
    #expect(
      try Self.routed(Self.catalog(), model: nil, path: "/v1/moderations") == (.fail(400, "missing_model"), nil, nil))
  }

  @Test("every other path goes to the default cluster, and is no path without one")
  func others() throws {
    #expect(
      try Self.routed(Self.catalog(fallback: Self.fallback), model: nil, path: "/v1/files") == (.pass, "fallback", nil))
    #expect(try Self.routed(Self.catalog(), model: nil, path: "/v1/files") == (.fail(404, "unknown_path"), nil, nil))
    #expect(
      try Self.routed(Self.catalog(fallback: Self.fallback), model: nil, path: "/health")
        == (.fail(404, "unknown_path"), nil, nil))
    #expect(
      try Self.routed(Self.catalog(fallback: Self.fallback), model: "no", path: "/v1/batches")
        == (.fail(404, "unknown_model"), nil, nil))
  }
}
