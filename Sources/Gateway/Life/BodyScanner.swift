// Reads what the gateway must know of a body while it comes in, whatever its format.

import Wire

/// What the scan of a body found.
public struct BodyMembers {
  /// The model, as the client named it.
  public internal(set) var model: String?
  /// Where the model's value stands in the body: with its quotes in JSON, bare in a form.
  public internal(set) var modelRange: Range<Int>?
  /// Whether a stream was asked for.
  public internal(set) var stream = false
  /// `stream_options.include_usage`.
  public internal(set) var includesUsage: Bool?
  /// `max_tokens`, or its newer name.
  public internal(set) var tokensMax: Int?
  /// Whether the body is JSON, so that a name put in place of another must be escaped.
  public internal(set) var isJSON = true

  public init() {}
}

/// A scanner for either format.
enum BodyScanner {
  case json(JSONMemberScanner)
  case form(MultipartScanner)

  mutating func scan(_ bytes: UnsafeRawBufferPointer) {
    switch self {
    case .json(var scanner):
      scanner.scan(bytes)
      self = .json(scanner)
    case .form(var scanner):
      scanner.scan(bytes)
      self = .form(scanner)
    }
  }

  /// The body is whole. Members, or why there are none.
  mutating func finish() -> Result<BodyMembers, Failure> {
    var members = BodyMembers()
    switch self {
    case .json(var scanner):
      scanner.finish()
      switch scanner.outcome {
      case .failed(let failure): return .failure(Self.failure(failure))
      case .incomplete: return .failure(Failure(.downstream, .unreadableBody, detail: "the JSON is cut off"))
      case .object: break
      }
      members.model = scanner.modelText
      members.modelRange = scanner.modelRange
      members.stream = scanner.stream ?? false
      members.includesUsage = scanner.includeUsage
      members.tokensMax = scanner.maxTokens
    case .form(var scanner):
      scanner.finish()
      members.isJSON = false
      switch scanner.outcome {
      case .failed(let failure): return .failure(Self.failure(failure))
      case .incomplete: return .failure(Failure(.downstream, .unreadableBody, detail: "the form is cut off"))
      case .object: break
      }
      members.model = scanner.modelText
      members.modelRange = scanner.modelRange
      members.stream = scanner.stream ?? false
    }
    return .success(members)
  }

  private static func failure(_ failure: ScanFailure) -> Failure {
    switch failure {
    case .duplicateModel, .modelNotString, .modelTooLong: Failure(.downstream, .badModel, detail: "\(failure)")
    default: Failure(.downstream, .unreadableBody, detail: "\(failure)")
    }
  }
}
