// Numbers of JSON that say how many of something is wanted.

extension JSONMemberScanner {
  /// A number as a count: `100`, and as some write it `100.0` or `1e2`. More digits than are kept are more than any count.
  mutating func textNumber() -> Int? {
    guard textCount > 0, ASCII.isDigit(text[0]) else { return nil }
    guard Int(textCount) <= text.count else { return .max }
    var number = 0
    for index in 0..<Int(textCount) {
      guard ASCII.isDigit(text[index]) else { return wholeNumber() }
      let (tens, first) = number.multipliedReportingOverflow(by: 10)
      let (sum, second) = tens.addingReportingOverflow(Int(text[index] &- 0x30))
      guard !first, !second else { return .max }
      number = sum
    }
    return number
  }

  private mutating func wholeNumber() -> Int? {
    var bytes: [UInt8] = []
    for index in 0..<min(Int(textCount), text.count) { bytes.append(text[index]) }
    guard let number = Double(String(decoding: bytes, as: UTF8.self)), number >= 0, number == number.rounded() else {
      return nil
    }
    return Int(exactly: number) ?? .max
  }
}
