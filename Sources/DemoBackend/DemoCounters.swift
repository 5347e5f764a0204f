// What the backend has done so far. Counted on its loop, read from anywhere: tests wait for a number instead of sleeping.

import Synchronization

/// Counters of a demo backend at one moment.
public struct DemoCounters: Sendable, Equatable {
  /// Connections that are open.
  public var connections = 0
  /// Replies that are under way, from the end of their request to their last byte.
  public var answering = 0
  /// Requests read to their end.
  public var requests = 0
  /// Replies that went out to their last byte, refusals of unreadable requests included.
  public var answered = 0
  /// Replies whose client left before the end.
  public var abandoned = 0
  /// Replies that were broken off because a switch asked for it.
  public var cut = 0

  public init() {}

  /// As `GET /demo/counters` shows them.
  var json: JSON {
    [
      "connections": .integer(connections), "answering": .integer(answering), "requests": .integer(requests),
      "answered": .integer(answered), "abandoned": .integer(abandoned), "cut": .integer(cut),
    ]
  }
}

/// The counters, shared by the loop that counts and those who look.
final class SharedCounters: Sendable {
  private let counters = Mutex(DemoCounters())

  var current: DemoCounters { counters.withLock { $0 } }

  func count(_ change: @Sendable (inout DemoCounters) -> Void) { counters.withLock { change(&$0) } }
}
