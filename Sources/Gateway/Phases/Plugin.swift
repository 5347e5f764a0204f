// The phases of an exchange, as one protocol (design: one protocol, every phase defaulted, a note per exchange).
// A plugin is shared by all cores, so it is Sendable and keeps no state of an exchange in itself: that belongs to the
// exchange's notes. Phases run on the loop's thread; they never block.

import Reactor

/// The phases that a plugin wants to be called for. A phase nobody declares costs nothing.
public struct Phases: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

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

/// One concern of the gateway: auth, limits, routing, an envelope, a log.
///
/// Deciding phases (`request`, `body`, `route`) run in the order of the chain; the first verdict that is not `.pass`
/// ends the phase. Writing phases (`upstreamRequest`, `response`) and `finished` reach every plugin that declared them.
public protocol Plugin: Sendable {
  /// Name for messages to the operator.
  var name: String { get }
  /// The phases to be called for.
  var phases: Phases { get }

  /// Head parsed: request id, client address, auth, limits.
  func request(_ exchange: Exchange) -> Verdict
  /// The body is whole: `exchange.members` tells its model.
  func body(_ exchange: Exchange) -> Verdict
  /// Chooses `exchange.destination`.
  func route(_ exchange: Exchange) -> Verdict
  /// Writes fields of its own into the head for the upstream.
  func upstreamRequest(_ exchange: Exchange, _ head: inout HeadFields)
  /// Writes fields of its own into the head for the client.
  func response(_ exchange: Exchange, _ head: inout HeadFields)
  /// Puts a failure into words. The first plugin that answers wins.
  func failed(_ exchange: Exchange, _ failure: Failure) -> Reply?
  /// The event that ends a stream which failed after its head, as the bytes of one whole SSE event.
  func streamFailed(_ exchange: Exchange, _ failure: Failure) -> [UInt8]?
  /// The exchange is over, however it ended.
  func finished(_ exchange: Exchange)
  /// Called after `.wait` in `phase`, on the loop's own executor: no thread hop, and the exchange stays where it is.
  /// The exchange may have ended meanwhile (`exchange.isOver`); the verdict is dropped then.
  func wait(in phase: Phases, _ exchange: Exchange, on loop: isolated LoopActor) async -> Verdict
}

extension Plugin {
  public func request(_ exchange: Exchange) -> Verdict { .pass }
  public func body(_ exchange: Exchange) -> Verdict { .pass }
  public func route(_ exchange: Exchange) -> Verdict { .pass }
  public func upstreamRequest(_ exchange: Exchange, _ head: inout HeadFields) {}
  public func response(_ exchange: Exchange, _ head: inout HeadFields) {}
  public func failed(_ exchange: Exchange, _ failure: Failure) -> Reply? { nil }
  public func streamFailed(_ exchange: Exchange, _ failure: Failure) -> [UInt8]? { nil }
  public func finished(_ exchange: Exchange) {}
  public func wait(in phase: Phases, _ exchange: Exchange, on loop: isolated LoopActor) async -> Verdict { .pass }
}
