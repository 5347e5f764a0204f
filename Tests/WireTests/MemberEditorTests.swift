import Testing

@testable import Wire

@Suite("Members of an object that passes are set")
struct MemberEditorTests {
  static let model = MemberEdit(key: "model", value: Array(#""public""#.utf8), adds: false)
  static let mark = MemberEdit(key: "mark", value: Array(#"{"a":[1]}"#.utf8), adds: true)

  /// What becomes of `text`, the same in every delivery.
  static func edited(_ text: String, _ edits: [MemberEdit] = [model, mark], growth: Int? = nil) -> String {
    let bytes = Array(text.utf8)
    var results: Set<String> = []
    for way in deliveries(of: bytes.count) {
      var editor = MemberEditor(edits, growth: growth)
      var out: [UInt8] = []
      for piece in pieces(bytes, way) { piece.withUnsafeBytes { editor.edit($0, into: &out) } }
      editor.finish(into: &out)
      results.insert(String(decoding: out, as: UTF8.self))
    }
    #expect(results.count == 1, "pieces make no difference")
    return results.first ?? ""
  }

  @Test(
    "a value gives way to another, whatever it is, and a member that is missing is added",
    arguments: [
      (#"{"model":"m","x":1}"#, #"{"model":"public","x":1,"mark":{"a":[1]}}"#),
      (#"{ "x" : 1 , "model" : "m\"}" }"#, #"{ "x" : 1 , "model" : "public" ,"mark":{"a":[1]}}"#),
      (#"{"model":null}"#, #"{"model":"public","mark":{"a":[1]}}"#),
      (#"{"model":12.5e3 }"#, #"{"model":"public" ,"mark":{"a":[1]}}"#),
      (#"{"model":{"model":"}"},"y":[]}"#, #"{"model":"public","y":[],"mark":{"a":[1]}}"#),
      (#"{"model":["]",[{}]],"y":2}"#, #"{"model":"public","y":2,"mark":{"a":[1]}}"#),
      (#"{"mark":false,"x":"\\"}"#, #"{"mark":{"a":[1]},"x":"\\"}"#),
      (#"{}"#, #"{"mark":{"a":[1]}}"#),
      ("  {\r\n\t}\n ", "  {\r\n\t\"mark\":{\"a\":[1]}}\n "),
    ])
  func values(_ before: String, _ after: String) {
    #expect(Self.edited(before) == after)
  }

  @Test(
    "only members of the outermost object count",
    arguments: [
      #"{"x":{"model":"m"},"mark":1}"#, #"{"x":[{"model":"m"}],"mark":1}"#, #"{"x":"\"model\":\"m\"","mark":1}"#,
      #"{"Model":"m","models":"m","mode":"m","mod\u0065l":"m","mark":1}"#,
    ])
  func nested(_ text: String) {
    #expect(Self.edited(text) == text.replacing(#""mark":1"#, with: #""mark":{"a":[1]}"#))
  }

  @Test("the first of two members of one name is set, the second stays")
  func twice() {
    #expect(Self.edited(#"{"model":1,"model":2}"#, [Self.model]) == #"{"model":"public","model":2}"#)
  }

  @Test("a long name is no name that is looked for, and does not run over")
  func longName() {
    let text = "{\"" + String(repeating: "model", count: 400) + "\":1}"
    #expect(Self.edited(text, [Self.model]) == text)
  }

  @Test(
    "what is no object passes as it is",
    arguments: [
      "", " ", "[1,{\"model\":\"m\"}]", "\"model\"", "null", "[DONE]", "{", "{\"model\"", "{\"mo", "}{", "model: m",
    ])
  func noObject(_ text: String) {
    #expect(Self.edited(text, [Self.model]) == text)
  }

  @Test("bytes behind the object pass, be they another object")
  func behind() {
    #expect(Self.edited(#"{"model":1}{"model":2} x"#, [Self.model]) == #"{"model":"public"}{"model":2} x"#)
  }

  @Test(
    "with a growth the length is known before anything is read",
    arguments: [
      #"{"model":"m","x":1}"#, #"{"model":"a name that is far longer than the one that takes its place"}"#, "{}",
      #"{"mark":1,"model":2}"#, #"{"model":1,"model":2}"#, "[]", "", #"{"model":"cut"#, #"{"mark":"#, #"{"x":1} "#,
    ])
  func growth(_ text: String) throws {
    let growth = Self.model.growthMax + Self.mark.growthMax
    let result = Self.edited(text, growth: growth)
    #expect(result.utf8.count == text.utf8.count + growth)
    // White space fills what is left, in front of the brace or behind what is no object.
    let bare = Self.edited(text)
    #expect(result.filter { $0 != " " } == bare.filter { $0 != " " })
    if text.hasPrefix("{"), text.hasSuffix("}") { #expect(result.hasSuffix("}")) }
  }

  @Test("arbitrary bytes neither trap nor get lost")
  func anyBytes() {
    var random = Seeded(seed: 5)
    let alphabet = Array(#"{}[]",:\model 1tr"#.utf8)
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in
        alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
      }
      var editor = MemberEditor([Self.model, Self.mark], growth: 80)
      var out: [UInt8] = []
      bytes.withUnsafeBytes { editor.edit($0, into: &out) }
      editor.finish(into: &out)
      #expect(out.count == bytes.count + 80)
    }
  }
}

@Suite("Members of the objects in events are set")
struct EventEditorTests {
  static func edited(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var results: Set<String> = []
    for way in deliveries(of: bytes.count) {
      var editor = EventEditor([MemberEditorTests.model])
      var out: [UInt8] = []
      for piece in pieces(bytes, way) { piece.withUnsafeBytes { editor.edit($0, into: &out) } }
      results.insert(String(decoding: out, as: UTF8.self))
    }
    #expect(results.count == 1, "pieces make no difference")
    return results.first ?? ""
  }

  @Test("every event has the new value, and all else is as it came", arguments: ["\n", "\r\n", "\r"])
  func events(_ end: String) {
    let before = [
      ": comment {\"model\":1}", "", "event: chunk", "id: 7", #"data: {"id":1,"model":"m","x":{}}"#, "",
      #"data:{"model":"n"}"#, "", "data", "dat: x", #"data2: {"model":1}"#, #"data: {"x":1}"#, "", "data: [DONE]", "",
      "",
    ]
    let after = before.map {
      $0.hasPrefix("data:")
        ? $0.replacing(#""model":"m""#, with: #""model":"public""#).replacing(
          #""model":"n""#, with: #""model":"public""#)
        : $0
    }
    #expect(Self.edited(before.joined(separator: end)) == after.joined(separator: end))
  }

  @Test("an event behind one that is no JSON is edited again")
  func recovers() {
    let text = "data: {\"model\":\n\ndata: oops\n\ndata: {\"model\":\"m\"}\n\n"
    #expect(Self.edited(text).hasSuffix("data: {\"model\":\"public\"}\n\n"))
  }
}
