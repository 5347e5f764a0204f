import Testing

@testable import LoadGenerator

@Suite("What a server repeats of what it was sent")
struct SecretsTests {
  private func hidden(_ said: String, key: String? = nil, headers: [String] = [], most: Int = 300) throws -> String {
    var settings = try LoadSettings(url: "http://host/v1", headers: headers)
    settings.key = key
    return Secrets(settings).hidden(in: Array(said.utf8), bytesMax: most)
  }

  @Test("the key does not come back, however often and wherever it stands")
  func key() throws {
    #expect(try hidden("no key", key: "sk-1") == "no key")
    #expect(try hidden("sk-1: wrong key sk-1, Bearer sk-1", key: "sk-1") == "***: wrong key ***, Bearer ***")
    #expect(try hidden("sk-1", key: nil) == "sk-1")
    #expect(try hidden(#"{"key":"a\"b\/c"}"#, key: #"a"b/c"#) == #"{"key":"***"}"#)
    #expect(try hidden(#"{"key":"a\"b/c"}"#, key: #"a"b/c"#) == #"{"key":"***"}"#)
  }

  @Test("a key that the end cuts off is a key")
  func cut() throws {
    #expect(try hidden("wrong: sk-0123", key: "sk-0123456789") == "wrong: ***")
    #expect(try hidden("ends as it begins: sk-", key: "sk-0123456789") == "ends as it begins: sk-")
    #expect(try hidden("x sk-0123456789 y", key: "sk-0123456789", most: 4) == "x ***")
  }

  @Test("values of header lines do not come back, with or without their scheme; short ones are no secrets")
  func headers() throws {
    let headers = ["Authorization: Basic dXNlcjpwYXNz", "api-key: 0123456789", "x-a: b"]
    #expect(try hidden("Basic dXNlcjpwYXNz, dXNlcjpwYXNz", headers: headers) == "***, ***")
    #expect(try hidden("b: 0123456789", headers: headers) == "b: ***")
  }

  @Test("of two that begin alike the longer one is hidden whole")
  func alike() throws {
    #expect(try hidden("sk-0123456789", key: "sk-01234", headers: ["x: sk-0123456789"]) == "***")
  }
}
