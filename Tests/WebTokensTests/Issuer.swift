// An issuer: makes keys and signs tokens, with JWTKit where tokens are as they should be, and by hand where not.

import Foundation
import JWTKit

@testable import WebTokens

enum Issuer {
  static let secret = "a-secret-of-thirty-two-bytes-or-more"
  static let elliptic = ES256PrivateKey()
  static let otherElliptic = ES256PrivateKey()

  static func sign(
    _ claims: [String: ClaimValue], _ algorithm: TokenAlgorithm = .hs256, header: JWTHeader = JWTHeader(),
    secret: String = secret, elliptic: ES256PrivateKey = elliptic
  ) async throws -> String {
    let keys = JWTKeyCollection()
    switch algorithm {
    case .hs256: await keys.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
    case .rs256: await keys.add(rsa: try Insecure.RSA.PrivateKey(pem: PEM.rsa), digestAlgorithm: .sha256)
    case .es256: await keys.add(ecdsa: elliptic)
    }
    return try await keys.sign(Claims(claims), header: header)
  }

  /// Header and claims as they are given, with a signature by ``secret``.
  static func signText(_ header: String, _ claims: String) async throws -> String {
    let signer = await JWTKeyCollection().add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
    let text = "\(base64(Array(header.utf8))).\(base64(Array(claims.utf8)))"
    let signature = try await signer.getKey().sign(Array(text.utf8))
    return "\(text).\(base64(signature))"
  }

