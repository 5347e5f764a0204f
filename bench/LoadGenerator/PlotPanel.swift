// One distribution of durations: a histogram over a logarithmic time axis, because the tail is what hurts and lies
// decades away from the middle. Percentiles are marked, since they are what people quote.

import Glibc

/// A histogram with axes and marks.
struct PlotPanel {
  let title: String
  let durations: Durations

  static let width = 420.0
  static let height = 270.0
  private static let left = 46.0
  private static let bottom = 38.0
  private static let top = 62.0
  private static let binCount = 48

  /// The axis, as decimal logarithms of milliseconds.
  private var from = 0.0
  private var to = 1.0
  /// Share of each bin, 0 to 1.
  private var bins: [Double] = []

  init(title: String, durations: Durations) {
    self.title = title
    self.durations = durations
    let recorded = durations.recorded.map {
      (place: log10(max($0.microseconds / 1_000, Self.shortest)), count: $0.count)
    }
    guard let first = recorded.map(\.place).min(), let last = recorded.map(\.place).max() else { return }
    // A third more than nothing at least, and a bit of air on both sides.
    let middle = (first + last) / 2
    let half = max((last - first) / 2 * 1.04, 0.06)
    from = middle - half
    to = middle + half
    bins = Array(repeating: 0, count: Self.binCount)
    for (place, count) in recorded {
      let index = Int((place - from) / (to - from) * Double(bins.count))
      bins[min(max(index, 0), bins.count - 1)] += Double(count) / Double(max(durations.count, 1))
    }
  }

  func svg() -> String {
    // Four steps of it are round as well.
    let scale = min(PlotPanel.roundUp(bins.max() ?? 1, [1, 2, 4, 8, 10]), 1)
    var svg = "<text class=\"panel\" x=\"0\" y=\"12\">\(Plot.escaped(title))</text>\n"
    svg += verticalAxis(scale) + bars(scale) + horizontalAxis() + marks()
    return svg
  }

  // MARK: Places

  private var plotWidth: Double { Self.width - Self.left }
  private var plotHeight: Double { Self.height - Self.top - Self.bottom }
  private var floor: Double { Self.height - Self.bottom }

  private func x(_ logarithm: Double) -> Double { Self.left + (logarithm - from) / (to - from) * plotWidth }

  // MARK: Pieces

  private func bars(_ scale: Double) -> String {
    let width = plotWidth / Double(bins.count)
    return bins.enumerated().reduce(into: "") { svg, bin in
      guard bin.element > 0 else { return }
      // A bin that holds anything is seen.
      let height = max(bin.element / scale * plotHeight, 1)
      let place = Self.left + Double(bin.offset) * width
      svg += "<rect class=\"bar\" x=\"\(Plot.number(place + 0.5))\" y=\"\(Plot.number(floor - height))\" "
      svg += "width=\"\(Plot.number(max(width - 1, 0.5)))\" height=\"\(Plot.number(height))\"/>\n"
    }
  }

  private func verticalAxis(_ scale: Double) -> String {
    var svg = ""
    for step in 0...4 {
      let share = scale * Double(step) / 4
      let y = floor - Double(step) / 4 * plotHeight
      let line = step == 0 ? "axis" : "grid"
      svg += "<line class=\"\(line)\" x1=\"\(Plot.number(Self.left))\" x2=\"\(Plot.number(Self.width))\" "
      svg += "y1=\"\(Plot.number(y))\" y2=\"\(Plot.number(y))\"/>\n"
      svg += "<text x=\"\(Plot.number(Self.left - 6))\" y=\"\(Plot.number(y + 4))\" text-anchor=\"end\">"
      svg += "\(PlotPanel.short(share * 100)) %</text>\n"
    }
    return svg
  }

  private func horizontalAxis() -> String {
    var svg = ""
    for milliseconds in ticks {
      let at = Plot.number(x(log10(milliseconds)))
      svg += "<line class=\"axis\" x1=\"\(at)\" x2=\"\(at)\" "
      svg += "y1=\"\(Plot.number(floor))\" y2=\"\(Plot.number(floor + 5))\"/>\n"
      svg += "<text x=\"\(at)\" y=\"\(Plot.number(floor + 19))\" text-anchor=\"middle\">"
      svg += "\(PlotPanel.time(milliseconds: milliseconds))</text>\n"
    }
    let middle = Self.left + plotWidth / 2
    svg += "<text x=\"\(Plot.number(middle))\" y=\"\(Plot.number(Self.height))\" text-anchor=\"middle\">"
    svg += "time, logarithmic; each bar is a share of \(TableReport.grouped(durations.count))</text>\n"
    return svg
  }

  private func marks() -> String {
    var svg = ""
    for (row, percent) in [50.0, 90, 99].enumerated() {
      let milliseconds = durations.percentile(percent) / 1_000
      let word = "p\(PlotPanel.short(percent)) \(PlotPanel.time(milliseconds: milliseconds))"
      let place = min(x(log10(max(milliseconds, Self.shortest))), Self.width)
      let y = Self.top - 8 - Double(2 - row) * 13
      svg += "<line class=\"mark\" x1=\"\(Plot.number(place))\" x2=\"\(Plot.number(place))\" "
      svg += "y1=\"\(Plot.number(y + 3))\" y2=\"\(Plot.number(floor))\"/>\n"
      // Words stand right of their line, where there is room.
      let fits = place + Double(word.count) * 7.5 < Self.width
      svg += "<text class=\"word\" x=\"\(Plot.number(place + (fits ? 4 : -4)))\" y=\"\(Plot.number(y + 4))\" "
      svg += "text-anchor=\"\(fits ? "start" : "end")\">\(word)</text>\n"
    }
    return svg
  }

  /// Round times on the axis, in milliseconds, four or so: powers of ten and what lies between, or even steps when the
  /// axis is short.
  private var ticks: [Double] {
    let low = pow(10, from)
    let high = pow(10, to)
    if to - from < 0.8 {
      let step = PlotPanel.roundUp((high - low) / 5, [1, 2, 5, 10])
      return (0...6).map { ((low / step).rounded(.up) + Double($0)) * step }.filter { $0 <= high }
    }
    let steps: [Double] = to - from < 2.2 ? [1, 2, 5] : [1]
    return (Int(from.rounded(.down))...Int(to.rounded(.up))).flatMap { decade in
      steps.map { $0 * pow(10, Double(decade)) }
    }.filter { $0 >= low && $0 <= high }
  }

  // MARK: Words

  /// A number with as many digits as anybody reads.
  static func short(_ number: Double) -> String {
    let decimals = number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2
    var text = Decimal.text(number, decimals: decimals)
    guard decimals > 0 else { return text }
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text
  }

  static func time(milliseconds: Double) -> String {
    if milliseconds >= 999.95 { return short(milliseconds / 1_000) + " s" }
    return milliseconds >= 0.9995 ? short(milliseconds) + " ms" : short(milliseconds * 1_000) + " µs"
  }

  /// The next of `steps` and their tens.
  static func roundUp(_ number: Double, _ steps: [Double]) -> Double {
    guard number > 0 else { return 1 }
    let decade = pow(10, log10(number).rounded(.down))
    for step in steps where number <= step * decade * (1 + 1e-9) { return step * decade }
    return 10 * decade
  }

  /// What is shorter counts as this long, in milliseconds: an axis of logarithms has no zero.
  private static let shortest = 0.001
}
