// The phases of an exchange, as one protocol (design: one protocol, every phase defaulted, a note per exchange).
// A plugin is shared by all cores, so it is Sendable and keeps no state of an exchange in itself: that belongs to the
// exchange's notes. Phases run on the loop's thread; they never block.

import Reactor

/// The phases that a plugin wants to be called for. A phase nobody declares costs nothing.
public struct Phases: OptionSet, Sendable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Head parsed; nothing has been read of the body.
  public static let request = Phases(rawValue: 1 << 0)
  /// The body is there, as far as it is held: that of a route that has a model is whole, and its members are known. A body
  /// that passes through unread has only begun.
  public static let body = Phases(rawValue: 1 << 1)
  /// Model to cluster.
  public static let route = Phases(rawValue: 1 << 2)
  /// The head for the upstream is being written.
  public static let upstreamRequest = Phases(rawValue: 1 << 3)
  /// The head for the client is being written, be it an upstream's or the gateway's own.
  public static let response = Phases(rawValue: 1 << 4)
  /// Something failed and wants an answer.
  public static let failed = Phases(rawValue: 1 << 5)
  /// The exchange is over.
  public static let finished = Phases(rawValue: 1 << 6)
  /// An upstream's answer has begun: what of its JSON is to be changed.
  public static let edits = Phases(rawValue: 1 << 7)
  /// Bytes of an upstream's answer pass.
  public static let pieces = Phases(rawValue: 1 << 8)
}

/// What a deciding phase says.
public enum Verdict {
  /// Go on.
  case pass
  /// Answer with this now; the upstream is never asked.
  case reply(Reply)
  /// Answer with the envelope of this failure.
  case fail(Failure)
  /// Not known yet: `wait` is called and may suspend.
  case wait
}

/// What becomes of an exchange whose plugin has thrown, or has waited for too long.
public enum PluginFailing: Sendable {
  /// It is refused with 500: the way of auth.
  case closed
  /// It goes on as if the plugin had passed it: the way of observers.
  case open
}

/// One concern of the gateway: auth, limits, routing, an envelope, a log.
///
/// Deciding phases (`request`, `body`, `route`) run in the order of the chain; the first verdict that is not `.pass`
/// ends the phase. Writing phases (`upstreamRequest`, `response`) and `finished` reach every plugin that declared them.
public protocol Plugin: Sendable {
  /// Name for messages to the operator.
  var name: String { get }
  /// The phases to be called for.
  var phases: Phases { get }
  /// The dialects whose exchanges it is called for; empty is all of them.
  var dialects: [String] { get }

  /// How long `wait(in:_:on:)` may take, in nanoseconds; 0 is no bound.
  var waitMax: UInt64 { get }
  /// What becomes of an exchange for which it took longer, or threw.
  var failing: PluginFailing { get }

  /// Head parsed: request id, client address, auth, limits.
  func request(_ exchange: Exchange) -> Verdict
  /// The body is whole: `exchange.members` tells its model.
  func body(_ exchange: Exchange) -> Verdict
  /// Chooses `exchange.destination`.
  func route(_ exchange: Exchange) -> Verdict
  /// Writes fields of its own into the head for the upstream.
  func upstreamRequest(_ exchange: Exchange, _ head: inout HeadFields)
  /// Members to be set in the upstream's answer, a successful one in JSON or as an event stream that is not compressed.
  /// Asked before the head for the client is written. Nil leaves the answer as it comes: an answer that is edited is
  /// copied in user space, any other is not.
  func edits(_ exchange: Exchange) -> AnswerEdits?
  /// Whether `piece` is to be called for the answer that begins: a successful one in JSON or as an event stream that is not
  /// compressed. Answers that nobody listens to may be spliced.
  func listens(_ exchange: Exchange) -> Bool
  /// Borrows a piece of the answer, as the upstream sent it and without its chunk framing, for the length of the call. A
  /// piece is what came in one read: it begins and ends anywhere. At most eight plugins of a chain are lent pieces.
  func piece(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer)
  /// Writes fields of its own into the head for the client.
  func response(_ exchange: Exchange, _ head: inout HeadFields)
  /// Puts a failure into words. The first plugin that answers wins.
  func failed(_ exchange: Exchange, _ failure: Failure) -> Reply?
  /// The event that ends a stream which failed after its head, as the bytes of one whole SSE event.
  func streamFailed(_ exchange: Exchange, _ failure: Failure) -> [UInt8]?
  /// The exchange is over, however it ended.
  func finished(_ exchange: Exchange)
  /// Called after `.wait` in `phase`, on the loop's own executor: no thread hop, and the exchange stays where it is.
  /// The exchange may have ended meanwhile (`exchange.isOver`), or the time for it may be over; the verdict is dropped then.
  func wait(in phase: Phases, _ exchange: Exchange, on loop: isolated LoopActor) async throws -> Verdict
}

extension Plugin {
  public var dialects: [String] { [] }
  public var waitMax: UInt64 { 10_000_000_000 }
  public var failing: PluginFailing { .closed }
  public func request(_ exchange: Exchange) -> Verdict { .pass }
  public func body(_ exchange: Exchange) -> Verdict { .pass }
  public func route(_ exchange: Exchange) -> Verdict { .pass }
  public func upstreamRequest(_ exchange: Exchange, _ head: inout HeadFields) {}
  public func edits(_ exchange: Exchange) -> AnswerEdits? { nil }
  public func listens(_ exchange: Exchange) -> Bool { true }
  public func piece(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer) {}
  public func response(_ exchange: Exchange, _ head: inout HeadFields) {}
  public func failed(_ exchange: Exchange, _ failure: Failure) -> Reply? { nil }
  public func streamFailed(_ exchange: Exchange, _ failure: Failure) -> [UInt8]? { nil }
  public func finished(_ exchange: Exchange) {}
  public func wait(in phase: Phases, _ exchange: Exchange, on loop: isolated LoopActor) async throws -> Verdict {
    .pass
  }
}
