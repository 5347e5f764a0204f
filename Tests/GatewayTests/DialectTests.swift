import Testing

@testable import Gateway
@testable import Plugins

@Suite("Dialects")
struct DialectTests {
  static let cluster = AccessLineTests.cluster("local")
  static let catalog = ModelCatalog(
    models: [
      CatalogModel(name: "mistral:7b", cluster: cluster, kind: .text, deployment: "pod123"),
      CatalogModel(name: "gemma", cluster: cluster, identifier: "gemma3:7b"),
      CatalogModel(name: "off", cluster: cluster, state: .stopped),
    ], fallback: nil, forwardsUnknown: false)

  /// What one dialect makes of a failure: status, type, code.
  struct Row: Sendable, CustomTestStringConvertible {
    let cause: Failure.Cause
    let modelpilot: (Int, String, String?)
    let pllm: (Int, String, String?)
    let gateway: (Int, String)

    var testDescription: String { Failure(.own, cause).word }
  }

  /// The matrix of errors, cause by cause.
  static let matrix: [Row] = [
    Row(
      cause: .unreadableBody, modelpilot: (400, "invalid_request_error", "bad_request"),
      pllm: (400, "invalid_request_error", "bad_request"), gateway: (400, "invalid_request")),
    Row(
      cause: .badParameter(name: "messages", message: "x"), modelpilot: (400, "invalid_request_error", "bad_request"),
      pllm: (400, "invalid_request_error", "bad_request"), gateway: (400, "invalid_request")),
    Row(
      cause: .noKey, modelpilot: (401, "authentication_error", "invalid_api_key"),
      pllm: (401, "authentication_error", "invalid_api_key"), gateway: (401, "authentication_error")),
    Row(
      cause: .badKey("sk-***"), modelpilot: (401, "authentication_error", "invalid_api_key"),
      pllm: (401, "authentication_error", "invalid_api_key"), gateway: (401, "authentication_error")),
    Row(
      cause: .forbidden(permission: "proxy"), modelpilot: (403, "permission_error", "insufficient_permissions"),
      pllm: (403, "permission_error", "insufficient_permissions"), gateway: (403, "permission_denied")),
    Row(
      cause: .unknownModel("x"), modelpilot: (404, "invalid_request_error", "model_not_found"),
      pllm: (404, "invalid_request_error", "model_not_found"), gateway: (404, "invalid_request")),
    Row(
      cause: .unknownPath, modelpilot: (404, "invalid_request_error", "not_found"),
      pllm: (404, "invalid_request_error", "not_found"), gateway: (404, "invalid_request")),
    Row(
      cause: .modelStopped("x", status: "stopped"), modelpilot: (503, "invalid_request_error", "model_not_available"),
      pllm: (503, "service_unavailable_error", "model_not_available"), gateway: (503, "backend_unreachable")),
    Row(
      cause: .wrongKind("x", route: .chatCompletions), modelpilot: (400, "invalid_request_error", "invalid_model_type"),
      pllm: (400, "invalid_request_error", "invalid_model_type"), gateway: (501, "unsupported")),
    Row(
      cause: .unsupported(.embeddings), modelpilot: (501, "invalid_request_error", "unsupported"),
      pllm: (400, "invalid_request_error", "unsupported"), gateway: (501, "unsupported")),
    Row(
      cause: .limited(FailureCase.reached),
      modelpilot: (429, "rate_limit_error", "rate_limit_exceeded"),
      pllm: (429, "rate_limit_error", "rate_limit_exceeded"),
      gateway: (429, "rate_limit_exceeded")),
    Row(
      cause: .unreachable, modelpilot: (503, "service_unavailable_error", "backend_unreachable"),
      pllm: (503, "service_unavailable_error", "backend_unreachable"), gateway: (502, "backend_unreachable")),
    Row(
      cause: .closedEarly, modelpilot: (503, "service_unavailable_error", "backend_unreachable"),
      pllm: (503, "service_unavailable_error", "backend_unreachable"), gateway: (502, "backend_unreachable")),
    Row(
      cause: .timeout(.firstByte), modelpilot: (503, "service_unavailable_error", "backend_timeout"),
      pllm: (503, "service_unavailable_error", "backend_timeout"), gateway: (504, "backend_timeout")),
    Row(
      cause: .badAnswer, modelpilot: (500, "server_error", "backend_bad_response"),
      pllm: (500, "server_error", "backend_bad_response"), gateway: (502, "backend_unreachable")),
    Row(
      cause: .internalFault, modelpilot: (500, "server_error", "internal_error"),
      pllm: (500, "server_error", "internal_error"), gateway: (500, "internal_error")),
  ]

