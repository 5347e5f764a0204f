// What plugins change in an upstream's answer: members of the JSON objects in it, nothing else.

import Wire

/// Members to set in an answer.
public struct AnswerEdits: Sendable {
  /// In the object that a plain answer is.
  public var answer: [MemberEdit]
  /// In the object of every event of a stream.
  public var events: [MemberEdit]

  public init(answer: [MemberEdit] = [], events: [MemberEdit] = []) {
    self.answer = answer
    self.events = events
  }
}
