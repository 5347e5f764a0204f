// Finds the few text fields a gateway needs in multipart/form-data (RFC 7578), without keeping a file. A resumable value
// like JSONMemberScanner, with the same outcomes; what different servers would read differently is refused.
//
//   CR LF* --boundary CR LF  headers CR LF CR LF  content  CR LF --boundary …  CR LF --boundary--  anything
//   └ .begin  └ .afterDelimiter  └ .headers       └ .content                                       └ .done

import Glibc

/// Finds form fields in a multipart body that is fed in runs of any size.
public struct MultipartScanner {
  /// Longest header section of a part, in bytes.
  public static let partHeadBytesMax = 4096

  /// How far the scan has come; `.object` once the closing delimiter was read.
  public private(set) var outcome = ScanOutcome.incomplete
  /// Where the content of the `model` field lies in the payload.
  public private(set) var modelRange: Range<Int>?
  /// The model's name. Valid UTF-8 once `modelRange` is there.
  public private(set) var modelName: [UInt8] = []
  /// The `stream` field, in the spellings form readers take for a boolean; nil when absent or anything else.
  public private(set) var stream: Bool?

  /// The model's content and its name, which are the same bytes.
  public var model: (range: Range<Int>, name: [UInt8])? { modelRange.map { ($0, modelName) } }
  /// The model's name as text. Built anew by each call.
  public var modelText: String? { modelRange.map { _ in String(decoding: modelName, as: UTF8.self) } }

  private enum State {
    case begin, afterDelimiter, headers, content, done
  }

  private enum Field {
    case other, model, stream
  }

  /// CR LF, two hyphens and the boundary. CR occurs only at its beginning, so that no suffix of a partial match but a new
  /// CR can begin another match.
  private let delimiter: [UInt8]
  private var state = State.begin
  /// How many bytes of the delimiter match so far.
  private var matched = 2
  private var field = Field.other
  /// A part's headers, or the bytes of a delimiter's line behind the delimiter.
  private var line: [UInt8] = []
  private var content: [UInt8] = []
  private var contentStart = 0
  /// Nothing but a beginning of the delimiter's hyphens and boundary was read of the content.
  private var atContentStart = false
  private var consumed = 0
  private var sawModel = false

  /// A scanner for the body that `contentType` announces; nil when that is not multipart/form-data with a legal boundary.
  public init?(contentType: UnsafeRawBufferPointer) {
    guard let boundary = FormBoundary.find(in: contentType) else { return nil }
    delimiter = [ASCII.cr, ASCII.lf, UInt8(ascii: "-"), UInt8(ascii: "-")] + boundary
  }

  /// Takes the next run of the payload.
  public mutating func scan(_ bytes: UnsafeRawBufferPointer) {
    if case .failed = outcome { return }
    var index = 0
    while index < bytes.count {
      switch state {
      case .begin: index = begin(bytes, index)
      case .afterDelimiter: index = afterDelimiter(bytes, index)
      case .headers: index = headers(bytes, index)
      case .content: index = content(bytes, index)
      case .done: index = bytes.count
      }
      if case .failed = outcome { return }
    }
    consumed &+= bytes.count
  }

  /// The payload is over.
  public mutating func finish() {
    if outcome == .incomplete { outcome = .failed(.truncated) }
  }

  private mutating func malformed(_ index: Int) { outcome = .failed(.malformed(at: consumed &+ index)) }
}

// MARK: - Delimiters

extension MultipartScanner {
  /// The first delimiter. It needs no line end in front; empty lines are passed over, a preamble is refused because not
  /// everybody skips it.
  private mutating func begin(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
    var index = start
    while index < bytes.count {
      let byte = bytes[index]
      if byte == delimiter[matched] {
        matched &+= 1
        index &+= 1
        if matched == delimiter.count {
          enterDelimiterLine()
          return index
        }
      } else if matched == 2, byte == ASCII.cr {
        matched = 1
        index &+= 1
      } else {
        malformed(index)
        return index
      }
    }
    return index
  }

  private mutating func enterDelimiterLine() {
    state = .afterDelimiter
    matched = 0
    line.removeAll(keepingCapacity: true)
  }

