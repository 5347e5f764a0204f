// What ModelPilot's answers tell beside OpenAI's: which deployment it was, and how long it took.

import Gateway
import Wire

/// Adds `system_fingerprint` and `x_modelpilot` to the chat completions of the `modelpilot` dialect.
public struct ModelPilotAnswers: Plugin {
  public init() {}

  public var name: String { "modelpilot_answers" }
  public var phases: Phases { .edits }
  public var dialects: [String] { [ModelPilotDialect.dialect] }

  public func edits(_ exchange: Exchange) -> AnswerEdits? {
    guard exchange.route == .inference(.chatCompletions), let destination = exchange.destination else { return nil }
    let model = destination.note as? CatalogModel
    let deployment = model?.deployment ?? destination.cluster.name
    let identifier = model?.identifier ?? exchange.members.model ?? ""
    var about = Array(#"{"deployment_id":"#.utf8)
    JSONText.append(deployment, to: &about)
    about += Array(#","model_identifier":"#.utf8)
    JSONText.append(identifier, to: &about)
    about += Array(#","response_time_ms":\#(exchange.age / 1_000_000)"#.utf8)
    if let direct = model?.directEndpoint {
      about += Array(#","direct_endpoint":"#.utf8)
      JSONText.append(direct, to: &about)
    }
    about += Array("}".utf8)
    return AnswerEdits(answer: [
      MemberEdit(key: "system_fingerprint", value: JSONText.quoted("modelpilot-\(deployment)"), adds: true),
      MemberEdit(key: "x_modelpilot", value: about, adds: true),
    ])
  }
}
