// Credentials that a service of the operator's knows: it is shown each request's, and its status is the verdict. What it
// does not say clearly is a no: a gateway that cannot ask lets nobody in.

import Gateway
import Reactor
import Wire

/// Asks an HTTP service whether a request may pass, as nginx's `auth_request` does.
public final class ExternalCheck: CredentialSource {
  /// Where the service is, and what it is told.
  public struct Service: Sendable {
    public let place: FetchPlace
    /// For an answer, in nanoseconds.
    public var timeMax: UInt64 = 2_000_000_000
    /// How long a yes is remembered, in nanoseconds; 0 asks each time.
    public var cacheAge: UInt64 = 0
    /// Names of further fields of the request that it is shown. A request that has one of them is asked about also when it
    /// shows no credential.
    public var headers: [String] = []

    public init(_ place: FetchPlace) { self.place = place }
  }

  /// Why there is no verdict.
  struct Unavailable: Error, CustomStringConvertible {
    let description: String
  }

  private let service: Service
  private let memo = CredentialMemo()

  public init(_ service: Service) { self.service = service }

  public var judgesRequests: Bool { !service.headers.isEmpty }

  public func find(_ credential: Credential, _ exchange: Exchange) -> Finding {
    if credential.kind == .session { return .unknown }
    guard service.cacheAge > 0 else { return .later }
    let tag = tag(credential.tag, credential.kind, headers(of: exchange))
    return known(tag, exchange).map { .known($0) } ?? .later
  }

  public func look(
    for secret: String?, _ kind: Credential.Kind?, _ exchange: Exchange, on loop: isolated LoopActor
  ) async throws -> Finding {
    let headers = headers(of: exchange)
    if secret == nil, headers.isEmpty { return .unknown }
    var fields = headers
    if let secret {
      fields.removeAll { $0.name.lowercased() == (kind == .apiKey ? "x-api-key" : "authorization") }
      fields.append(kind == .apiKey ? ("X-API-Key", secret) : ("Authorization", "Bearer \(secret)"))
    }
    // What could not be sent on as it is would be judged as if it were not there.
    guard fields.allSatisfy({ isFieldValue($0.value) }) else { return .unknown }
    let tag = tag(secret.map { tagOf($0) } ?? 0, kind, headers)
    if service.cacheAge > 0, let holder = known(tag, exchange) { return .known(holder) }
    let answer = try await ask(fields + about(exchange), exchange.core, on: loop)
    switch answer.status {
    case 200..<300:
      let identity = Self.identity(answer)
      if service.cacheAge > 0 {
        let until = Machine.wallClockNanoseconds() &+ service.cacheAge
        memo.keep(identity, tag, until: until, core: exchange.core.index)
      }
      return .known(identity)
    case 401: return .refused(Failure(.downstream, secret.map { .badKey(Auth.redacted($0)) } ?? .noKey))
    case 403: return .refused(Self.forbidden)
    default: throw Unavailable(description: "auth service: answered with status \(answer.status)")
    }
  }

  private func ask(
    _ fields: [(name: String, value: String)], _ core: Core, on loop: isolated LoopActor
  ) async throws -> FetchAnswer {
    var request = FetchRequest(target: service.place.path)
    request.fields = fields
    request.timeMax = service.timeMax
    request.bytesMax = 64 << 10
    do {
      return try await core.fetch(request, from: service.place, on: loop)
    } catch {
      throw Unavailable(description: "auth service: \(error)")
    }
  }

  // MARK: What it is told

  /// The named fields that the request has, each as often as it has them.
  private func headers(of exchange: Exchange) -> [(name: String, value: String)] {
    guard !service.headers.isEmpty, let head = exchange.head else { return [] }
    var found: [(name: String, value: String)] = []
    for index in 0..<head.fieldCount {
      let field = head.field(index)
      let name = text(head, field.name)
      guard service.headers.contains(where: { $0.lowercased() == name.lowercased() }) else { continue }
      // The gateway's own session is nobody else's.
      if field.known == .cookie, exchange.ownsCookies { continue }
      found.append((name, text(head, field.value)))
    }
    return found
  }

  /// What is asked for, and by whom. Not the query, which is in no log either.
  private func about(_ exchange: Exchange) -> [(name: String, value: String)] {
    var fields = [
      (name: "X-Original-Method", value: exchange.head.map { text($0, $0.methodSpan) } ?? exchange.method.name),
      (name: "X-Original-URI", value: String(decoding: exchange.path, as: UTF8.self)),
      (name: "X-Request-Id", value: exchange.requestID),
    ]
    if let address = exchange.clientAddress { fields.append((name: "X-Forwarded-For", value: "\(address)")) }
    return fields
  }

  private func text(_ head: Head, _ span: Span) -> String { String(decoding: head.bytes(span), as: UTF8.self) }

  private func isFieldValue(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }

  // MARK: What it has said

  private func known(_ tag: UInt64, _ exchange: Exchange) -> Identity? {
    memo.find(tag, now: Machine.wallClockNanoseconds(), core: exchange.core.index)
  }

  private func tagOf(_ secret: String) -> UInt64 {
    var secret = secret
    return secret.withUTF8 { CredentialTag.of(UnsafeRawBufferPointer($0)) }
  }

  /// Stands for a credential and for all else that the verdict may come from.
  private func tag(
    _ credential: UInt64, _ kind: Credential.Kind?, _ headers: [(name: String, value: String)]
  ) -> UInt64 {
    // No name and no value has a line's end in it, so nothing can be put together in two ways.
    let first = kind == .apiKey ? "k\(credential)" : "b\(credential)"
    return tagOf(headers.reduce(first) { "\($0)\n\($1.name.lowercased())\n\($1.value)" })
  }

  /// Who it is, as the answer's fields tell. What they do not tell is as for a key of the configuration.
  static func identity(_ answer: FetchAnswer) -> Identity {
    // What can be no name is none: the service has said yes all the same.
    let name = answer.field("X-Auth-Name").flatMap { Identity.isName($0) ? $0 : nil } ?? ""
    let permissions = answer.field("X-Auth-Permissions").map { list in
      words(list).reduce(into: Permissions()) { if let known = Permissions(word: $1) { $0.insert(known) } }
    }
    // Names of models may have spaces in them.
    let models = answer.field("X-Auth-Models").map { list in
      Set(list.split(separator: ",").map { trimmed($0) }.filter { !$0.isEmpty })
    }
    return Identity(
      name: name.isEmpty ? "external" : name, id: "external:\(name)", permissions: permissions ?? .usual,
      models: models,
      account: answer.field("X-Auth-Account").flatMap { $0.isEmpty ? nil : $0 })
  }

  private static func words(_ list: String) -> [Substring] { list.split { $0 == " " || $0 == "," || $0 == "\t" } }

  private static func trimmed(_ text: Substring) -> String {
    let isBlank = { (character: Character) in character == " " || character == "\t" }
    var rest = text.drop(while: isBlank)
    while rest.last.map(isBlank) ?? false { rest.removeLast() }
    return String(rest)
  }

  private static let forbidden = Failure(
    .downstream,
    .refused(
      Failure.Refusal(status: 403, message: "You are not allowed to do this.", code: "insufficient_permissions")))
}
