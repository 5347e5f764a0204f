// Feeding a parser the same bytes in every way a network may deliver them: whole, byte by byte, and cut once at every
// place. All tests of this target that read bytes go through here.

import Testing

@testable import Wire

/// Ways to deliver `count` bytes, as lengths of consecutive pieces.
func deliveries(of count: Int) -> [[Int]] {
  var ways = [[count], Array(repeating: 1, count: count)]
  for cut in 1..<max(count, 2) where cut < count { ways.append([cut, count - cut]) }
  return ways
}

/// Cuts `bytes` as `lengths` says. Each piece is memory of its own, so that reading past it is noticed.
func pieces(_ bytes: [UInt8], _ lengths: [Int]) -> [[UInt8]] {
  var rest = bytes[...]
  return lengths.map { length in
    defer { rest = rest.dropFirst(length) }
    return Array(rest.prefix(length))
  }
}

/// What a parser made of a stream of messages.
struct Reading: Equatable {
  struct Message: Equatable {
    var startLine = ""
    var fields: [String] = []
    var framing = Framing.none
    var keepAlive = false
    var payload = ""
    var isComplete = false
  }
  var messages: [Message] = []
  var failure: FramingError?
  /// The stream ended inside a message.
  var isCut = false
}

final class Collected: PayloadSink {
  var bytes: [UInt8] = []
  func payload(_ run: UnsafeRawBufferPointer) {
    #expect(!run.isEmpty)
    bytes.append(contentsOf: run)
  }
}

/// Reads all messages in `input`, delivered in pieces of the given lengths, the way a connection does: head bytes are
/// appended to each other, body bytes are only walked.
func read(
  _ input: [UInt8], _ lengths: [Int], role: MessageParser.Role = .request, limits: HeadLimits = HeadLimits(),
  bodiless: Bool = false
) -> Reading {
  let parser = MessageParser(role: role, limits: limits)
  parser.reset(bodiless: bodiless)
  var reading = Reading()
  var head: [UInt8] = []
  let sink = Collected()

  func endMessage() {
    reading.messages[reading.messages.count - 1].payload = text(sink.bytes)
    reading.messages[reading.messages.count - 1].isComplete = parser.isComplete
    #expect(parser.payloadCount == UInt64(sink.bytes.count))
    #expect(parser.payloadTail == sink.bytes.suffix(4).reduce(0) { $0 << 8 | UInt32($1) })
    guard parser.isComplete else { return }
    let isInterim = role == .response && (100..<200).contains(parser.head.status)
    parser.reset(bodiless: isInterim ? bodiless : false)
    sink.bytes = []
    head = []
  }

  for piece in pieces(input, lengths) {
    piece.withUnsafeBytes { bytes in
      var rest = bytes
      while !rest.isEmpty {
        if parser.headIsComplete {
          switch parser.parseBody(rest, to: sink) {
          case .more: rest = UnsafeRawBufferPointer(rebasing: rest[rest.count...])
          case .complete(let consumed):
            rest = UnsafeRawBufferPointer(rebasing: rest[consumed...])
            endMessage()
          case .failed(let error):
            reading.failure = error
            return
          }
        } else {
          switch parser.parseHead(rest) {
          case .more:
            head += Array(rest)
            rest = UnsafeRawBufferPointer(rebasing: rest[rest.count...])
          case .complete(let consumed):
            head += Array(rest[..<consumed])
            rest = UnsafeRawBufferPointer(rebasing: rest[consumed...])
            reading.messages.append(message(parser, Array(head.dropFirst(parser.headOffset))))
            if parser.isComplete { endMessage() }
          case .failed(let error):
            reading.failure = error
            return
          }
        }
      }
    }
    if reading.failure != nil { break }
  }
  if reading.failure == nil {
    let open = parser.started
    let legal = parser.finish()
    reading.isCut = open && !legal
    if parser.headIsComplete { endMessage() }
  }
  return reading
}

private func message(_ parser: MessageParser, _ bytes: [UInt8]) -> Reading.Message {
  bytes.withUnsafeBytes { bytes in
    let head = parser.head
    #expect(head.byteCount == bytes.count)
    head.base = bytes.baseAddress
    defer { head.base = nil }
    var message = Reading.Message()
    if head.status > 0 {
      message.startLine = "1.\(head.versionMinor) \(head.status) \(text(head.bytes(head.reason)))"
    } else {
      let parts = [head.methodSpan, head.authority, head.path, head.query].map { text(head.bytes($0)) }
      let query = head.hasQuery ? "?" + parts[3] : ""
      message.startLine = "\(parts[0]) \(parts[1])|\(parts[2])|\(query) 1.\(head.versionMinor)"
    }
    for index in 0..<head.fieldCount {
      let field = head.field(index)
      message.fields.append("\(text(head.bytes(field.name)))=\(text(head.bytes(field.value)))")
      if field.known != .other {
        #expect(ASCII.equal(head.bytes(field.name), lowercase: field.known.name))
      }
    }
    message.framing = parser.framing
    message.keepAlive = parser.keepAlive
    return message
  }
}

/// Reads `input` in every delivery, expects the same every time, and returns it.
func readEveryWay(
  _ input: String, role: MessageParser.Role = .request, limits: HeadLimits = HeadLimits(), bodiless: Bool = false,
  _ location: SourceLocation = #_sourceLocation
) -> Reading {
  readEveryWay(Array(input.utf8), role: role, limits: limits, bodiless: bodiless, location)
}

func readEveryWay(
  _ input: [UInt8], role: MessageParser.Role = .request, limits: HeadLimits = HeadLimits(), bodiless: Bool = false,
  _ location: SourceLocation = #_sourceLocation
) -> Reading {
  let whole = read(input, [input.count], role: role, limits: limits, bodiless: bodiless)
  for lengths in deliveries(of: input.count) {
    let split = read(input, lengths, role: role, limits: limits, bodiless: bodiless)
    #expect(split == whole, "delivered as \(lengths.prefix(2))", sourceLocation: location)
    if split != whole { break }
  }
  return whole
}

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