  static func error(_ dialect: some ErrorDialect, _ cause: Failure.Cause) throws -> (status: Int, whole: [String: Any])
  {
    try withExchange(dialect: dialect.dialects.first ?? "openai") { exchange in
      let reply = try #require(dialect.failed(exchange, Failure(.downstream, cause, detail: "10.0.0.1")))
      #expect(!string(reply.body).contains("10.0.0.1"))
      return (reply.status, try jsonObject(reply.body))
    }
  }

  @Test("each row of the matrix, in each dialect", arguments: matrix)
  func rows(_ row: Row) throws {
    for (dialect, wanted) in [
      (ModelPilotDialect(catalog: Self.catalog) as any ErrorDialect, row.modelpilot), (PLLMDialect(), row.pllm),
    ] {
      let (status, whole) = try Self.error(dialect, row.cause)
      let error = try #require(whole["error"] as? [String: Any])
      #expect(Set(error.keys) == ["message", "type", "param", "code"], "\(dialect.name)")
      #expect((status, error["type"] as? String, error["code"] as? String) == wanted, "\(dialect.name)")
    }
    let (status, whole) = try Self.error(GatewayDialect(), row.cause)
    let error = try #require(whole["error"] as? [String: Any])
    #expect(Set(whole.keys) == ["error"] && Set(error.keys) == ["type", "message"])
    #expect((status, error["type"] as? String ?? "") == row.gateway)
  }

  @Test("pllm has no status but those of its documents, and a code always", arguments: FailureCase.every)
  func statusList(_ row: FailureCase) throws {
    guard row.word != "refused" else { return }
    let (status, whole) = try Self.error(PLLMDialect(), row.cause)
    #expect([400, 401, 403, 404, 429, 500, 503].contains(status))
    let error = try #require(whole["error"] as? [String: Any])
    #expect(!(error["code"] as? String ?? "").isEmpty)
  }

  @Test("an unknown model is told in ModelPilot's words, with the names of the models that run, and those alone")
  func availableModels() throws {
    let (_, whole) = try Self.error(ModelPilotDialect(catalog: Self.catalog), .unknownModel("qu\"ark"))
    #expect(Set(whole.keys) == ["error", "available_models"])
    #expect(whole["available_models"] as? [String] == ["mistral:7b", "gemma3:7b"])
    let error = try #require(whole["error"] as? [String: Any])
    #expect(error["message"] as? String == "No active deployment found for model 'qu\"ark'")
    #expect(error["param"] as? String == "model")
    let (_, other) = try Self.error(ModelPilotDialect(catalog: Self.catalog), .unknownPath)
    #expect(Set(other.keys) == ["error"])
  }

  @Test("a plugin's own refusal wears the envelope of each dialect")
  func refusals() throws {
    let refusal = Failure.Cause.refused(Failure.Refusal(status: 403, message: "Not today.", code: "holiday"))
    #expect(try Self.error(PLLMDialect(), refusal).status == 403)
    let error = try #require(try Self.error(GatewayDialect(), refusal).whole["error"] as? [String: String])
    #expect(error == ["type": "permission_denied", "message": "Not today."])
  }

  // MARK: Surfaces

  struct Named: Plugin {
    let name: String
    var phases: Phases { .failed }
    var dialects: [String] = []
  }

