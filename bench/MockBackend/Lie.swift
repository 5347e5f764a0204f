// Answers that are wrong on purpose. A generator that does not notice them measures nothing: its tests ask for each.

/// What is wrong with an answer.
public enum Lie: Equatable, Sendable {
  /// Nothing.
  case none
  /// Event K is left out.
  case drop(Int)
  /// Events K and K + 1 change places.
  case swap(Int)
  /// Event K comes twice.
  case double(Int)
  /// The connection is closed behind event K, or in the middle of an answer that is no stream.
  case cut(Int)
  /// Nothing comes behind event K, or behind the head, and the connection stays open.
  case stall(Int)
  /// One byte of the content is wrong.
  case garble
  /// A stream ends without `[DONE]`.
  case noDone
  /// The last event, or the last byte of the content, is missing; the framing is right.
  case short
  /// The chunk framing is wrong behind the last event; an answer that is no stream has a byte too many.
  case framing
  /// The answer is an error with this status.
  case status(Int)

  /// How lies are written.
  public static let forms =
    "drop:K, swap:K, double:K, cut:K, stall:K, garble, no-done, short, framing, status:CODE"

  /// Reads `drop:7`, `no-done` and the like.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1)
    let number = parts.count == 2 ? Int(parts[1]) : nil
    guard let name = parts.first, parts.count == 1 || (number ?? -1) >= 0 else { return nil }
    switch (name, number) {
    case ("drop", let number?) where number > 0: self = .drop(number)
    case ("swap", let number?) where number > 0: self = .swap(number)
    case ("double", let number?) where number > 0: self = .double(number)
    case ("cut", let number?): self = .cut(number)
    case ("stall", let number?): self = .stall(number)
    case ("status", let number?) where (400...599).contains(number): self = .status(number)
    case ("garble", nil): self = .garble
    case ("no-done", nil): self = .noDone
    case ("short", nil): self = .short
    case ("framing", nil): self = .framing
    default: return nil
    }
  }

  /// How many events are sent of a stream that should have `events`.
  func count(of events: Int) -> Int {
    switch self {
    case .drop(let number): number <= events ? max(events - 1, 0) : events
    case .double(let number): number <= events ? events + 1 : events
    case .cut(let number), .stall(let number): min(number, events)
    case .short: max(events - 1, 0)
    case .none, .swap, .garble, .noDone, .framing, .status: events
    }
  }

  /// The number that stands on the event at `position`, both from 1.
  func number(at position: Int) -> Int {
    switch self {
    case .drop(let number): position < number ? position : position + 1
    case .double(let number): position <= number ? position : position - 1
    case .swap(let number): position == number ? position + 1 : position == number + 1 ? position - 1 : position
    default: position
    }
  }
}