  /// What may follow a delimiter on its line: blanks and the line end, or two hyphens for the last one. Anything else is a
  /// longer text that begins like a delimiter; readers disagree on that, so it is refused.
  private mutating func afterDelimiter(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
    let byte = bytes[start]
    switch (line.last, byte) {
    case (UInt8(ascii: "-")?, UInt8(ascii: "-")):
      state = .done
      outcome = .object
    case (nil, UInt8(ascii: "-")), (nil, ASCII.cr), (UInt8(ascii: " ")?, ASCII.cr):
      line.append(byte)
    case (nil, _) where ASCII.isBlank(byte), (UInt8(ascii: " ")?, _) where ASCII.isBlank(byte):
      if line.isEmpty { line.append(UInt8(ascii: " ")) }
    case (ASCII.cr?, ASCII.lf):
      state = .headers
      line.removeAll(keepingCapacity: true)
    default:
      malformed(start)
    }
    return start &+ 1
  }

  /// A part's content, up to the delimiter.
  private mutating func content(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
    guard let base = bytes.baseAddress else { return start }
    var index = start
    while index < bytes.count {
      if matched == 0 {
        // SAFETY: `index` is below the buffer's count.
        let found = memchr(base + index, CInt(ASCII.cr), bytes.count &- index)
        let next = found.map { UnsafeRawPointer($0) - base } ?? bytes.count
        keep(UnsafeRawBufferPointer(rebasing: bytes[index..<next]))
        if case .failed = outcome { return next }
        index = next
        guard index < bytes.count else { return index }
      }
      if bytes[index] == delimiter[matched] {
        matched &+= 1
        index &+= 1
        if matched == delimiter.count {
          // A boundary right behind the headers ends an empty part for some readers and is content for others.
          guard !atContentStart else {
            malformed(index &- 1)
            return index
          }
          endContent(consumed &+ index &- delimiter.count)
          enterDelimiterLine()
          return index
        }
      } else {
        // A beginning that came to nothing was content.
        let beginning = delimiter[(atContentStart ? 2 : 0)..<matched]
        matched = 0
        atContentStart = false
        beginning.withUnsafeBytes { keep($0) }
        if case .failed = outcome { return index }
      }
    }
    return index
  }

  /// Collects the content of a field that is wanted.
  private mutating func keep(_ bytes: UnsafeRawBufferPointer) {
    guard field != .other, !bytes.isEmpty else { return }
    guard content.count + bytes.count <= ScannedModel.bytesMax else {
      if field == .model { outcome = .failed(.modelTooLong) }
      field = .other
      return
    }
    content.append(contentsOf: bytes)
  }

  private mutating func endContent(_ end: Int) {
    switch field {
    case .model:
      guard String(validating: content, as: UTF8.self) != nil else {
        outcome = .failed(.malformed(at: contentStart))
        return
      }
      modelName = content
      modelRange = contentStart..<max(end, contentStart)
    case .stream:
      stream = MultipartScanner.boolean(content)
    case .other: break
    }
    field = .other
  }

  private static func boolean(_ text: [UInt8]) -> Bool? {
    switch String(decoding: text.prefix(8).map(ASCII.lower), as: UTF8.self) {
    case "true", "1", "on", "yes", "t", "y": true
    case "false", "0", "off", "no", "f", "n": false
    default: nil
    }
  }
}

// MARK: - Part headers

extension MultipartScanner {
  /// Collects a part's headers up to the empty line. Lines end with CR LF and nothing else.
  private mutating func headers(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
    var index = start
    while index < bytes.count {
      let byte = bytes[index]
      let afterCR = line.last == ASCII.cr
      guard afterCR == (byte == ASCII.lf), byte != 0, line.count < MultipartScanner.partHeadBytesMax else {
        malformed(index)
        return index
      }
      line.append(byte)
      index &+= 1
      if byte == ASCII.lf, line.count == 2 || line.suffix(4) == [ASCII.cr, ASCII.lf, ASCII.cr, ASCII.lf] {
        beginContent(index)
        return index
      }
    }
    return index
  }

  private mutating func beginContent(_ index: Int) {
    state = .content
    matched = 2
    atContentStart = true
    content = []
    contentStart = consumed &+ index
    guard let part = line.withUnsafeBytes(PartHead.init) else { return malformed(index &- 1) }
    field = .other
    if part.isNamed("model") {
      if sawModel {
        outcome = .failed(.duplicateModel)
      } else if part.isFile || part.isEncoded {
        outcome = .failed(.modelNotString)
      }
      sawModel = true
      field = .model
    } else if part.isNamed("stream"), !part.isFile {
      stream = nil
      field = .stream
    }
  }
}
