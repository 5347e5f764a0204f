// A histogram of durations: HdrHistogram's, in nanoseconds with three digits, from an eighth of a microsecond to an
// hour. Counts are wide, 208 KiB a recorder: 32 bits would wrap after an hour of a load that takes all it can get.

import Histogram

/// Records durations.
final class Recorder {
  // At a fixed address, because a value inside an object is checked for overlapping access each time it is changed, and
  // that costs more than the record.
  private let histogram: UnsafeMutablePointer<Histogram<UInt64>>

  init() {
    histogram = .allocate(capacity: 1)
    histogram.initialize(
      to: Histogram<UInt64>(
        lowestDiscernibleValue: 128, highestTrackableValue: Self.longest, numberOfSignificantValueDigits: .three))
  }

  deinit {
    histogram.deinitialize(count: 1)
    histogram.deallocate()
  }

  /// Adds a duration in nanoseconds, `count` times. One above an hour counts as an hour.
  @inline(__always)
  func record(_ nanoseconds: UInt64, count: UInt32 = 1) {
    // SAFETY: initialised in init, and nobody else has the address.
    histogram.pointee.record(min(nanoseconds, Self.longest), count: UInt64(count))
  }

  /// Adds durations that are not over, each as long as it is by now, and returns how many. One that is no longer yet than
  /// half of those that are over says nothing, and is left out.
  func record(unfinished durations: [UInt64]) -> Int {
    let median = histogram.pointee.valueAtPercentile(50)
    let telling = durations.filter { $0 > median }
    for duration in telling { record(duration) }
    return telling.count
  }

  /// Forgets everything.
  func reset() { histogram.pointee.reset() }

  /// What was recorded so far.
  var durations: Durations { Durations(histogram.pointee) }

  private static let longest: UInt64 = 3_600_000_000_000
}

/// Durations that were measured, as a value.
public struct Durations: Sendable {
  private let histogram: Histogram<UInt64>

  init(_ histogram: Histogram<UInt64>) { self.histogram = histogram }

  public var count: UInt64 { histogram.totalCount }
  /// The shortest, in microseconds.
  public var min: Double { count == 0 ? 0 : Double(histogram.min) / 1_000 }
  /// The longest, in microseconds.
  public var max: Double { Double(histogram.max) / 1_000 }
  /// The mean, in microseconds.
  public var mean: Double { count == 0 ? 0 : histogram.mean / 1_000 }

  /// So many of a hundred were no longer than this many microseconds.
  public func percentile(_ percent: Double) -> Double { Double(histogram.valueAtPercentile(percent)) / 1_000 }

  /// All that was recorded: microseconds and how often.
  public var recorded: [(microseconds: Double, count: UInt64)] {
    histogram.recordedValues().map { (Double(histogram.medianEquivalentForValue($0.value)) / 1_000, UInt64($0.count)) }
  }
}
