// POST /v1/embeddings. The vectors are made of hashed words, so that the same text has the same vector for ever and
// texts that share words point the same way: enough to try a search with.

/// An answer of the embeddings API.
struct Embeddings {
  private let inputs: [TextInput]
  private let model: String
  private let dimensions: Int
  private let isBase64: Bool

  init(_ body: JSON, dimensions standard: Int) throws(APIError) {
    model = try body.required("model").requireText("model")
    let input = try body.required("input")
    inputs = try TextInput.list(input, name: "input", countMax: 2048)
    guard inputs.allSatisfy({ !$0.text.isEmpty }) else {
      throw APIError(status: 400, message: "Invalid 'input': input cannot be an empty string.", param: "input")
    }
    dimensions = try body.integer("dimensions", in: 1...Self.dimensionsMax) ?? min(max(standard, 1), Self.dimensionsMax)
    guard inputs.count * dimensions <= Self.numbersMax else {
      throw APIError(
        status: 400, message: "The demo backend makes at most \(Self.numbersMax) numbers for one request.",
        param: "input")
    }
    let format = try body.present("encoding_format")?.requireText("encoding_format") ?? "float"
    guard format == "float" || format == "base64" else {
      throw APIError(
        status: 400, message: "Invalid value: '\(format)'. Supported values are: 'float' and 'base64'.",
        param: "encoding_format", code: "invalid_value")
    }
    isBase64 = format == "base64"
  }

  var whole: JSON {
    let data = inputs.enumerated().map { index, input -> JSON in
      let vector = Self.vector(of: input.text, dimensions: dimensions)
      let embedding: JSON =
        isBase64 ? .string(Base64.encode(vector)) : .array(vector.map { .number(Double($0)) })
      return ["object": "embedding", "index": .integer(index), "embedding": embedding]
    }
    let tokens = inputs.reduce(0) { $0 + $1.tokenCount }
    return [
      "object": "list", "data": .array(data), "model": .string(model),
      "usage": ["prompt_tokens": .integer(tokens), "total_tokens": .integer(tokens)],
    ]
  }

  /// A vector of length 1. Every word adds to a few places of its own; the whole text adds a little noise everywhere.
  static func vector(of text: String, dimensions: Int) -> [Float] {
    var noise = SplitMix64(state: hash(text.utf8))
    var vector = (0..<dimensions).map { _ in noise.nextUnit() * 0.02 }
    for word in text.split(whereSeparator: \.isWhitespace) {
      var places = SplitMix64(state: hash(word.lowercased().utf8))
      for _ in 0..<8 {
        let place = Int(places.next() % UInt64(dimensions))
        vector[place] += places.nextUnit()
      }
    }
    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard length > 0 else { return vector.enumerated().map { $0.offset == 0 ? 1 : 0 } }
    return vector.map { $0 / length }
  }

  /// FNV-1a.
  private static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  private static let dimensionsMax = 4096
  private static let numbersMax = 1_048_576
}

/// A small generator whose numbers depend on the seed alone, on every machine.
struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A number from -1 up to 1.
  mutating func nextUnit() -> Float { Float(next() >> 40) / 8_388_608 - 1 }
}

enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// The numbers as little-endian 32-bit floats in base64 (RFC 4648 4), which is what the SDKs ask for.
  static func encode(_ numbers: [Float]) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(numbers.count * 4)
    for number in numbers {
      withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }
    return encode(bytes)
  }

  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var bits: UInt32 = 0
      for byte in group { bits = bits << 8 | UInt32(byte) }
      bits <<= UInt32(8 * (3 - group.count))
      for place in 0..<4 {
        text.append(place <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * place)) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
