// What answers of a mock backend must look like. Learned from the settings, or from the first answer of a lane; all
// others must be like it.

/// Shared by the connections of a lane.
final class AnswerShape {
  /// Whether answers carry stamps and filler; nil until the first is over, or the first event of a stream has come.
  var isMock: Bool?
  /// Numbered events of a stream.
  var events: UInt32?
  /// Bytes of filler in an event.
  var eventFiller: Int?
  /// Bytes of filler in an answer in one piece.
  var answerFiller: Int?
}
