// Numbers with units, read without rounding: seconds with fractions become nanoseconds, sizes become bytes.

enum Quantity {
  enum Failure: Error, Equatable {
    case notANumber
    case tooLarge
  }

  /// Longest time a file may give: one day. Keeps every sum of deadlines far from the end of 64 bits.
  static let nanosecondsMax: UInt64 = 86_400 * 1_000_000_000
  /// Largest size a file may give: 1 TiB.
  static let bytesMax = 1 << 40

  /// Decimal digits only, as `Int`.
  static func integer(_ text: String) -> Result<Int, Failure> {
    guard !text.isEmpty, text.utf8.allSatisfy(isDigit) else { return .failure(.notANumber) }
    return Int(text).map { .success($0) } ?? .failure(.tooLarge)
  }

  /// `10`, `0.3`, `.5`; digits beyond nanoseconds are cut. At most one day.
  static func nanoseconds(_ text: String) -> Result<UInt64, Failure> {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let whole = parts.first ?? ""
    let fraction = parts.count > 1 ? parts[1] : ""
    guard !(whole.isEmpty && fraction.isEmpty), parts.count == 1 || !fraction.isEmpty else {
      return .failure(.notANumber)
    }
    guard whole.utf8.allSatisfy(isDigit), fraction.utf8.allSatisfy(isDigit) else { return .failure(.notANumber) }
    guard let seconds = whole.isEmpty ? 0 : UInt64(whole), seconds <= 86_400 else { return .failure(.tooLarge) }
    var rest: UInt64 = 0
    var unit: UInt64 = 100_000_000
    for digit in fraction.utf8.prefix(9) {
      rest += UInt64(digit & 0x0F) * unit
      unit /= 10
    }
    let sum = seconds * 1_000_000_000 + rest
    return sum <= nanosecondsMax ? .success(sum) : .failure(.tooLarge)
  }

  /// `65536`, `64KiB`, `64 MiB`, `1GiB`. At most 1 TiB.
  static func bytes(_ text: String) -> Result<Int, Failure> {
    let digits = text.prefix { $0.utf8.count == 1 && $0.utf8.allSatisfy(isDigit) }
    let unit = text[digits.endIndex...].drop { $0 == " " }
    let shift: Int
    switch unit {
    case "": shift = 0
    case "KiB": shift = 10
    case "MiB": shift = 20
    case "GiB": shift = 30
    default: return .failure(.notANumber)
    }
    guard !digits.isEmpty else { return .failure(.notANumber) }
    guard let count = Int(digits), count <= bytesMax >> shift else { return .failure(.tooLarge) }
    return .success(count << shift)
  }

  /// `10`, `0.3`: what `nanoseconds(_:)` reads as this time.
  static func seconds(_ nanoseconds: UInt64) -> String {
    let whole = nanoseconds / 1_000_000_000
    let rest = nanoseconds % 1_000_000_000
    guard rest > 0 else { return "\(whole)" }
    var digits = "\(1_000_000_000 + rest)".dropFirst()
    while digits.last == "0" { digits = digits.dropLast() }
    return "\(whole).\(digits)"
  }

  /// `64KiB`, `1000`: the shortest that `bytes(_:)` reads as this size.
  static func size(_ bytes: Int) -> String {
    for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] where bytes > 0 && bytes % (1 << shift) == 0 {
      return "\(bytes >> shift)\(unit)"
    }
    return "\(bytes)"
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
