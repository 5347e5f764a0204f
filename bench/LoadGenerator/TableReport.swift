// A measurement for people: aligned columns.

/// Tells results as text.
public enum TableReport {
  public static func text(_ result: LoadResult) -> String {
    "requests \(result.requests) events \(result.events)\n"
  }
}
