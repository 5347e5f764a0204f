// What a client sends to make or rotate a key, read and checked. An unknown member is refused: a misspelt `expires_at` must
// not make a key that lasts for ever.

import Foundation
import Gateway
import Plugins

/// The JSON object of a request's body.
struct KeyRequest {
  private let members: [String: JSONValue]

  static let bytesMax = 64 << 10

  /// Why the body that comes is not read; nil where none comes, or one that says that it is JSON. What says nothing is what
  /// a form of another site's page sends as well, and without a length nothing else is held.
  static func refusal(ofBody exchange: Exchange) -> Refused? {
    let length = exchange.field(.contentLength)
    guard exchange.field(.transferEncoding) != nil || !(length?.allSatisfy { $0 == UInt8(ascii: "0") } ?? true) else {
      return nil
    }
    if exchange.count(of: .contentType) == 1, exchange.field(.contentType).map(isJSON) ?? false { return nil }
    let words = Failure.Refusal(
      status: 415, message: "The body must be JSON; send it with 'Content-Type: application/json'.",
      code: "unsupported_media_type")
    return Refused(Failure(.downstream, .refused(words)))
  }

  /// Whether a content type is that of JSON, with parameters or without (RFC 9110, 8.3.1).
  static func isJSON(_ type: UnsafeRawBufferPointer) -> Bool {
    let name = String(decoding: type.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 && $0 != 0x09 }, as: UTF8.self)
    let end = type.dropFirst(name.utf8.count).first { $0 != 0x20 && $0 != 0x09 }
    return name.lowercased() == "application/json" && (end == nil || end == UInt8(ascii: ";"))
  }

  /// An empty body is an empty object.
  init(_ exchange: Exchange) throws(Refused) {
    guard let body = exchange.heldBody(upTo: Self.bytesMax) else {
      throw Refused(Failure(.downstream, .bodyTooLarge(limit: Self.bytesMax)))
    }
    try self.init(body)
  }

  init(_ body: [UInt8]) throws(Refused) {
    guard !body.isEmpty else {
      members = [:]
      return
    }
    guard case .object(let members)? = try? JSONDecoder().decode(JSONValue.self, from: Data(body)) else {
      throw Refused(Failure(.downstream, .unreadableBody))
    }
    self.members = members
  }

  /// A key to be made.
  func newKey(_ now: Int) throws(Refused) -> NewKey {
    try checkNames(["name", "permissions", "models", "account", "expires_at"])
    guard case .string(let name)? = members["name"] else { throw Refused("name", "'name' must be a string.") }
    var key = NewKey(name: name)
    if let words = try strings("permissions") {
      key.permissions = []
      for word in words {
        guard let permission = Permissions(word: word) else {
          throw Refused("permissions", "'permissions' must be of 'read', 'proxy' and 'admin'.")
        }
        key.permissions.insert(permission)
      }
    }
    key.models = try strings("models")
    switch members["account"] {
    case nil, .null: break
    case .string(let account): key.account = account
    default: throw Refused("account", "'account' must be a string.")
    }
    key.expiresAt = try integer("expires_at", in: 0...Int.max)
    if let mistake = key.mistake(now: now) {
      throw Refused(mistake.member, "'\(mistake.member)' \(mistake.expected).")
    }
    return key
  }

  /// For how many seconds an old secret is still good.
  func grace() throws(Refused) -> Int {
    try checkNames(["grace_seconds"])
    return try integer("grace_seconds", in: 0...NewKey.graceSecondsMax) ?? 0
  }

  private func checkNames(_ known: [String]) throws(Refused) {
    guard let unknown = members.keys.filter({ !known.contains($0) }).min() else { return }
    throw Refused(
      String(unknown.prefix(64)), "Unknown parameter; known here: \(known.joined(separator: ", ")).")
  }

  private func strings(_ name: String) throws(Refused) -> [String]? {
    switch members[name] {
    case nil, .null: return nil
    case .array(let values):
      var strings: [String] = []
      for value in values {
        guard case .string(let string) = value else { throw Refused(name, "'\(name)' must be an array of strings.") }
        strings.append(string)
      }
      return strings
    default: throw Refused(name, "'\(name)' must be an array of strings.")
    }
  }

  private func integer(_ name: String, in range: ClosedRange<Int>) throws(Refused) -> Int? {
    switch members[name] {
    case nil, .null: return nil
    case .integer(let number) where range.contains(number): return number
    default:
      let bound = range.upperBound == .max ? "" : " up to \(range.upperBound)"
      throw Refused(name, "'\(name)' must be a whole number from \(range.lowerBound)\(bound).")
    }
  }
}

extension NewKey {
  /// A year, in seconds.
  public static let graceSecondsMax = 31_536_000

  /// The first member that cannot be so, and what is expected of it; nil when all is good. For the command line and the API.
  public func mistake(now: Int) -> (member: String, expected: String)? {
    if !Identity.isName(name) { return ("name", "must be 1 to 256 bytes without control characters") }
    if permissions.isEmpty { return ("permissions", "must have one of read, proxy and admin at least") }
    if let models {
      guard (1...256).contains(models.count), models.allSatisfy(Identity.isName) else {
        return ("models", "must be 1 to 256 names of models; without it all are allowed")
      }
    }
    if let account, !Identity.isName(account) {
      return ("account", "must be 1 to 256 bytes without control characters")
    }
    // The end of the year 9999: later ones are no dates that anything can write.
    if let expiresAt, !(now + 1...253_402_300_799).contains(expiresAt) {
      return ("expires_at", "must be in the future, and a time before the year 10000 in seconds since 1970")
    }
    return nil
  }
}

/// Any JSON.
enum JSONValue: Decodable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let bool = try? container.decode(Bool.self) {
      self = .bool(bool)
    } else if let integer = try? container.decode(Int.self) {
      self = .integer(integer)
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let string = try? container.decode(String.self) {
      self = .string(string)
    } else if let array = try? container.decode([JSONValue].self) {
      self = .array(array)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }
}
