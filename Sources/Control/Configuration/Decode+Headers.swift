// clusters.NAME.headers: what an operator may set on upstream requests, and what only the gateway may.

extension Configuration.Header {
  /// Headers the gateway itself must own: framing, the connection, and the request's Host (RFC 9110 7.6.1, 7.2).
  private static let owned: [String: String] = [
    "host": "write host: beside headers:", "content-length": "the gateway frames the body",
    "transfer-encoding": "the gateway frames the body", "trailer": "the gateway frames the body",
    "connection": "it belongs to one connection", "keep-alive": "it belongs to one connection",
    "te": "it belongs to one connection", "upgrade": "it belongs to one connection",
    "proxy-connection": "it belongs to one connection", "proxy-authorization": "it belongs to one connection",
    "proxy-authenticate": "it belongs to one connection", "expect": "the gateway answers it",
  ]

  static func all(_ section: Section, apiKey: Bool) -> [Self] {
    var all: [Self] = []
    var names: Set<String> = []
    section.names("headers", secret: true) { name, item in
      let folded = name.lowercased()
      guard name.utf8.count <= 256, name.utf8.allSatisfy(isTokenByte) else {
        return section.report.add(
          item.place, item.path, "found \(quoted(name)), expected a header name (letters, digits, dashes)")
      }
      if let why = owned[folded] {
        return section.report.add(item.place, item.path, "found a header that cannot be set: \(why)")
      }
      if folded == "authorization", apiKey {
        return section.report.add(item.place, item.path, "found Authorization beside api_key; keep one of them")
      }
      guard names.insert(folded).inserted else { return item.again("this header") }
      let expected = "visible ASCII characters, spaces only within"
      guard let value = item.text(expected, "remove this header or give it a value") else { return }
      guard isValue(value) else { return item.wrong(expected) }
      all.append(Self(name: name, value: value))
    }
    return all
  }

  /// RFC 9110 5.6.2.
  static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E:
      return true
    default: return false
    }
  }

  private static func isValue(_ text: String) -> Bool {
    (1...8192).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 0x09 }
      && !text.hasPrefix(" ") && !text.hasSuffix(" ") && !text.hasPrefix("\t") && !text.hasSuffix("\t")
  }
}
