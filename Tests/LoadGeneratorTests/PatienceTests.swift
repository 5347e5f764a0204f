import Testing

@testable import LoadGenerator

@Suite("Which silence is a hang")
struct PatienceTests {
  /// Limits in seconds for a timeout of thirty.
  private func limits(
    window: Double, seen: Double = 0, mock: String? = nil
  ) throws -> (awaited: Double, held: Double?) {
    var settings = try LoadSettings(url: "http://host", headers: [])
    settings.timeout = 30
    settings.mock = mock
    let patience = Patience(settings, seconds: window)
    return (
      Double(patience.whileAwaited(seen: UInt64(seen * 1e9))) / 1e9, patience.whileHeld.map { Double($0) / 1e9 }
    )
  }

  @Test(
    "half of the window, or twice what ended well, up to the timeout",
    arguments: [
      (10.0, 0.0, nil, 5.0), (10, 2, nil, 5), (10, 4, nil, 8), (10, 20, nil, 30), (100, 0, nil, 30), (0.3, 0, nil, 0.5),
      (10, 0, "gap-us=4000000", 8), (10, 0, "delay-us=6000000,gap-us=0", 12), (10, 5, "gap-us=4000000", 10),
      (10, 0, "gap-us=9223372036854775807", 30),
    ] as [(Double, Double, String?, Double)])
  func awaited(window: Double, seen: Double, mock: String?, limit: Double) throws {
    #expect(try limits(window: window, seen: seen, mock: mock).awaited == limit)
  }

  @Test(
    "a stream that is held may be silent, unless its gap is known",
    arguments: [
      (10, nil, nil), (10, "delay-us=1", nil), (10, "gap-us=0", 5), (10, "gap-us=1000000", 5),
      (10, "gap-us=100000000", 200), (1000, "gap-us=0", 30), (0.1, "gap-us=0", 0.5),
    ] as [(Double, String?, Double?)])
  func held(window: Double, mock: String?, limit: Double?) throws {
    #expect(try limits(window: window, mock: mock).held == limit)
  }

  @Test(
    "a timeout that nobody gave can be reached in a usual load",
    arguments: [(30, 15), (1, 10), (300, 60), (60, 30)])
  func usual(duration: Double, timeout: Double) {
    #expect(LoadSettings.usualTimeout(duration: duration) == timeout)
  }
}
