// A set of keys as its text has it (RFC 7517). Members that are missing or of other types make a key one that is skipped,
// and never the whole set; private and symmetric parts are not read.

import JWTKit

struct KeySet: Decodable {
  let keys: [Member]

  /// One key, or what stands in its place.
  struct Member: Decodable {
    /// Nil for a key that is of no use here.
    let key: TokenKey?

    init(from decoder: any Decoder) throws { key = (try? Parameters(from: decoder))?.key }
  }

  private struct Parameters: Decodable {
    let kty: String
    let use: String?
    let operations: [String]?
    let alg: String?
    let kid: String?
    let n: String?
    let e: String?
    let crv: String?
    let x: String?
    let y: String?

    private enum CodingKeys: String, CodingKey {
      case kty, use, alg, kid, n, e, crv, x, y
      case operations = "key_ops"
    }

    /// Longest modulus: 8192 bits.
    private static let modulusBytesMax = 1024

    var key: TokenKey? {
      guard use == nil || use == "sig", operations?.contains("verify") ?? true else { return nil }
      switch kty {
      case "RSA":
        guard alg == nil || alg == TokenAlgorithm.rs256.rawValue, let n, let e,
          let modulus = Base64URL.decode(n.utf8), modulus.count <= Self.modulusBytesMax,
          let exponent = Base64URL.decode(e.utf8), (1...8).contains(exponent.count),
          let key = try? Insecure.RSA.PublicKey(modulus: n, exponent: e)
        else { return nil }
        return TokenKey(.rsa(key), .rs256, id: kid)
      case "EC":
        guard alg == nil || alg == TokenAlgorithm.es256.rawValue, crv == "P-256", let x, let y,
          Base64URL.decode(x.utf8)?.count == 32, Base64URL.decode(y.utf8)?.count == 32,
          let key = try? ES256PublicKey(parameters: ECDSAParameters(x: x, y: y))
        else { return nil }
        return TokenKey(.elliptic(key), .es256, id: kid)
      default: return nil
      }
    }
  }
}
