import Testing

@testable import Gateway

@Suite("Routes")
struct RouteTests {
  static func surfaces(_ prefixes: [String]) -> Surfaces {
    Surfaces(prefixes.map { SurfacePlan(prefix: $0) }, listenerDialects: [], plugins: [])
  }

  static func find(_ path: String, prefixes: [String] = ["/v1", "/api/v1"]) -> (route: Route, suffix: Int) {
    lending(path) {
      let found = Route.find($0, surfaces(prefixes))
      return (found.route, found.suffix)
    }
  }

  @Test("every inference path is found below every prefix", arguments: Route.Inference.allCases)
  func inference(_ inference: Route.Inference) {
    for prefix in ["/v1", "/api/v1"] {
      let found = Self.find(prefix + inference.rawValue)
      #expect(found.route == .inference(inference))
      #expect(found.suffix == prefix.utf8.count)
    }
  }

  @Test(
    "an inference path that is spelled otherwise is the same one, and goes on as it is spelled",
    arguments: [
      "/v1/chat/completions/", "/v1//chat/completions", "/v1/chat//completions", "/v1/chat%2Fcompletions",
      "/v1/chat/%63ompletions", "/v1/%63%68%61%74/completions", "/v1/chat/completions%2f", "/v1///chat/completions//",
      "/v1/Chat/Completions", "/v1/chat/completions;x=1", "/v1/chat/completions%20", "/v1/CHAT/%43ompletions/;/x",
    ])
  func spelledOtherwise(_ path: String) {
    let found = Self.find(path)
    #expect(found.route == .inference(.chatCompletions) && found.suffix == 3)
  }

  @Test(
    "a path is read as most servers read it",
    arguments: [
      ("/a/b", "/a/b"), ("//a///b//", "/a/b"), ("/%61%2Fb%2f", "/a/b"), ("/", "/"), ("//", "/"), ("", ""),
      ("/a%", "/a%"),
      ("/a%2", "/a%2"), ("/a%zz", "/a%zz"), ("/%2561", "/%61"), ("/Ab;c/d", "/ab"), ("/a%20/ ", "/a"), (";", ""),
    ])
  func canonical(_ path: String, _ expected: String) {
    #expect(String(decoding: Route.canonical(path.utf8), as: UTF8.self) == expected)
  }

  @Test(
    "what is no inference path passes as something else",
    arguments: [
      "/v1", "/v1/", "/v1/chat", "/v1/chat/completions/chatcmpl-1",
      "/v1/files", "/v1/modelsx", "/v1/model", "/v1/MODELS",
      "/api/v1/realtime", "/v1/completions.", "/v1/...", "/v1/.well-known/x", "/v1/a..b", "/v1/%2", "/v1/%",
    ])
  func other(_ path: String) {
    #expect(Self.find(path).route == .other)
  }

  @Test(
    "a prefix counts whole and from the start",
    arguments: [
      "", "/", "/health", "/ready", "/v", "/v10/models", "/v1x/models", "/V1/models", "v1/models", "/api",
      "/api/v2/models",
      "/x/v1/models", "//v1/models", "/%761/models", "*", "/api/v1models",
    ])
  func outside(_ path: String) {
    let found = Self.find(path)
    #expect(found.route == .outside)
    #expect(found.suffix == 0)
  }

  @Test("without prefixes nothing is the API, and an empty prefix is the whole of the server")
  func extremes() {
    #expect(Self.find("/v1/models", prefixes: []).route == .outside)
    #expect(Self.find("/models", prefixes: [""]).route == .models)
    #expect(Self.find("/models", prefixes: [""]).suffix == 0)
  }

  @Test("the suffix is where the path goes on behind its own prefix, not behind a shorter one")
  func suffix() {
    let nested = ["/api", "/api/v1"]
    #expect(Self.find("/api/v1/models", prefixes: nested) == (.models, 7))
    #expect(Self.find("/api/models", prefixes: nested) == (.models, 4))
  }

