// The JSON of requests and answers: what is read, what is refused, and that no bytes can trap.

import Testing

@testable import DemoBackend

@Suite("JSON")
struct JSONTests {
  static let accepted: [(String, JSON)] = [
    ("null", nil), (" true ", true), ("\t\r\nfalse\n", false), ("0", 0), ("-0", 0), ("12", 12), ("-3.5e2", -350),
    ("1E+2", 100), ("0.25", .number(0.25)), ("[]", []), ("{}", [:]), (#""""#, ""), (#""a\/b""#, "a/b"),
    (#""\"\\\b\f\n\r\t""#, "\"\\\u{8}\u{c}\n\r\t"), (#""\u00e9\u00E9é""#, "ééé"), (#""\ud83d\ude00😀""#, "😀😀"),
    (#""\u0000""#, "\0"), (#"[1,"a",[],{"b":null}]"#, [1, "a", [], ["b": nil]]),
    (#"{ "a" : [ 1 , 2 ] , "b" : { } }"#, ["a": [1, 2], "b": [:]]), (#"{"a":1,"a":2}"#, ["a": 1, "a": 2]),
  ]

  @Test("values of every kind are read", arguments: accepted)
  func reads(example: (text: String, value: JSON)) throws {
    #expect(try JSONParser.parse(Array(example.text.utf8)) == example.value)
  }

  @Test("halves of surrogate pairs become U+FFFD and swallow nothing")
  func surrogates() throws {
    #expect(try JSONParser.parse(Array(#""\ud83dx""#.utf8)) == "\u{fffd}x")
    #expect(try JSONParser.parse(Array(#""\ude00\n""#.utf8)) == "\u{fffd}\n")
    #expect(try JSONParser.parse(Array(#""\ud83d\ud83d\ude00""#.utf8)) == "\u{fffd}😀")
    #expect(try JSONParser.parse(Array(#""\ud83d\u0041""#.utf8)) == "\u{fffd}A")
  }

  @Test(
    "what is not JSON is refused with the place",
    arguments: [
      ("", JSONError.Kind.unexpectedEnd, 0), ("  ", .unexpectedEnd, 2), ("nul", .unexpectedEnd, 3),
      ("nulL", .unexpectedByte, 3), ("True", .unexpectedByte, 0), ("[1,]", .unexpectedByte, 3),
      ("[1 2]", .unexpectedByte, 3), ("[1", .unexpectedEnd, 2), ("{,}", .unexpectedByte, 1),
      (#"{"a"}"#, .unexpectedByte, 4), (#"{"a":1,}"#, .unexpectedByte, 7), ("{1:2}", .unexpectedByte, 1),
      ("01", .trailingBytes, 1), ("1.", .badNumber, 2), ("-", .badNumber, 1), ("1e", .badNumber, 2),
      ("+1", .unexpectedByte, 0), (".5", .unexpectedByte, 0), ("1e999", .badNumber, 5), ("NaN", .unexpectedByte, 0),
      ("\"a", .unexpectedEnd, 2), ("\"\n\"", .unexpectedByte, 1), (#""\x""#, .badEscape, 3),
      (#""\u12g4""#, .badEscape, 5), (#""\u12"#, .unexpectedEnd, 5), ("{} {}", .trailingBytes, 3),
      ("\u{feff}{}", .unexpectedByte, 0), ("'a'", .unexpectedByte, 0), ("[1]x", .trailingBytes, 3),
    ])
  func refuses(text: String, kind: JSONError.Kind, offset: Int) {
    #expect(throws: JSONError(kind: kind, offset: offset)) { try JSONParser.parse(Array(text.utf8)) }
  }

  @Test("bytes that are not UTF-8 are refused inside strings and outside")
  func encoding() {
    for bytes: [UInt8] in [[0x22, 0xff, 0x22], [0x22, 0xc3, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0xff], [0]] {
      #expect(throws: JSONError.self) { try JSONParser.parse(bytes) }
    }
  }

  @Test("depth, number of values and length of numbers are bounded")
  func bounds() throws {
    func nested(_ depth: Int) -> [UInt8] {
      Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
    }
    #expect(throws: Never.self) { try JSONParser.parse(nested(JSONParser.depthMax)) }
    #expect(throws: JSONError(kind: .tooDeep, offset: JSONParser.depthMax)) {
      try JSONParser.parse(nested(JSONParser.depthMax + 1))
    }
    #expect(throws: JSONError.self) { try JSONParser.parse(Array(repeating: UInt8(ascii: "{"), count: 1_000_000)) }
    #expect(throws: JSONError.self) { try JSONParser.parse(Array(repeating: UInt8(ascii: "["), count: 1_000_000)) }
    let many = "[" + String(repeating: "0,", count: JSONParser.valueCountMax) + "0]"
    #expect { try JSONParser.parse(Array(many.utf8)) } throws: { ($0 as? JSONError)?.kind == .tooManyValues }
    let long = String(repeating: "1", count: JSONParser.numberBytesMax + 1)
    #expect { try JSONParser.parse(Array(long.utf8)) } throws: { ($0 as? JSONError)?.kind == .badNumber }
  }

  @Test("what is written is read back the same", arguments: accepted)
  func writes(example: (text: String, value: JSON)) throws {
    #expect(try JSONParser.parse(example.value.bytes) == example.value)
  }

  @Test("whole numbers have no point, unicode stays, control characters are escaped")
  func form() {
    let value: JSON = ["a": 1_785_000_000, "b": .number(0.5), "c": "é\u{1}\"\\\n\u{7f}", "d": .number(.infinity)]
    #expect(
      String(decoding: value.bytes, as: UTF8.self)
        == #"{"a":1785000000,"b":0.5,"c":"é\u0001\"\\\n\u007f","d":null}"#)
  }

  @Test("the last of several members with one name counts, and numbers are whole only when they are")
  func access() throws {
    let value = try JSONParser.parse(Array(#"{"a":1,"a":2.0,"b":2.5,"c":1e300}"#.utf8))
    #expect(value["a"]?.integer == 2)
    #expect(value["b"]?.integer == nil)
    #expect(value["c"]?.integer == nil)
    #expect(value["d"] == nil)
    #expect(JSON.null["a"] == nil)
  }

  @Test("mutilated documents never trap, and what is read can be written", arguments: 1...20 as ClosedRange<UInt64>)
  func fuzz(seed: UInt64) throws {
    var random = SplitMix64(state: seed)
    let samples =
      Self.accepted.map(\.0) + [
        #"{"model":"m","messages":[{"role":"user","content":"a\u00e9\ud83d\ude00"}],"n":1.5e-3,"stream":true}"#
      ]
    for _ in 0..<500 {
      var bytes = Array(samples[Int(random.next() % UInt64(samples.count))].utf8)
      for _ in 0...(random.next() % 4) {
        let place = Int(random.next() % UInt64(bytes.count + 1))
        switch random.next() % 3 {
        case 0: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
        case 1: if place < bytes.count { bytes.remove(at: place) }
        default: if place < bytes.count { bytes[place] = UInt8(truncatingIfNeeded: random.next()) }
        }
      }
      guard let value = try? JSONParser.parse(bytes) else { continue }
      #expect(try JSONParser.parse(value.bytes) == value, "seed \(seed): \(bytes)")
    }
  }
}
