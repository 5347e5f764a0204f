// A token as it is shown: three parts in base64url, header, claims, signature, with dots between (RFC 7515, 7.1). Everything
// here is anybody's; what is read of it before the signature is which key it names, and nothing else is done with it.

import FoundationEssentials

/// A text that has the shape of a token. Nothing is verified yet.
struct CompactToken {
  /// Longest token that is read. Whatever else an issuer puts into one, it has to fit into a request's head.
  static let bytesMax = 16 << 10

  let text: [UInt8]
  let header: TokenHeader
  /// The claims, decoded from base64url and unread.
  let claims: [UInt8]

  /// Whether `bytes` may be a token, told without allocating: two dots, the alphabet, and a first part that begins with
  /// the brace of a JSON object.
  static func looksLike(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard (5...bytesMax).contains(bytes.count), bytes[0] == UInt8(ascii: "e"),
      // "{" is 0x7B: all of `e`, and the upper two bits of the second character.
      let second = Base64URL.value(of: bytes[1]), second >= 0x30
    else { return false }
    var dots = 0
    for byte in bytes {
      if byte == UInt8(ascii: ".") { dots += 1 } else if Base64URL.value(of: byte) == nil { return false }
    }
    return dots == 2
  }

  init(_ text: String) throws(TokenRefusal) {
    self.text = Array(text.utf8)
    guard self.text.count <= Self.bytesMax else { throw .malformed("it is longer than \(Self.bytesMax) bytes") }
    let parts = self.text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw .malformed("it has no three parts") }
    guard let header = Base64URL.decode(parts[0]), let claims = Base64URL.decode(parts[1]),
      Base64URL.decode(parts[2]) != nil
    else { throw .malformed("a part of it is no base64url") }
    self.header = try TokenHeader(header)
    guard MemberNames.areUnique(in: claims) else {
      throw .malformed("its claims are no object, nested too deeply, or named twice")
    }
    self.claims = claims
  }
}

/// What is read of a token's header (RFC 7515, 4.1). Keys that a header brings along (jwk, jku, x5c, x5u) are never read.
struct TokenHeader: Decodable {
  let algorithm: String
  let keyID: String?

  init(_ text: [UInt8]) throws(TokenRefusal) {
    guard MemberNames.areUnique(in: text) else {
      throw .malformed("its header is no object, nested too deeply, or names a member twice")
    }
    do {
      self = try JSONDecoder().decode(TokenHeader.self, from: Data(text))
    } catch {
      throw .malformed("its header cannot be read, or needs what is not understood here")
    }
  }

  private enum CodingKeys: String, CodingKey {
    case alg, kid, crit
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    // Extensions that must be understood, and none is (RFC 7515, 4.1.11).
    guard !container.contains(.crit) else {
      throw DecodingError.dataCorruptedError(forKey: .crit, in: container, debugDescription: "an extension")
    }
    algorithm = try container.decode(String.self, forKey: .alg)
    keyID = try container.contains(.kid) ? container.decode(String.self, forKey: .kid) : nil
  }
}