  @Test(
    "a path with a dot segment is nowhere, plain or encoded",
    arguments: [
      "/v1/.", "/v1/..", "/v1/./models", "/v1/../admin", "/v1/files/..", "/v1/files/../../admin", "/v1/a/./b",
      "/v1/%2e", "/v1/%2E%2e", "/v1/.%2e/admin", "/v1/%2e./admin", "/v1/models/..", "/v1/models/%2E%2E/x",
      "/v1/a\\..\\b", "/v1/a/..\\b", "/v1/chat/completions/..", "/api/v1/%2e%2e/v1/models",
    ])
  func dotSegments(_ path: String) {
    #expect(Self.find(path).route == .outside)
  }

  @Test(
    "dots that are no segment of their own are part of a name",
    arguments: [
      "/v1/...", "/v1/a.", "/v1/.a", "/v1/a..", "/v1/..a", "/v1/%2e%2e%2e", "/v1/a%2e", "/v1/%2ea", "/v1/%2f",
    ])
  func dotsInNames(_ path: String) {
    lending(path) { #expect(!Route.leavesItsPlace($0)) }
  }

  @Test(
    "the list of models, and one model by the rest of its path",
    arguments: [
      ("/v1/models", Route.models), ("/v1/models/", .models), ("/v1/models/gpt-4o", .model("gpt-4o")),
      ("/v1/models/Qwen/Qwen2.5-7B-Instruct", .model("Qwen/Qwen2.5-7B-Instruct")),
      ("/v1/models/Qwen%2FQwen2.5-7B-Instruct", .model("Qwen/Qwen2.5-7B-Instruct")),
      ("/v1/models/Qwen%2fQwen2.5", .model("Qwen/Qwen2.5")), ("/v1/models/a/b/c", .model("a/b/c")),
      ("/v1/models/a//b", .model("a//b")), ("/v1/models/ft:gpt-4o:org::id", .model("ft:gpt-4o:org::id")),
      ("/v1/models/a%20b", .model("a b")), ("/v1/models/m%C3%BCller", .model("müller")),
      ("/v1/models/a/", .model("a/")), ("/v1/models//", .model("/")), ("/v1/models/100%", .model("100%")),
      ("/v1/models/%zz", .model("%zz")), ("/v1/models/%2", .model("%2")), ("/v1/models/%252F", .model("%2F")),
    ])
  func models(_ path: String, _ route: Route) {
    #expect(Self.find(path).route == route)
  }

  @Test("an escape that is no UTF-8 becomes a replacement character, not a trap")
  func notUTF8() {
    #expect(Self.find("/v1/models/%ff").route == .model("\u{FFFD}"))
  }

  @Test("any bytes have a route: nothing traps, and the suffix stays inside the path")
  func anyBytes() {
    var state: UInt64 = 0x5eed
    let alphabet = Array("/v1.%2eEfFmodels\\\u{0}é".utf8)
    for _ in 0..<20_000 {
      var path: [UInt8] = state & 1 == 0 ? Array("/v1".utf8) : []
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      for shift in 0..<Int(state >> 60) {
        state = state &* 6_364_136_223_846_793_005 &+ UInt64(shift)
        path.append(alphabet[Int(state >> 33) % alphabet.count])
      }
      let found = lending(path) { Route.find($0, Self.surfaces(["/v1", "/api/v1"])) }
      #expect(found.suffix <= path.count)
    }
  }

  @Test("only the chat completions can also be listed, and only four kinds have a default model")
  func kinds() {
    #expect(Route.Inference.allCases.filter(\.isAlsoList) == [.chatCompletions])
    #expect(
      Set(Route.Inference.allCases.filter(\.hasDefaultModel))
        == [.moderations, .imagesGenerations, .imagesEdits, .imagesVariations])
  }

  @Test("the path asked for last is known again, and is taken for no other")
  func memo() {
    var memo = RouteMemo()
    let surfaces = Self.surfaces(["/v1"])
    let long = "/v1/models/" + String(repeating: "x", count: 600)
    let cut = String(long.prefix(AccessRecord.pathBytesMax))
    for path in [
      "/v1/models", "/v1/models", "/v1/chat/completions", "/v1/models", "", "/", long, cut, long, cut, "/v1",
    ] {
      let plain = lending(path) { Route.find($0, surfaces) }
      let found = lending(path) { memo.find($0, surfaces) }
      #expect(found.found == plain)
      #expect(string(found.path) == String(path.prefix(AccessRecord.pathBytesMax)))
    }
  }
}
