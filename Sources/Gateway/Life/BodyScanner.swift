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
  /// Whether `stream` is there and is neither a boolean nor null.
  public internal(set) var streamIsNoBoolean = false
  /// What `messages` is.
  public internal(set) var messages = ScannedList.missing
  /// `stream_options.include_usage`.
  public internal(set) var includesUsage: Bool?
  /// The most tokens that the answer may have: `max_tokens`, or its newer names, for each of `n` choices.
  public internal(set) var tokensMax: Int?
  /// Whether the body is JSON, so that a name put in place of another must be escaped.
  public internal(set) var isJSON = true

  public init() {}
}

/// A scanner for either format. Cores keep a few: one is needed only while a body comes in.
final class BodyScanner {
  private var json = JSONMemberScanner()
  private var form: MultipartScanner?
  /// The model that was read last: most bodies name the same one.
  private var lastModel = ""

  func beginJSON() {
    json.reset()
    form = nil
  }

  func begin(_ form: MultipartScanner) { self.form = form }

  func scan(_ bytes: UnsafeRawBufferPointer) {
    if form != nil { form?.scan(bytes) } else { json.scan(bytes) }
  }

  /// The body is whole. Members, or why there are none.
  func finish() -> Result<BodyMembers, Failure> {
    var members = BodyMembers()
    if form != nil {
      form?.finish()
      if let failure = Self.failure(form?.outcome, cutOff: "the form is cut off") { return .failure(failure) }
      members.isJSON = false
      members.model = form?.modelText
      members.modelRange = form?.modelRange
      members.stream = form?.stream ?? false
    } else {
      json.finish()
      if let failure = Self.failure(json.outcome, cutOff: "the JSON is cut off") { return .failure(failure) }
      members.modelRange = json.modelRange
      if json.modelRange != nil {
        let isSame = lastModel.withUTF8 { last in
          json.modelName.withUnsafeBytes { equals(UnsafeRawBufferPointer(last), $0) }
        }
        if !isSame { lastModel = json.modelText ?? "" }
        members.model = lastModel
      }
      members.stream = json.stream ?? false
      members.streamIsNoBoolean = json.streamNotBoolean
      members.messages = json.messages
      members.includesUsage = json.includeUsage
      if let most = json.maxTokens {
        let (all, overflows) = most.multipliedReportingOverflow(by: max(json.choices ?? 1, 1))
        members.tokensMax = overflows ? .max : all
      }
    }
    return .success(members)
  }

  /// Where members can be put into the body that was read.
  var places: BodyPlaces {
    guard form == nil else { return BodyPlaces() }
    return BodyPlaces(
      closingBrace: json.closingBrace, hasMembers: json.hasMembers,
      usageRequest: json.stream == true ? BodyChange(askingForUsage: &json) : nil)
  }

  private static func failure(_ outcome: ScanOutcome?, cutOff: String) -> Failure? {
    switch outcome {
    case .object: nil
    case .failed(let failure): Self.failure(failure)
    case .incomplete, nil: Failure(.downstream, .unreadableBody, detail: cutOff)
    }
  }

  private static func failure(_ failure: ScanFailure) -> Failure {
    switch failure {
    case .duplicateModel, .modelNotString, .modelTooLong: Failure(.downstream, .badModel, detail: "\(failure)")
    default: Failure(.downstream, .unreadableBody, detail: "\(failure)")
    }
  }
}