  static func base64(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  /// A member of a key set.
  static func member(of key: ES256PrivateKey, _ id: String, more: String = "") -> String {
    // In base64 with padding.
    let point = key.publicKey.parameters
    func url(_ text: String?) -> String { base64(Array(Data(base64Encoded: text ?? "") ?? Data())) }
    return #"{"kty":"EC","crv":"P-256","kid":"\#(id)","x":"\#(url(point?.x))","y":"\#(url(point?.y))"\#(more)}"#
  }

  static func set(_ members: String...) -> [UInt8] {
    Array(#"{"keys":[\#(members.joined(separator: ","))]}"#.utf8)
  }

  /// Whose `token` is.
  static func holder(
    of token: String, _ keys: TokenKeys, _ rules: TokenRules = TokenRules(), now: UInt64 = now
  ) async throws -> String {
    let token = try CompactToken(token)
    try rules.check(token.header)
    return try rules.identity(of: try await keys.verify(token), now: now).name
  }

  /// In nanoseconds since 1970.
  static let now: UInt64 = 1_800_000_000_000_000_000
  static let soon = ClaimValue.number(1_800_000_600)
  static let alice: [String: ClaimValue] = ["sub": .text("alice"), "exp": soon]
}

/// Keys as openssl has written them, for these tests and for nothing else.
enum PEM {
  static let rsa = """
    -----BEGIN PRIVATE KEY-----
    MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC9nP/mAaIzjsnV
    hpAaSrfTHtBUOSuUDyoB8M3v09NKqLEyeDcSfpawA4LCkaFwMoOftrTZ1Pihh6J6
    /1GTUyvuSvC12A959nkQMSy399QnUbZ/F/KXOdcI5036sjH8RF5ATrMjcOrMkgE8
    0+ifWN/GTF29aP3FB3u4Cxrf9Ed6nAoOxhyPxSB/eH1buRDBGW75D4SITLO1ak9/
    l8YSOH6fmM87rKMvKWlGD6U5r3gVusDnvg8iFeZ2qNsNcPUy40v64cDDlXMz17PZ
    lsyfYyLfdJ/6FijF2NcVy9oAYUDb2A8VjrJDzmfHGyw6h78++HHnEvV/Pd7q1MJg
    RTGYPVG1AgMBAAECggEAJLqQdCaNW5TVYmPcLoeaJ45QtvvTBe1RCwqw7XuX8l6O
    YnMYYd/9Au/PKK7KeYADcJDU49wl5C4wikhCLjo+aHyCN4s4ZjzY0wrfeWxLX2lr
    4x8JqgL1dR9PAth5J787jZPhDeStyr4eeMCojxNJV3FL+Chp/bw3Gh2mkUqRfP1+
    r/Pr6F30ursR2/R5IWWdilr71l5p7BitCt58OMulXbjj7CA1PBBAnipyD25HIBMF
    UiuGg/Da3yMy4wCj3Sktfi9dZp4cWVFOrdOnw8RiU5E7sTUfp3X8Q2lUKA7qB+2U
    UQrSdUfi3xiAsw+WdfiyE7I3WPgq4xXS/wQMqJ2hqQKBgQDu3wpYuJrRvw6l3k8n
    WRd8sMniwz4PbQOMxZMdJuQhFQWoehYdpcQHJBHKTnn3eIpujQAVphMpZp2pKYyl
    KZRvA5TzUeVZ0pwkhiwoFRAnTTMiu442Dd+Wr+xIwG4qPBourNUa5Dwop71VMCP/
    K67RHzUyf6xvqlzVrIjrdsNM6QKBgQDLNbsIIZmcZCtBXW8iCiAvsqlMLc2v0o97
    k1/5T0YlLjXPnUWRmwLZeH8kyzBeezdsE8BdkWtY8dBR/sMjNOu8J2nZgjaqkzxW
    GPwC317X5iJjaHMMjezTLAAnarWyYLs8J/MWzdics838eiXZ023s8Gnu9L+z8QvR
    ruEtzWtu7QKBgFUDFA+XQ6I6OOBXShxa3L0HvhHyIngi+Ax1lHHfkXkknirjqFNM
    14MjFyHE5CtqvvmxPMJ3pIIrfxjhLKjrL2SDBdPC5bkd92wYREbPmDwkgXpu/aHH
    NjfOzGzn700grsDFyeIUMETXzc4vn+AEj+blEG20eo4TN47kJKaIUeFhAoGBAID3
    i8kAUhZAOHeWjeaDmKPM9sdDNoxEzQ03niyC1FjaeApYnQNo5qkQYVj/n6YG+0ib
    THXVydQ8O+MeFchtWMMkHHiPvJQLN7rIxoAoNXA+PUrrykCIfmoTPdHGVqRr4ciu
    7gdmAviI4M1A1G7nUZeTiRe/uz6/V6nvHDhOa8WNAoGBAKYMH99XQcIr6njiWr5a
    l3EA8wxuWuQTlO5+MSS2j6eUnzHh+IcXfdKOy3KWbJM/FJDpbS7HzIZmdiu+lsqh
    /dideuwJFD36llsrIhDexUp6Glm+ZidNh4RegpB75hzAJpZvOqHgb5iAd8y+qLlE
    qq3VBGRFRQZ8bifivnJTLQ/K
    -----END PRIVATE KEY-----
    """
  static let otherRSA = """
    -----BEGIN PUBLIC KEY-----
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEArBXmxPWAAwAYk0lYkiqr
    D2THA3Wc8zzkCGITOlYYiAtpG79lt0qabtNjp9sjPnM9Vj9Qv761fDWX8Mxrtirw
    j3bMm//pAUnkzLwHJsofRTUBZYFxoMX3U4UeR5rh5j+haV+ZryGR3LD0VFW4L4xc
    R9nSdfpwjgX4aBs/2JxB9ATGMUvxfM9pijZqzfNyVvEXjOvwm8rC1IVafhBJpsif
    Z2jsWuC4mbncJaOiEC/L2QW5K7KR0/Cha5/I+7yIwmgEPg/f3CL/ydCvzx+8svGf
    Z+L4wgmC6QR3BVoiZPr8WMX+k+aj+Qgn4DvzJZmKpLVU1UyAiTLpW53gjy4SphAT
    XwIDAQAB
    -----END PUBLIC KEY-----
    """
  /// Too short to be believed: 1024 bits.
  static let smallRSA = """
    -----BEGIN PUBLIC KEY-----
    MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDeGzHFeSiAm6ai8DegQxkfIy8w
    LNey2j/rJshRoHM3vhLaCLiKvxgAkRn7nTmnb4i0GIC61hcvCwXL1nahpRqUP0aZ
    4YpWE+R30uXklqlN04gHyRs4xct8f96kKk6Cvj5lHpjCssVBcjOJIgxp3PhfjZlZ
    kw3mv36SeVY4hCuVtQIDAQAB
    -----END PUBLIC KEY-----
    """
  /// Another curve.
  static let p384 = """
    -----BEGIN PUBLIC KEY-----
    MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEdcWiFcDVSCDMkwS5QBlebE//EZNLN4nt
    zScIuLIQbiR+DCkrTNPBxMTU9VnplYqNbB+TPcVCLFgs9jagLYUYf0rwXGEoCbD7
    KHnlvdf+P09TyjnuhLN27Z9Bq5b2YxAw
    -----END PUBLIC KEY-----
    """
  static let smallModulus =
    "3hsxxXkogJumovA3oEMZHyMvMCzXsto_6ybIUaBzN74S2gi4ir8YAJEZ-505p2-ItBiAutYXLwsFy9Z2oaUalD9GmeGKVhPkd9Ll5JapTdOIB8kbOMXLfH_epCpOgr4-ZR6YwrLFQXIziSIMadz4X42ZWZMN5r9-knlWOIQrlbU"
}
