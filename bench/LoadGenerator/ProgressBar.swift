// A line on a terminal that says how far a measurement is. Nothing is written where nobody looks: not into files, not
// into pipes.

import Glibc

/// Draws progress on standard error.
public final class ProgressBar {
  private var isDrawn = false

  /// Nil when standard error is no terminal.
  public init?() {
    guard isatty(2) == 1 else { return nil }
  }

  public func draw(_ progress: LoadProgress) {
    let width = 24
    let filled = Int((progress.fraction * Double(width)).rounded(.down))
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    let stage =
      switch progress.stage {
      case .opening: "connecting"
      case .warming: "warming up"
      case .counting: "measuring"
      }
    var words = "\(stage) \(bar) \(Decimal.text(progress.seconds, decimals: 1)) s"
    words += "  \(TableReport.grouped(progress.requests)) answers"
    if progress.events > 0 { words += "  \(TableReport.grouped(progress.events)) events" }
    if progress.errors > 0 { words += "  \(TableReport.grouped(UInt64(progress.errors))) errors" }
    write("\r\u{1b}[K" + words)
    isDrawn = true
  }

  /// Takes the line away.
  public func erase() {
    if isDrawn { write("\r\u{1b}[K") }
    isDrawn = false
  }

  private func write(_ text: String) {
    var text = text
    text.withUTF8 { _ = Glibc.write(2, $0.baseAddress, $0.count) }
  }
}
