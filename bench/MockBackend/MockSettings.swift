// What a mock backend sends: given at its start, and changed for one request by its header `x-mock`. A plain value.

import Stamp

/// What an answer looks like and how it is sent.
///
/// ```
/// x-mock: events=100,gap-us=50000,batch=1,event-bytes=250,answer-bytes=1024,delay-us=0,lie=drop:7
/// ```
public struct MockSettings: Equatable, Sendable {
  /// Numbered events of a stream. The events that end it come on top.
  public var events = 100
  /// Microseconds between two writes of a stream; 0 sends as fast as the socket takes it.
  public var gapMicroseconds = 50_000
  /// Events that leave in one write, each in a chunk of its own.
  public var batch = 1
  /// Bytes of an event, from `data:` to its empty line. Made longer when the stamp does not fit.
  public var eventBytes = 250
  /// Bytes of an answer that is no stream. Made longer when the JSON around it does not fit.
  public var answerBytes = 1024
  /// Microseconds between the end of a request and the first event, or the answer.
  public var delayMicroseconds = 0
  /// What is wrong with the answer.
  public var lie = Lie.none

  public init() {}

  /// What was wrong with a text of settings.
  public struct Mistake: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
  }

  /// Changes what `text` names: `name=value`, separated by commas.
  public mutating func apply(_ text: String) throws(Mistake) {
    for part in text.split(separator: ",") {
      let pair = part.split(separator: "=", maxSplits: 1).map { $0.trimming() }
      guard pair.count == 2 else { throw Mistake(description: "found \(part), expected name=value") }
      try apply(pair[0], pair[1])
    }
  }

  private mutating func apply(_ name: Substring, _ value: Substring) throws(Mistake) {
    func number(_ range: ClosedRange<Int>) throws(Mistake) -> Int {
      guard let number = Int(value), range.contains(number) else {
        throw Mistake(description: "\(name): found \(value), expected \(range.lowerBound) to \(range.upperBound)")
      }
      return number
    }
    switch name {
    case "events": events = try number(0...Stamp.numberMax)
    case "gap-us": gapMicroseconds = try number(0...Self.microsecondsMax)
    case "batch": batch = try number(1...Self.batchMax)
    case "event-bytes": eventBytes = try number(1...Self.eventBytesMax)
    case "answer-bytes": answerBytes = try number(1...Self.answerBytesMax)
    case "delay-us": delayMicroseconds = try number(0...Self.microsecondsMax)
    case "lie":
      guard let lie = Lie(String(value)) else {
        throw Mistake(description: "lie: found \(value), expected one of \(Lie.forms)")
      }
      self.lie = lie
    default:
      throw Mistake(
        description: "found \(name), expected events, gap-us, batch, event-bytes, answer-bytes, delay-us or lie")
    }
  }

  /// An hour.
  static let microsecondsMax = 3_600_000_000
  static let batchMax = 256
  static let eventBytesMax = 65_536
  /// A tebibyte: nothing of that size is ever kept.
  static let answerBytesMax = 1 << 40
}

extension Substring {
  /// Without the spaces around it.
  func trimming() -> Substring {
    var text = self.drop { $0 == " " || $0 == "\t" }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
  }
}
