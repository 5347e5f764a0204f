// Answers that name the model as it was asked for, whatever its backend calls it.

import Gateway
import Wire

/// Puts the requested name in place of `model` in answers and in each event of a stream, in the dialects that promise it.
public struct PublicModelName: Plugin {
  public init() {}

  public var name: String { "public_model_name" }
  public var phases: Phases { .edits }
  public var dialects: [String] { [ModelPilotDialect.dialect, PLLMDialect.dialect] }

  public func edits(_ exchange: Exchange) -> AnswerEdits? {
    guard case .inference = exchange.route, let name = exchange.members.model else { return nil }
    let edit = MemberEdit(key: "model", value: JSONText.quoted(name), adds: false)
    return AnswerEdits(answer: [edit], events: [edit])
  }
}
