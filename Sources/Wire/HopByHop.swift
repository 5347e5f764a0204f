// Which header lines end at this hop. Asked for every line of every head that is written anew, in both directions.

/// The hop-by-hop rule (RFC 9110 7.6.1).
public enum HopByHop {
  /// Whether the line at `index` goes on to the next hop. `head.base` must be set.
  ///
  /// Lines that are named by Connection stay here too, with three exceptions: a message without its Host, Content-Length
  /// or Content-Type is another message, and a peer may not make the gateway send one.
  public static func forwards(_ index: Int, of head: Head) -> Bool {
    let field = head.field(index)
    switch field.known {
    case .connection, .keepAlive, .proxyConnection, .proxyAuthenticate, .proxyAuthorization, .te, .trailer,
      .transferEncoding, .upgrade, .http2Settings:
      return false
    case .host, .contentLength, .contentType:
      return true
    default:
      return !connectionNamesFields(head) || !isNamed(head.bytes(field.name), by: head)
    }
  }

  /// Whether Connection has any option but the usual ones. Found out once for a head.
  private static func connectionNamesFields(_ head: Head) -> Bool {
    guard head.has(.connection) else { return false }
    if head.record.pointee.connectionOptions == .unknown {
      var names = false
      forEachOption(of: head) { option in
        names =
          !(ASCII.equal(option, lowercase: "close") || ASCII.equal(option, lowercase: "keep-alive")
          || ASCII.equal(option, lowercase: "upgrade"))
        return !names
      }
      head.record.pointee.connectionOptions = names ? .namesFields : .plain
    }
    return head.record.pointee.connectionOptions == .namesFields
  }

  private static func isNamed(_ name: UnsafeRawBufferPointer, by head: Head) -> Bool {
    var named = false
    forEachOption(of: head) { option in
      named = option.count == name.count && zip(option, name).allSatisfy { ASCII.lower($0) == ASCII.lower($1) }
      return !named
    }
    return named
  }

  private static func forEachOption(of head: Head, _ body: (UnsafeRawBufferPointer) -> Bool) {
    var goesOn = true
    for index in 0..<head.fieldCount where goesOn {
      let field = head.field(index)
      guard field.known == .connection else { continue }
      ASCII.forEachElement(head.bytes(field.value)) { option in
        goesOn = body(option)
        return goesOn
      }
    }
  }
}
