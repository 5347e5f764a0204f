// Failures in the words of OpenAI's API: four members always, the types and codes that its SDKs act on.

import Gateway

/// The `openai` dialect's envelopes. Answers for every dialect whose own plugin says nothing.
public struct OpenAIDialect: ErrorDialect {
  public init() {}

  public var name: String { "openai_dialect" }

  func words(for failure: Failure, _ exchange: Exchange) -> ErrorWords { ErrorWords(failure, exchange) }

  func envelope(_ words: ErrorWords, _ failure: Failure, _ exchange: Exchange) -> [UInt8] { words.fullEnvelope() }
}
