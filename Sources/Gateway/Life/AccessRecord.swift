// What is remembered of an exchange for the access log and for plugins that account. Plain values; formatted once, when
// the exchange is over.

import Wire

/// The facts of one exchange.
public struct AccessRecord: Sendable {
  static let pathBytesMax = 512

  public internal(set) var requestID = RequestID(0, 0)
  public internal(set) var client: IPAddress?
  public internal(set) var method = Method.other
  public internal(set) var path: [UInt8] = []
  /// Who asked.
  public var principal: (any Principal)?
  /// The model, as the client named it.
  public var model: String?
  public internal(set) var cluster: Cluster?
  public internal(set) var endpoint: Endpoint?
  /// Status that the client got; 0 when it left before any.
  public internal(set) var status = 0
  public internal(set) var isStream = false
  /// Bytes of the request's body.
  public internal(set) var bytesIn: UInt64 = 0
  /// Bytes sent to the client, heads included.
  public internal(set) var bytesOut: UInt64 = 0
  /// Relayed bytes that were copied in user space.
  public internal(set) var bytesCopied: UInt64 = 0
  /// Endpoints and connections that were asked.
  public internal(set) var attempts: UInt8 = 0
  /// Whether the connection had carried a request before.
  public internal(set) var isReused = false
  public internal(set) var clientLeft = false
  /// Tokens as the model's server counted them; nil where it told nothing. Larger counts than fit are cut.
  public var tokensIn: Int? { tokens.0 == .max ? nil : Int(tokens.0) }
  public var tokensOut: Int? { tokens.1 == .max ? nil : Int(tokens.1) }
  private var tokens: (UInt32, UInt32) = (.max, .max)
  public internal(set) var failure: Failure? {
    get { failureOrNil?.failure }
    set { failureOrNil = newValue.map { RecordedFailure($0) } }
  }
  /// Whether something went wrong with it, be it in mid-answer.
  var hasFailed: Bool { failureOrNil != nil }
  private var failureOrNil: RecordedFailure?
  /// Times in nanoseconds of the loop's clock; 0 is not yet.
  public internal(set) var startedAt: UInt64
  public internal(set) var sentAt: UInt64 = 0
  public internal(set) var firstByteAt: UInt64 = 0
  public internal(set) var endedAt: UInt64 = 0

  init(startedAt: UInt64) { self.startedAt = startedAt }

  mutating func note(_ usage: TokenUsage) {
    func count(_ number: Int) -> UInt32 { UInt32(clamping: min(number, Int(UInt32.max) - 1)) }
    // Where only the sum is told, as of embeddings, nothing was written by the model.
    let onlySum = usage.output == nil && tokens.1 == .max ? usage.total : nil
    if let input = usage.input ?? onlySum { tokens.0 = count(input) }
    if let output = usage.output { tokens.1 = count(output) }
  }

  mutating func upstream(_ cluster: Cluster, _ endpoint: Endpoint) {
    self.cluster = cluster
    self.endpoint = endpoint
  }

  /// How it ended, in one word.
  public var outcome: String {
    if let failure { return failure.word }
    return clientLeft ? "client_left" : "done"
  }
}

/// Behind a reference, because few exchanges fail, and an open stream should not hold the room for it.
private final class RecordedFailure: Sendable {
  let failure: Failure

  init(_ failure: Failure) { self.failure = failure }
}
