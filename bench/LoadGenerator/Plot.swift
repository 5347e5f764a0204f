// A measurement as a picture: an SVG file with a panel for each distribution that matters to who waits for an answer.
// Colours follow the reader's light or dark setting; the file needs nothing but itself.

/// Draws results.
public enum Plot {
  /// An SVG document; nil when nothing was measured that could be drawn.
  public static func svg(_ result: LoadResult) -> String? {
    var panels: [PlotPanel] = []
    func add(_ title: String, _ durations: Durations?) {
      guard let durations, durations.count > 0 else { return }
      panels.append(PlotPanel(title: title, durations: durations))
    }
    add("Time to first token", result.streaming?.firstToken)
    add("Gap between tokens", result.streaming?.gap)
    if panels.isEmpty { add("Time to the whole answer", result.main?.latency) }
    guard !panels.isEmpty else { return nil }

    let width = margin * 2 + Double(panels.count) * PlotPanel.width + Double(panels.count - 1) * gutter
    let height = top + PlotPanel.height + margin
    var svg = """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(width)) \(number(height))" \
      width="\(number(width))" height="\(number(height))" role="img" aria-labelledby="title">
      <title id="title">\(escaped(TableReport.title(result)))</title>
      <style>\(style)</style>
      <rect class="paper" width="100%" height="100%" rx="8"/>
      <text class="title" x="\(number(margin))" y="32">\(escaped(headline(result)))</text>
      <text class="note" x="\(number(margin))" y="52">\(escaped(note(result)))</text>

      """
    for (index, panel) in panels.enumerated() {
      let x = margin + Double(index) * (PlotPanel.width + gutter)
      svg += "<g transform=\"translate(\(number(x)),\(number(top)))\">\n" + panel.svg() + "</g>\n"
    }
    return svg + "</svg>\n"
  }

  private static func headline(_ result: LoadResult) -> String {
    let settings = result.settings
    let load =
      settings.mode == .rate
      ? "\(Decimal.short(settings.rate ?? 0)) requests a second" : "\(settings.connections) at once"
    return "\(settings.model), \(load)"
  }

  private static func note(_ result: LoadResult) -> String {
    var words = [result.settings.target.text, "\(Decimal.text(result.seconds, decimals: 1)) s"]
    words.append("\(TableReport.grouped(result.requests)) answers")
    if let tokens = result.tokens, result.seconds > 0 {
      words.append("\(Decimal.text(tokens / result.seconds, decimals: 1)) tokens a second")
    }
    words.append("errors: \(TableReport.errors(result.errors))")
    return words.joined(separator: "  ·  ")
  }

  /// For attributes and text. Control characters have no place in XML at all.
  static func escaped(_ text: String) -> String {
    TableReport.printable(text).reduce(into: "") { result, character in
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
  }

  static func number(_ value: Double) -> String { Decimal.short((value * 100).rounded() / 100) }

  private static let margin = 28.0
  private static let gutter = 36.0
  private static let top = 76.0

  private static let style = """
    text{font-family:system-ui,-apple-system,"Segoe UI",sans-serif;font-size:12px;fill:#57606a}\
    .title{font-size:17px;font-weight:600;fill:#1f2328}.panel{font-size:13px;font-weight:600;fill:#1f2328}\
    .paper{fill:#ffffff}.bar{fill:#2f7fd1}.grid{stroke:#d8dee4;stroke-width:1}.axis{stroke:#8c959f;stroke-width:1}\
    .mark{stroke:#bc4c00;stroke-width:1.5;stroke-dasharray:4 3}.word{fill:#bc4c00;font-weight:600}\
    @media(prefers-color-scheme:dark){text{fill:#9198a1}.title,.panel{fill:#f0f6fc}.paper{fill:#0d1117}\
    .bar{fill:#4a9bea}.grid{stroke:#2a313a}.axis{stroke:#656c76}.mark{stroke:#f0883e}.word{fill:#f0883e}}
    """
}
