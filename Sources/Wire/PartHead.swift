// The two header lines of multipart/form-data that matter: a body's Content-Type with its boundary, and a part's
// Content-Disposition with its name. Allocates, as it runs once for a part.

/// Parameters as MIME headers have them: `; name=token` or `; name="quoted \" text"`.
enum Parameters {
  /// Calls `body` with each name (in lower case) and value. False when the text is malformed or `body` returned false.
  static func forEach(_ text: Slice<UnsafeRawBufferPointer>, _ body: (_ name: [UInt8], _ value: [UInt8]) -> Bool)
    -> Bool
  {
    var rest = text
    while true {
      while let byte = rest.first, ASCII.isBlank(byte) { rest = rest.dropFirst() }
      guard let first = rest.first else { return true }
      guard first == UInt8(ascii: ";") else { return false }
      rest = rest.dropFirst()
      while let byte = rest.first, ASCII.isBlank(byte) { rest = rest.dropFirst() }
      // A semicolon at the end is common and harmless.
      if rest.isEmpty { return true }
      let name = rest.prefix { isToken($0) }
      rest = rest.dropFirst(name.count)
      guard !name.isEmpty, rest.first == UInt8(ascii: "=") else { return false }
      rest = rest.dropFirst()
      var value: [UInt8] = []
      if rest.first == UInt8(ascii: "\"") {
        guard quoted(&rest, &value) else { return false }
      } else {
        value = Array(rest.prefix { isToken($0) })
        rest = rest.dropFirst(value.count)
        guard !value.isEmpty else { return false }
      }
      guard body(name.map(ASCII.lower), value) else { return false }
    }
  }

  private static func quoted(_ rest: inout Slice<UnsafeRawBufferPointer>, _ value: inout [UInt8]) -> Bool {
    rest = rest.dropFirst()
    while let byte = rest.first {
      rest = rest.dropFirst()
      switch byte {
      case UInt8(ascii: "\""): return true
      case UInt8(ascii: "\\"):
        guard let next = rest.first else { return false }
        // Browsers once sent `C:\dir\file`: only a quote or a backslash is escaped.
        if next != UInt8(ascii: "\""), next != UInt8(ascii: "\\") { value.append(byte) }
        value.append(next)
        rest = rest.dropFirst()
      default: value.append(byte)
      }
    }
    return false
  }

  /// The characters of a token (RFC 9110 5.6.2), and those beyond ASCII that some clients put into names.
  private static func isToken(_ byte: UInt8) -> Bool {
    if byte <= 0x20 || byte == 0x7f { return false }
    switch byte {
    case UInt8(ascii: ";"), UInt8(ascii: "="), UInt8(ascii: "\""), UInt8(ascii: ","): return false
    default: return true
    }
  }
}

/// The boundary of a multipart body (RFC 2046 5.1.1).
enum FormBoundary {
  /// One to seventy legal characters; nil for any other type, without a boundary or with two.
  static func find(in contentType: UnsafeRawBufferPointer) -> [UInt8]? {
    let type = contentType.prefix { $0 != UInt8(ascii: ";") }
    guard ASCII.trim(UnsafeRawBufferPointer(rebasing: type)).map(ASCII.lower).elementsEqual("multipart/form-data".utf8)
    else { return nil }
    var boundary: [UInt8]?
    let legal = Parameters.forEach(contentType.dropFirst(type.count)) { name, value in
      guard name.elementsEqual("boundary".utf8) else { return true }
      guard boundary == nil, (1...70).contains(value.count), value.allSatisfy(isLegal), value.last != 0x20 else {
        return false
      }
      boundary = value
      return true
    }
    return legal ? boundary : nil
  }

  private static func isLegal(_ byte: UInt8) -> Bool {
    ASCII.isLetter(byte) || ASCII.isDigit(byte) || "'()+_,-./:=? ".utf8.contains(byte)
  }
}

/// What a part's headers say of it.
struct PartHead {
  private(set) var name: [UInt8] = []
  /// The part has a file name, hence is a file.
  private(set) var isFile = false
  /// The part has a transfer encoding that would have to be undone.
  private(set) var isEncoded = false

  func isNamed(_ name: StaticString) -> Bool {
    self.name.withUnsafeBytes { ASCII.same($0, name) }
  }

  /// Reads header lines, each with its CR LF, and the empty line; nil when they are malformed or name the part not
  /// exactly once.
  init?(_ lines: UnsafeRawBufferPointer) {
    var sawDisposition = false
    for line in lines.split(separator: ASCII.lf, omittingEmptySubsequences: true) {
      let line = line.dropLast()
      guard let first = line.first else { continue }
      // A folded line would be read by some and not by others.
      guard !ASCII.isBlank(first), let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
      let name = line[..<colon].map(ASCII.lower)
      let value = line[(colon &+ 1)...].drop { ASCII.isBlank($0) }
      if name.elementsEqual("content-disposition".utf8) {
        guard !sawDisposition, readDisposition(value) else { return nil }
        sawDisposition = true
      } else if name.elementsEqual("content-transfer-encoding".utf8) {
        let coding = value.map(ASCII.lower)
        isEncoded =
          !(coding.elementsEqual("binary".utf8) || coding.elementsEqual("8bit".utf8)
          || coding.elementsEqual("7bit".utf8))
      } else if name.last.map(ASCII.isBlank) ?? true {
        return nil
      }
    }
    guard sawDisposition else { return nil }
  }

  private mutating func readDisposition(_ value: Slice<UnsafeRawBufferPointer>) -> Bool {
    let kind = value.prefix { $0 != UInt8(ascii: ";") && !ASCII.isBlank($0) }
    guard kind.map(ASCII.lower).elementsEqual("form-data".utf8) else { return false }
    var names = 0
    var found: [UInt8] = []
    var file = false
    let legal = Parameters.forEach(value.dropFirst(kind.count)) { name, value in
      if name.elementsEqual("name".utf8) {
        names += 1
        found = value
      }
      // Extended parameters are forbidden here (RFC 7578 4.2); some read them all the same.
      if name.elementsEqual("name*".utf8) { names += 2 }
      if name.elementsEqual("filename".utf8) || name.elementsEqual("filename*".utf8) { file = true }
      return true
    }
    name = found
    isFile = file
    return legal && names == 1
  }
}
