// What a body becomes whose backend is to tell the tokens of its stream.

import Testing

@testable import Wire

@Suite("A body is made to ask for usage")
struct UsageRequestTests {
  /// `json` with the change made; the same in every delivery. Nil when there is none.
  static func asked(_ bytes: [UInt8], _ lengths: [Int]) -> [UInt8]? {
    var scanner = scan(bytes, lengths)
    guard let change = BodyChange(askingForUsage: &scanner) else { return nil }
    let text = UnsafeRawBufferPointer(start: change.text.utf8Start, count: change.text.utf8CodeUnitCount)
    return bytes[..<change.range.lowerBound] + Array(text) + bytes[change.range.upperBound...]
  }

  static func askedEveryWay(_ json: String) -> String? {
    let bytes = Array(json.utf8)
    let results = Set(deliveries(of: bytes.count).map { asked(bytes, $0) })
    #expect(results.count == 1, "pieces make no difference: \(json)")
    return results.first.flatMap { $0 }.map { text($0) }
  }

  @Test(
    "the question is put in, or an answer of no turned round, and no other byte is touched",
    arguments: [
      (#"{"stream":true}"#, #"{"stream":true,"stream_options":{"include_usage":true}}"#),
      ("{}", #"{"stream_options":{"include_usage":true}}"#),
      (" { \n} ", " { \n\"stream_options\":{\"include_usage\":true}} "),
      (#"{"a":[1] } "#, #"{"a":[1] ,"stream_options":{"include_usage":true}} "#),
      (#"{"stream_options":{}}"#, #"{"stream_options":{"include_usage":true}}"#),
      (#"{"stream_options": { } ,"a":1}"#, #"{"stream_options": { "include_usage":true} ,"a":1}"#),
      (
        #"{"stream_options":{"include_obfuscation":false },"a":{}}"#,
        #"{"stream_options":{"include_obfuscation":false ,"include_usage":true},"a":{}}"#
      ),
      (
        #"{"stream_options":{"x":{"include_usage":true},"y":[{}]}}"#,
        #"{"stream_options":{"x":{"include_usage":true},"y":[{}],"include_usage":true}}"#
      ),
      (#"{"stream_options":{"include_usage":false}}"#, #"{"stream_options":{"include_usage":true}}"#),
      (
        #"{"stream_options":{"include_usage" : null , "b":1}}"#, #"{"stream_options":{"include_usage" : true , "b":1}}"#
      ),
      (#"{"stream_options":{"include\u005fusage":false}}"#, #"{"stream_options":{"include\u005fusage":true}}"#),
      (#"{"stream_options":null,"a":1}"#, #"{"stream_options":{"include_usage":true},"a":1}"#),
      (#"{"stream_options" : null }"#, #"{"stream_options" : {"include_usage":true} }"#),
      (#"{"stream\u005foptions":{}}"#, #"{"stream\u005foptions":{"include_usage":true}}"#),
    ])
  func changed(_ before: String, _ after: String) {
    #expect(Self.askedEveryWay(before) == after)
  }

  @Test(
    "of several the last is changed, because it is the one that counts",
    arguments: [
      (
        #"{"stream_options":{"include_usage":true},"stream_options":{}}"#,
        #"{"stream_options":{"include_usage":true},"stream_options":{"include_usage":true}}"#
      ),
      (
        #"{"stream_options":{"include_usage":false},"stream_options":null}"#,
        #"{"stream_options":{"include_usage":false},"stream_options":{"include_usage":true}}"#
      ),
      (
        #"{"stream_options":"x","stream_options":{"include_usage":true,"include_usage":false}}"#,
        #"{"stream_options":"x","stream_options":{"include_usage":true,"include_usage":true}}"#
      ),
      (
        #"{"stream_options":{"include_usage":1,"include_usage":null}}"#,
        #"{"stream_options":{"include_usage":1,"include_usage":true}}"#
      ),
    ])
  func doubles(_ before: String, _ after: String) {
    #expect(Self.askedEveryWay(before) == after)
  }

  @Test(
    "what asks already, and what only a backend can judge, stays as it is",
    arguments: [
      #"{"stream_options":{"include_usage":true}}"#,
      #"{"stream_options":{"include_usage":false,"include_usage":true}}"#,
      #"{"stream_options":{"include_usage":"yes"}}"#, #"{"stream_options":{"include_usage":1}}"#,
      #"{"stream_options":{"include_usage":[false]}}"#,
      #"{"stream_options":{"include_usage":{"include_usage":false}}}"#,
      #"{"stream_options":{"include_usage":null,"include_usage":"x"}}"#, #"{"stream_options":[]}"#,
      #"{"stream_options":[{"include_usage":false}]}"#, #"{"stream_options":"null"}"#, #"{"stream_options":true}"#,
      #"{"stream_options":{},"stream_options":7}"#, #"{"stream":true"#, "[]", "",
    ])
  func unchanged(_ json: String) {
    #expect(Self.askedEveryWay(json) == nil)
  }

  @Test("whatever the body, what is made of it asks, and has no other member changed", arguments: 0..<40)
  func seeded(_ group: Int) throws {
    for seed in UInt64(group * 25)..<UInt64(group * 25 + 25) {
      var writer = JSONWriter(seed: seed)
      let before = writer.body()
      guard let after = Self.asked(before, writer.random.cuts(before.count)) else { continue }
      let isAsking = scan(after, [after.count]).includeUsage == true
      #expect(isAsking && Self.asked(after, [after.count]) == nil, "seed \(seed): \(text(after))")
      let old = try #require(NaiveJSON.members(before), "seed \(seed)")
      let new = try #require(NaiveJSON.members(after), "seed \(seed): \(text(after))")
      func others(_ members: [(key: [UInt8]?, value: NaiveJSON.Value, range: Range<Int>)], _ bytes: [UInt8]) -> [String]
      {
        members.filter { $0.key.map(text) != "stream_options" }.map { text(bytes[$0.range]) }
      }
      #expect(others(old, before) == others(new, after), "seed \(seed)")
    }
  }
}