  @Test("a plugin of a dialect is called on the surfaces of that dialect, one of none everywhere")
  func surfaces() {
    let plugins = [
      Named(name: "p", dialects: ["pllm"]), Named(name: "all"), Named(name: "two", dialects: ["a", "pllm"]),
    ]
    let surfaces = Surfaces(
      [SurfacePlan(prefix: "/v1"), SurfacePlan(prefix: "/api/v1", dialect: "pllm")],
      listenerDialects: ["a"], plugins: plugins)
    func names(_ path: String, _ dialect: String? = nil) -> [String] {
      let index = lending(path) { Route.find($0, surfaces).surface }
      return surfaces.surface(index, dialect: dialect).chain.failed.map(\.name)
    }
    #expect(names("/v1/models") == ["all"])
    #expect(names("/api/v1/models") == ["p", "all", "two"])
    #expect(names("/health") == ["all"])
    #expect(names("/v1/models", "a") == ["all", "two"])
    #expect(names("/api/v1/models", "a") == ["all", "two"])
    #expect(names("/v1/models", "unheard of") == ["all"])
  }

  @Test("paths below no prefix are answered in the dialect of the first one")
  func outside() {
    let surfaces = Surfaces(
      [SurfacePlan(prefix: "/v1", dialect: "gateway"), SurfacePlan(prefix: "/api/v1", dialect: "pllm")],
      listenerDialects: [], plugins: [])
    #expect(surfaces.surface(surfaces.outside, dialect: nil).dialect == "gateway")
  }

  @Test("what is no API has no routes of one")
  func noAPI() {
    let surfaces = Surfaces(
      [SurfacePlan(prefix: "/v1"), SurfacePlan(prefix: "/api/deployments", isAPI: false)], listenerDialects: [],
      plugins: [])
    #expect(lending("/api/deployments/models") { Route.find($0, surfaces).route } == .other)
  }

  // MARK: Names of models

  @Test("a name without its tag means the only model that begins so")
  func shortNames() {
    let names = ModelNames([
      CatalogModel(name: "mistral:7b", cluster: Self.cluster), CatalogModel(name: "gemma:2b", cluster: Self.cluster),
      CatalogModel(name: "gemma:7b", cluster: Self.cluster), CatalogModel(name: "phi", cluster: Self.cluster),
      CatalogModel(name: "phi:3", cluster: Self.cluster, identifier: "x:1"),
    ])
    #expect(names.find("mistral")?.upstreamModel == "mistral:7b")
    #expect(names.find("mistral:7b")?.upstreamModel == nil && names.find("mistral:7b") != nil)
    #expect(names.find("gemma") == nil, "two begin so")
    #expect((names.find("phi")?.note as? CatalogModel)?.name == "phi", "a whole name comes first")
    #expect(names.find("x:1") == nil && names.findIdentifier("x:1") != nil && names.findIdentifier("x") != nil)
    for name in ["", ":", "mistral:", ":7b"] { #expect(names.find(name) == nil) }
  }

  static func routed(_ model: String, _ path: String = "/v1/chat/completions", dialect: String = "openai") throws
    -> Said
  {
    try withExchange("POST \(path) HTTP/1.1\r\nHost: a\r\n\r\n", dialect: dialect) { exchange in
      exchange.members.model = model
      return Said(catalog.route(exchange))
    }
  }

  @Test("a model is refused what it is not, and when it does not run; identifiers count where they are listed")
  func refused() throws {
    #expect(try Self.routed("mistral:7b") == .pass)
    #expect(try Self.routed("mistral", "/v1/embeddings") == .pass)
    #expect(try Self.routed("mistral", "/v1/images/generations") == .fail(400, "wrong_model_kind"))
    #expect(try Self.routed("off") == .fail(503, "model_stopped"))
    #expect(try Self.routed("gemma3:7b") == .fail(404, "unknown_model"))
    #expect(try Self.routed("gemma3:7b", dialect: "modelpilot") == .pass)
  }
}
