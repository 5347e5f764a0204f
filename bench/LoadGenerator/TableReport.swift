// A measurement for people: aligned columns, and in words what went wrong.

/// Tells results as text.
public enum TableReport {
  /// Some lines, each ended.
  public static func text(_ result: LoadResult) -> String {
    guard result.fatal == nil else { return "" }
    var text = title(result) + "\n\n"
    let times = durations(result)
    if times.count > 1 { text += rows(times, isNumeric: true) + "\n" }
    text += rows(counts(result), isNumeric: false)
    if !result.watched.isEmpty { text += "\n" + rows(processes(result), isNumeric: true) }
    text += "\n" + rows([["errors", errors(result.errors)]], isNumeric: false)
    if let complaint = result.parts.compactMap(\.firstComplaint).first {
      text += "\nThe first complaint:\n  \(printable(complaint))\n"
    }
    return text
  }

  /// What was measured, in one line: also a plot's title.
  static func title(_ result: LoadResult) -> String {
    let settings = result.settings
    let what =
      switch settings.mode {
      case .streams, .held, .stalled:
        "\(settings.connections) \(settings.mode.rawValue == "streams" ? "" : settings.mode.rawValue + " ")streams"
      case .rate: "\(Decimal.short(settings.rate ?? 0)) \(settings.asksForStreams ? "streams" : "requests") a second"
      case .requests: "\(settings.connections) requests at once"
      default: "\(settings.connections) connections, \(settings.mode.rawValue)"
      }
    let ended = result.wasInterrupted ? ", interrupted" : ""
    return "\(settings.target.text)  \(settings.model)  \(what)  \(Decimal.text(result.seconds, decimals: 1)) s\(ended)"
  }

  // MARK: Durations

  private static func durations(_ result: LoadResult) -> [[String]] {
    var table = [["milliseconds", "count", "min", "p50", "p90", "p99", "p99.9", "max"]]
    func add(_ name: String, _ durations: Durations?) {
      guard let durations, durations.count > 0 else { return }
      let figures = [durations.min] + [50, 90, 99, 99.9].map { durations.percentile($0) } + [durations.max]
      table.append([name, grouped(durations.count)] + figures.map { Decimal.text($0 / 1_000, decimals: 2) })
    }
    for part in result.parts {
      let suffix = result.parts.count > 1 ? " (\(part.name))" : ""
      if part.isStream {
        add("time to first token" + suffix, part.firstToken)
        add("gap between tokens" + suffix, part.gap)
        add("delay of an event" + suffix, part.eventDelay)
      }
      add((part.isStream ? "whole stream" : "whole answer") + suffix, part.latency)
    }
    return table
  }

  // MARK: Counts

  private static func counts(_ result: LoadResult) -> [[String]] {
    func rate(_ count: UInt64, _ unit: String = "/s") -> String {
      result.seconds > 0 ? Decimal.text(Double(count) / result.seconds, decimals: 1) + unit : ""
    }
    var table = [["answers", grouped(result.requests), rate(result.requests)]]
    if result.events > 0 { table.append(["content events", grouped(result.events), rate(result.events)]) }
    if let tokens = result.tokens {
      table.append([
        "tokens", grouped(UInt64(tokens.rounded())),
        Decimal.text(tokens / max(result.seconds, 1e-9), decimals: 1) + "/s",
        result.parts.contains { $0.answersWithUsage > 0 }
          ? "by the usage of whole answers" : "counted as content events: no usage came",
      ])
    }
    table.append([
      "received", bytes(result.bytes), bytes(UInt64(Double(result.bytes) / max(result.seconds, 1e-9))) + "/s",
    ])
    if result.longestSilence > 0 {
      table.append([
        "longest silence", Decimal.text(result.longestSilence, decimals: 3) + " s", "",
        "of a connection that waited when the time was over",
      ])
    }
    if result.streamsOpen > 0 { table.append(["streams open", grouped(UInt64(result.streamsOpen))]) }
    let unanswered = result.parts.reduce(0) { $0 + $1.unanswered }
    if unanswered > 0 {
      table.append([
        "due, not answered", grouped(UInt64(unanswered)), "", "above with the time they have waited so far",
      ])
    }
    let unsent = result.parts.reduce(0) { $0 + $1.unsent }
    if unsent > 0 {
      table.append([
        "due, not sent", grouped(UInt64(unsent)), "", "no connection was free: more --streams or a lower --rate",
      ])
    }
    return table
  }

  private static func processes(_ result: LoadResult) -> [[String]] {
    var table = [["process", "CPU ms", "of a core", "RSS KiB before", "after", "PSS KiB before", "after"]]
    for process in result.watched {
      func memory(_ sample: ProcessSample?, _ path: KeyPath<ProcessSample, Int>) -> String {
        sample.map { grouped(UInt64(max($0[keyPath: path], 0))) } ?? "-"
      }
      table.append([
        "\(process.pid)", Decimal.text(process.cpuMicroseconds / 1e3, decimals: 1),
        Decimal.text(process.cpuMicroseconds / 1e4 / max(result.seconds, 1e-9), decimals: 1) + " %",
        memory(process.before, \.residentKiB), memory(process.after, \.residentKiB),
        memory(process.before, \.proportionalKiB), memory(process.after, \.proportionalKiB),
      ])
    }
    return table
  }

  /// Kinds of errors and how often, "none" when there are none.
  static func errors(_ errors: ErrorCounts) -> String {
    let kinds: [(Int, String)] =
      [
        (errors.connect, "could not connect"), (errors.closed, "closed too early"), (errors.timeout, "timed out"),
      ] + errors.status.sorted { $0.key < $1.key }.map { ($0.value, "HTTP \($0.key)") } + [
        (errors.failed, "failed in mid-stream"), (errors.done, "without [DONE]"), (errors.order, "out of order"),
        (errors.count, "with events missing"), (errors.bytes, "with wrong bytes"), (errors.framing, "not well-formed"),
      ]
    let words = kinds.filter { $0.0 > 0 }.map { "\(grouped(UInt64($0.0))) \($0.1)" }
    return words.isEmpty ? "none" : words.joined(separator: ", ")
  }

  // MARK: Text

  /// Rows in columns. Numbers stand right, the first column always left.
  private static func rows(_ table: [[String]], isNumeric: Bool) -> String {
    let columns = table.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in table.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
    return table.reduce(into: "") { text, row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let space = String(repeating: " ", count: max(widths[column] - cell.count, 0))
        // Of a row of counts, the last cell may be a remark.
        let isLeft = column == 0 || (!isNumeric && (column > 2 || (cell.first?.isNumber != true)))
        line += (column == 0 ? "" : "  ") + (isLeft ? cell + space : space + cell)
      }
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
  }

  /// `1234567` as `1 234 567`.
  static func grouped(_ number: UInt64) -> String {
    var text = ""
    for (index, digit) in "\(number)".reversed().enumerated() {
      if index > 0, index % 3 == 0 { text.append(" ") }
      text.append(digit)
    }
    return String(text.reversed())
  }

  private static func bytes(_ count: UInt64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(count)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return Decimal.text(value, decimals: unit == 0 ? 0 : 1) + " " + units[unit]
  }

  /// What a server said must not control the terminal.
  static func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
  }
}
