// What becomes of a held body before the first byte of it goes to a backend. Each change is made where it stands; all other
// bytes are the client's.

import Wire

/// Where members can be put into the JSON object that a body is; nowhere in any other. Found by the scan, and forgotten
/// with the request.
struct BodyPlaces {
  /// Offset of the object's closing brace.
  var closingBrace: Int?
  var hasMembers = false
  /// What makes its stream report usage.
  var usageRequest: BodyChange?
}

extension Exchange {
  /// Makes of the body what `destination` is to be sent. Asked once, whatever attempts there will be.
  func editBody(_ destination: Destination) {
    nameModel(destination)
    if needsUsage { askForUsage() }
  }

  private func nameModel(_ destination: Destination) {
    guard let name = destination.upstreamModel else { return }
    if let range = members.modelRange {
      guard name != members.model else { return }
      outgoing.body.replace(range, with: members.isJSON ? JSONText.quoted(name) : Array(name.utf8))
    } else if case .inference = route {
      // A backend that serves several models would not know which one was meant. A form that names none goes on as it is:
      // it would take a part of its own, with a boundary that may stand in its files.
      putIn(Array(#""model":"#.utf8) + JSONText.quoted(name))
    }
  }

  /// Has the backend report the tokens of its stream, where the client does not. Its answer is for plugins alone.
  private func askForUsage() {
    guard case .inference(let asked) = route, asked.tellsUsageIfAsked, members.stream, members.includesUsage != true,
      let change = outgoing.places.usageRequest
    else { return }
    let text = UnsafeBufferPointer(start: change.text.utf8Start, count: change.text.utf8CodeUnitCount)
    asksForUsage = outgoing.body.replace(change.range, with: Array(text))
  }

  /// Puts `member` in front of the closing brace of the body's object.
  private func putIn(_ member: [UInt8]) {
    guard let place = outgoing.places.closingBrace else { return }
    let isFirst = !outgoing.places.hasMembers
    outgoing.body.replace(place..<place, with: isFirst ? member : [UInt8(ascii: ",")] + member)
    outgoing.places.hasMembers = true
  }
}
