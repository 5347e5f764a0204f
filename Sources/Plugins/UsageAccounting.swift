// How many tokens an exchange took, as the model's server counted them, read while the answer passes.

import Gateway
import Wire

/// Reads the usage of answers into the access record, and decides which streams are asked for theirs where their clients do
/// not ask. It stands behind all plugins that may want to know.
public struct UsageAccounting: Plugin {
  /// Streams whose backend is asked on behalf of the gateway.
  public enum Streams: Sendable {
    /// Those of exchanges that have a plugin which needs the tokens.
    case whenLimited
    case always, never
  }

  private let streams: Streams

  public init(streams: Streams = .whenLimited) { self.streams = streams }

  public var name: String { "usage_accounting" }
  public var phases: Phases { streams == .whenLimited ? .pieces : [.route, .pieces] }
  public var failing: PluginFailing { .open }

  public func route(_ exchange: Exchange) -> Verdict {
    exchange.needsUsage = streams == .always
    return .pass
  }

  public func listens(_ exchange: Exchange) -> Bool {
    switch exchange.route {
    case .inference(let route):
      switch route {
      // Looking at every event has a price.
      case _ where route.tellsUsageIfAsked:
        !exchange.isEventStream || exchange.members.includesUsage == true || exchange.asksForUsage
      default: route.reportsUsage
      }
    default: false
    }
  }

  public func piece(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer) {
    // In an answer of one piece the counts stand near its end; of an event there is no telling.
    let isUnderWay = exchange.hasNote(of: UsageAccounting.self)
    if isUnderWay || exchange.isEventStream {
      if isUnderWay || UsageScanner.mayBegin(in: bytes) { scan(exchange, bytes) }
    } else if let start = UsageScanner.last(in: bytes) {
      scan(exchange, UnsafeRawBufferPointer(rebasing: bytes[start...]))
    } else if UsageScanner.isCut(at: bytes) {
      scan(exchange, bytes)
    }
  }

  private func scan(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer) {
    // Kept only where a piece ends within what is looked for: between pieces a stream holds nothing for this.
    let kept = exchange.note(UsageAccounting.self, as: UsageScanner.self)
    var scanner = kept ?? UsageScanner()
    scanner.scan(bytes)
    if let usage = scanner.take() { exchange.recordUsage(usage) }
    if !scanner.isIdle {
      exchange.keep(scanner, for: UsageAccounting.self)
    } else if kept != nil {
      exchange.dropNote(of: UsageAccounting.self)
    }
  }
}
