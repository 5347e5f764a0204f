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

/// A scanner for either format. A class, so that an exchange holds no room for it once its body has been read.
final class BodyScanner {
  private var json: JSONMemberScanner?
  private var form: MultipartScanner?

  init(_ json: JSONMemberScanner) { self.json = json }
  init(_ form: MultipartScanner) { self.form = form }

  func scan(_ bytes: UnsafeRawBufferPointer) {
    json?.scan(bytes)
    form?.scan(bytes)
  }

  /// The body is whole. Members, or why there are none.
  func finish() -> Result<BodyMembers, Failure> {
    json?.finish()
    form?.finish()
    var members = BodyMembers()
    switch json?.outcome ?? form?.outcome {
    case .failed(let failure): return .failure(Self.failure(failure))
    case .object: break
    case .incomplete, nil:
      let detail = json == nil ? "the form is cut off" : "the JSON is cut off"
      return .failure(Failure(.downstream, .unreadableBody, detail: detail))
    }
    if let json {
      members.model = json.modelText
      members.modelRange = json.modelRange
      members.stream = json.stream ?? false
      members.includesUsage = json.includeUsage
      members.tokensMax = json.maxTokens
    } else if let form {
      members.isJSON = false
      members.model = form.modelText
      members.modelRange = form.modelRange
      members.stream = form.stream ?? false
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
