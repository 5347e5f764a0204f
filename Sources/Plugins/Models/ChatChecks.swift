// What two of the dialects promise of a chat's body, and what their backends may not check alike.

import Gateway

/// Refuses chat completions whose `messages` are missing, no array or empty, or whose `stream` is no boolean.
public struct ChatChecks: Plugin {
  public init() {}

  public var name: String { "chat_checks" }
  public var phases: Phases { .body }
  public var dialects: [String] { [ModelPilotDialect.dialect, PLLMDialect.dialect] }

  public func body(_ exchange: Exchange) -> Verdict {
    guard exchange.route == .inference(.chatCompletions), exchange.method == .post else { return .pass }
    switch exchange.members.messages {
    case .array: break
    case .missing: return Self.wrong("messages", "you must provide a messages parameter")
    case .empty: return Self.wrong("messages", "The parameter 'messages' must not be empty.")
    case .other: return Self.wrong("messages", "The parameter 'messages' must be an array of messages.")
    }
    guard !exchange.members.streamIsNoBoolean else {
      return Self.wrong("stream", "The parameter 'stream' must be true or false.")
    }
    return .pass
  }

  private static func wrong(_ name: String, _ message: String) -> Verdict {
    .fail(Failure(.downstream, .badParameter(name: name, message: message)))
  }
}
