import Gateway
import Plugins
import Testing

@testable import KeyStore

@Suite("What clients send to manage keys")
struct RequestTests {
  let now = 1_800_000_000

  /// The status and the parameter at fault; nil when all is good.
  func refusal(_ work: () throws(Refused) -> Void) -> (status: Int, param: String?)? {
    do throws(Refused) {
      try work()
      return nil
    } catch {
      if case .refused(let words) = error.failure.cause { return (words.status, words.param) }
      return (error.failure.status, nil)
    }
  }

  @Test("a key is made with what was asked for, and with defaults for the rest")
  func good() throws {
    let all = try KeyRequest(
      Array(#"{"name":"a","permissions":["read","admin"],"models":["m"],"account":"x","expires_at":1800000001}"#.utf8)
    ).newKey(now)
    #expect(all.name == "a" && all.permissions == [.read, .admin] && all.models == ["m"] && all.account == "x")
    #expect(all.expiresAt == now + 1)
    let few = try KeyRequest(Array(#"{"name":"a","models":null,"account":null,"expires_at":null}"#.utf8)).newKey(now)
    #expect(few.permissions == .usual && few.models == nil && few.account == nil && few.expiresAt == nil)
  }

  @Test(
    "what is wrong is refused with the parameter at fault",
    arguments: [
      ("{}", "name"), (#"{"name":1}"#, "name"), (#"{"name":""}"#, "name"), (#"{"name":"a\nb"}"#, "name"),
      (#"{"name":null}"#, "name"), (#"{"name":"a","permissions":[]}"#, "permissions"),
      (#"{"name":"a","permissions":["root"]}"#, "permissions"), (#"{"name":"a","permissions":"read"}"#, "permissions"),
      (#"{"name":"a","permissions":[1]}"#, "permissions"), (#"{"name":"a","models":[]}"#, "models"),
      (#"{"name":"a","models":"m"}"#, "models"), (#"{"name":"a","models":[""]}"#, "models"),
      (#"{"name":"a","account":""}"#, "account"), (#"{"name":"a","account":7}"#, "account"),
      (#"{"name":"a","expires_at":1800000000}"#, "expires_at"), (#"{"name":"a","expires_at":-1}"#, "expires_at"),
      (#"{"name":"a","expires_at":"2027"}"#, "expires_at"), (#"{"name":"a","expires_at":1.5}"#, "expires_at"),
      (#"{"name":"a","expires_at":1e300}"#, "expires_at"), (#"{"name":"a","expires_at":true}"#, "expires_at"),
      (#"{"name":"a","expires":1900000000}"#, "expires"), (#"{"name":"a","id":"key_x"}"#, "id"),
    ])
  func mistakes(_ body: String, _ param: String) {
    let found = refusal { () throws(Refused) in _ = try KeyRequest(Array(body.utf8)).newKey(now) }
    #expect(found?.status == 400 && found?.param == param, "\(body): \(String(describing: found))")
  }

  @Test(
    "what is no JSON object is refused",
    arguments: ["[]", "null", "1", "\"a\"", "{", "{\"name\":\"a\"", "\u{0}", String(repeating: "[", count: 60_000)])
  func noObject(_ body: String) {
    #expect(refusal { () throws(Refused) in _ = try KeyRequest(Array(body.utf8)) }?.status == 400)
  }

  @Test("bytes that are no UTF-8 are refused")
  func noText() {
    #expect(refusal { () throws(Refused) in _ = try KeyRequest([0x7B, 0xFF, 0xFE, 0x7D]) }?.status == 400)
  }

  @Test(
    "a grace is whole seconds up to a year, and none where nothing is said",
    arguments: [
      ("", 0), ("{}", 0), (#"{"grace_seconds":null}"#, 0), (#"{"grace_seconds":60}"#, 60),
      (#"{"grace_seconds":31536000}"#, 31_536_000), (#"{"grace_seconds":-1}"#, nil),
      (#"{"grace_seconds":31536001}"#, nil), (#"{"grace_seconds":"60"}"#, nil), (#"{"grace":60}"#, nil),
    ] as [(String, Int?)])
  func grace(_ body: String, _ expected: Int?) {
    #expect((try? KeyRequest(Array(body.utf8)).grace()) == expected)
  }

  @Test(
    "paths below admin/keys and admin/sessions are ours, whatever stands there",
    arguments: [
      ("/admin/keys", .keys), ("/admin/keys/k", .key("k")), ("/admin/keys/k/rotate", .rotation("k")),
      ("/admin/sessions", .sessions), ("/admin/keys/", .unknown), ("/admin/keys//rotate", .unknown),
      ("/admin/keys/k/else", .unknown), ("/admin/keys/k/rotate/more", .unknown), ("/admin/sessions/", .unknown),
      ("/admin/sessions/x", .unknown), ("/admin/models/stats", nil), ("/admin", nil), ("/admin/", nil),
      ("/admin/keysx", nil), ("/keys", nil), ("", nil), ("/", nil), ("/x/admin/keys", nil),
    ] as [(String, KeyAdministration.Place?)])
  func places(_ path: String, _ expected: KeyAdministration.Place?) {
    #expect(KeyAdministration.place(Array(path.utf8)[...]) == expected)
  }

  @Test("only what is about a key itself is told a client of what goes wrong in the store")
  func insides() {
    let locked = Refused(KeyStoreError(.locked, "keys.db", "locked by process 7"))
    #expect(locked.failure.status == 503 && locked.failure.detail.contains("process 7"))
    if case .refused(let words) = locked.failure.cause { #expect(!words.message.contains("keys.db")) }
    #expect(Refused(KeyStoreError(.noSuchKey, "", "x")).failure.status == 404)
  }

  @Test("a cookie is out of reach of scripts and of other sites, and of plain HTTP where TLS is spoken")
  func cookies() {
    let plain = KeyAdministration.cookie("mp_sess_x", age: 43_200, isSecure: false)
    #expect(plain == "sluice_session=mp_sess_x; HttpOnly; SameSite=Strict; Path=/; Max-Age=43200")
    #expect(KeyAdministration.cookie("", age: 0, isSecure: true).hasSuffix("; Max-Age=0; Secure"))
  }
}
