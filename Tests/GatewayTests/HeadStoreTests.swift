import Testing
import Wire

@testable import Gateway

@Suite("Head stores")
struct HeadStoreTests {
  @Test("bytes added in any steps stand in one run", arguments: [1, 7, 1000, 1024, 1025, 30_000])
  func append(_ step: Int) {
    let whole = pattern(60_000)
    var store = HeadStore()
    #expect(store.isEmpty)
    for start in stride(from: 0, to: whole.count, by: step) {
      lending(Array(whole[start..<min(start + step, whole.count)])) { store.append($0, limit: 65_536) }
    }
    #expect(Array(store.bytes) == whole)
    store.removeAll()
    #expect(store.isEmpty && store.bytes.isEmpty)
  }

  @Test("beyond the limit and the empty lines that may stand in front, nothing is added")
  func bounded() {
    var store = HeadStore()
    lending(pattern(2048)) { store.append($0, limit: 1024) }
    #expect(store.bytes.count == 2048)
    lending([1]) { store.append($0, limit: 1024) }
    #expect(store.bytes.count == 2048)
    var other = HeadStore()
    lending(pattern(2049)) { other.append($0, limit: 1024) }
    #expect(other.isEmpty)
  }

  @Test("a store without a limit's room keeps what it had")
  func keepsOnRefusal() {
    var store = HeadStore()
    lending("GET /") { store.append($0, limit: 16) }
    lending(pattern(5000)) { store.append($0, limit: 16) }
    #expect(string(store.bytes) == "GET /")
  }

  @Test("spans find their bytes behind the empty lines in front of a head, at every split")
  func base() throws {
    for lines in ["", "\r\n", "\r\n\r\n"] {
      let bytes = Array("\(lines)GET /v1/models?a=b HTTP/1.1\r\nHost: example\r\n\r\n".utf8)
      for split in 1..<bytes.count {
        let parser = MessageParser(role: .request)
        var store = HeadStore()
        var isComplete = false
        for part in [bytes[..<split], bytes[split...]] {
          lending(Array(part)) { part in
            switch parser.parseHead(part) {
            case .more: store.append(part, limit: 65_536)
            case .complete(let consumed):
              #expect(consumed == part.count)
              store.append(part, limit: 65_536)
              isComplete = true
            case .failed(let error): Issue.record("\(error)")
            }
          }
        }
        try #require(isComplete)
        parser.head.base = store.base(of: parser.head)
        #expect(string(parser.head.bytes(parser.head.path)) == "/v1/models")
        #expect(string(parser.head.bytes(try #require(parser.head.first(.host)))) == "example")
      }
    }
  }

  @Test("a store that is shorter than the head has no base for it")
  func noBase() {
    let parser = MessageParser(role: .request)
    var store = HeadStore()
    lending("GET / HTTP/1.1\r\nHost: a\r\n\r\n") { bytes in
      _ = parser.parseHead(bytes)
      store.append(UnsafeRawBufferPointer(rebasing: bytes[..<10]), limit: 65_536)
    }
    #expect(store.base(of: parser.head) == nil)
  }
}
