// The JSON around what the mock backend counts and the generator checks. Valid answers of OpenAI's chat completions, as
// short as they can be.

/// Texts of the mock backend's answers, in front of and behind the content.
public enum Texts {
  /// One event up to its content.
  public static let eventFront: StaticString =
    "data: {\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"mock\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\""

  /// One event behind its content.
  public static let eventBack: StaticString = "\"},\"finish_reason\":null}]}\n\n"

  /// The event that says why the stream ends.
  public static let finishEvent: StaticString =
    "data: {\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"mock\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"

  /// The event with the token counts, up to their values.
  public static let usageEventFront: StaticString =
    "data: {\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"mock\",\"choices\":[],\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":"

  /// The event that ends a stream.
  public static let doneEvent: StaticString = "data: [DONE]\n\n"

  /// A whole answer up to its content, whose first character is `answerMark`.
  public static let answerFront: StaticString =
    "{\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"mock\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"~"

  /// The first character of the content of a whole answer: filler follows.
  public static let answerMark = UInt8(ascii: "~")

  /// A whole answer behind its content.
  public static let answerBack: StaticString =
    "\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":8,\"total_tokens\":16}}"

  /// Filler in an answer of `answerBytes` bytes. The shortest answer has none and is `answerBytesMin` long.
  public static func fillerCount(answerBytes: Int) -> Int { max(answerBytes - answerBytesMin, 0) }

  /// Length of an answer without filler.
  public static let answerBytesMin = answerFront.utf8CodeUnitCount + answerBack.utf8CodeUnitCount

  /// Length of an event without filler.
  public static let eventBytesMin = eventFront.utf8CodeUnitCount + Stamp.byteCount + eventBack.utf8CodeUnitCount
}
