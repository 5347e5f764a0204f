import Testing

@testable import WebTokens

@Suite("A token's shape")
struct CompactTokenTests {
  static func looks(_ text: [UInt8]) -> Bool { text.withUnsafeBytes { CompactToken.looksLike($0) } }
  static func looks(_ text: String) -> Bool { looks(Array(text.utf8)) }
  static func parsed(_ header: String, _ claims: String = #"{"sub":"a"}"#) throws -> CompactToken {
    try CompactToken("\(Issuer.base64(Array(header.utf8))).\(Issuer.base64(Array(claims.utf8))).AAAA")
  }

  @Test("what begins with a brace and has three parts looks like one, also without a signature")
  func looks() async throws {
    #expect(Self.looks(try await Issuer.sign(Issuer.alice)))
    #expect(Self.looks(try await Issuer.sign(Issuer.alice, .rs256)))
    #expect(Self.looks("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."))
    #expect(Self.looks("ew.e30."))
  }

  @Test(
    "other credentials do not",
    arguments: [
      "", "e", "ey", "sk-proj-0123456789abcdef", "a.b.c", "ey..", "eyJ.eyJ", "eyJ.eyJ.x.y", "eyJ.e+J.x", "eyJ.eyJ.x=",
      " eyJ.eyJ.x", "eaJ.eyJ.x", "eyJ.eyJ.\u{e9}", "eyJhbGciOiJub25lIn0", "e\u{0}J.eyJ.x",
    ])
  func others(_ text: String) {
    #expect(!Self.looks(text))
  }

  @Test("nothing longer than 16 KiB is looked at")
  func length() {
    let most = "eyJ.e." + String(repeating: "A", count: CompactToken.bytesMax - 6)
    #expect(Self.looks(most) && !Self.looks(most + "A"))
    #expect(throws: TokenRefusal.malformed("it is longer than 16384 bytes")) { try CompactToken(most + "A") }
  }

  @Test("any bytes at all are refused or read, never trapped on")
  func noise() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<3_000 {
      let count = Int.random(in: 0..<40, using: &random)
      var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      if Bool.random(using: &random) { bytes = Array("eyJ.".utf8) + bytes + Array("..".utf8) }
      _ = Self.looks(bytes)
      _ = try? CompactToken(String(decoding: bytes, as: UTF8.self))
      _ = MemberNames.of(bytes)
      _ = Base64URL.decode(bytes)
    }
  }

  @Test("algorithm and key id are read, and members that are not known here are passed over")
  func header() throws {
    let header = try Self.parsed(#"{"typ":"JWT","alg":"RS256","kid":"k\u0031","jku":"http://x","x":{"a":[1]}}"#).header
    #expect(header.algorithm == "RS256" && header.keyID == "k1")
    #expect(try Self.parsed(#"{"alg":"none"}"#).header.keyID == nil)
  }

  @Test(
    "a header that cannot be read, is ambiguous, or asks for more is refused",
    arguments: [
      "", "{", "{}", "[]", "null", #"{"alg":1}"#, #"{"alg":null}"#, #"{"alg":"HS256","kid":1}"#,
      #"{"alg":"HS256","alg":"RS256"}"#, #"{"alg":"HS256","\u0061lg":"RS256"}"#, #"{"alg":"HS256","crit":["exp"]}"#,
      #"{"alg":"HS256","crit":null}"#, #"{"alg":"HS256"}}"#, #"{"alg":"HS256"} x"#,
      #"{"alg":"HS256","x":"#, #"{"alg":"HS256","x":1e999}x"#, "{\"alg\":\"HS256\",\"\u{0}\":1}",
    ])
  func badHeaders(_ header: String) {
    #expect(throws: TokenRefusal.self) { try Self.parsed(header) }
  }

  @Test("a header or claims that nest deeper than 32 are refused, however deep that is", arguments: [32, 100, 5000])
  func nesting(_ depth: Int) {
    let nested = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    #expect(throws: TokenRefusal.self) { try Self.parsed(#"{"alg":"HS256","x":\#(nested)}"#) }
    #expect(throws: TokenRefusal.self) { try Self.parsed(#"{"alg":"HS256"}"#, #"{"sub":"a","x":\#(nested)}"#) }
    let open = String(repeating: #"{"a":"#, count: min(depth, 2000))
    #expect(throws: TokenRefusal.self) { try Self.parsed(open) }
  }

  @Test(
    "a claim that stands twice is refused, however it is spelled",
    arguments: [
      #"{"sub":"a","sub":"b"}"#, #"{"sub":"a","s\u0075b":"b"}"#, #"{"sub":"a","x":{"sub":"c"},"sub":"b"}"#,
      #"{"exp":1,"sub":"a","exp":9999999999}"#,
    ])
  func twice(_ claims: String) {
    #expect(throws: TokenRefusal.self) { try Self.parsed(#"{"alg":"HS256"}"#, claims) }
  }

  @Test("names are told from values, and from those further down")
  func names() {
    func names(_ text: String) -> [String]? { MemberNames.of(Array(text.utf8)) }
    #expect(
      names(#" { "a" : "b", "c" : { "a": 1, "d": [ "a", {"e":2} ] }, "f\/\"" : "x,y{" } "#) == ["a", "c", "f/\""])
    #expect(names("{}") == [] && names(#"{"":1}"#) == [""])
    #expect(names("") == nil && names("[1]") == nil && names(#"{"a"#) == nil && names(#"{"a\"#) == nil)
    #expect(names("}") == nil && names("{") == nil)
  }

  @Test("base64url has one spelling for each run of bytes")
  func base64() {
    for count in 0..<20 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + 200) }
      let text = Array(Issuer.base64(bytes).utf8)
      #expect(Base64URL.decode(text) == bytes)
      #expect(Base64URL.decode(text + [UInt8(ascii: "=")]) == nil)
    }
    for wrong in ["A", "AAAAA", "AB", "AAB", "A+", "A/", "A A", "AA==", "é"] {
      #expect(Base64URL.decode(wrong.utf8) == nil)
    }
  }
}
