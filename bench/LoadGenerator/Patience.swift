// Which silence is a hang when the window ends. What waits then may be about to be answered, or be forgotten: whoever has
// been silent for long, by the measure of the window and of what was answered, counts as timed out. A plain value.

/// How long connections may be silent at the window's end, in nanoseconds.
struct Patience {
  private let timeout: UInt64
  private let half: UInt64
  /// Longest delay and gap that the mock was asked for, 0 when it was not.
  private let asked: UInt64
  private let askedGap: UInt64?

  /// For a window of `seconds`.
  init(_ settings: LoadSettings, seconds: Double) {
    timeout = Self.nanoseconds(settings.timeout)
    half = Self.nanoseconds(seconds / 2)
    func pause(_ name: String) -> UInt64? {
      settings.mockNumber(name).map { UInt64(min(max($0, 0), Self.microsecondsMax)) * 1_000 }
    }
    askedGap = pause("gap-us")
    asked = max(askedGap ?? 0, pause("delay-us") ?? 0)
  }

  /// For those that something must happen to. `seen` is the longest silence that ended well: twice as long may end well too.
  func whileAwaited(seen: UInt64) -> UInt64 {
    min(timeout, max(half, Self.double(max(seen, asked)), Self.least))
  }

  /// For streams that are held; nil when nobody knows how often their events come.
  var whileHeld: UInt64? {
    askedGap.map { max(min(half, timeout), Self.double($0), Self.least) }
  }

  private static func nanoseconds(_ seconds: Double) -> UInt64 { UInt64(min(max(seconds, 0), 1e9) * 1e9) }
  private static func double(_ pause: UInt64) -> UInt64 { pause > .max / 2 ? .max : pause * 2 }

  /// An hour: no mock waits longer.
  private static let microsecondsMax = 3_600_000_000
  /// A machine that is busy elsewhere is silent for as long, and no shorter silence is a hang.
  private static let least: UInt64 = 500_000_000
}

extension LoadSettings {
  /// The timeout of a load of so many seconds, where nobody said another: one that can be reached, and that answers of a
  /// usual model do not reach.
  public static func usualTimeout(duration: Double) -> Double { min(max(duration / 2, 10), 60) }
}
