import Testing

@testable import LoadGenerator

@Suite("Figures and how they are told")
struct ReportTests {
  @Test("percentiles are those of what was recorded, to three digits")
  func percentiles() {
    let recorder = Recorder()
    for microseconds in 1...10_000 { recorder.record(UInt64(microseconds) * 1_000) }
    let durations = recorder.durations
    #expect(durations.count == 10_000)
    for (percent, expected) in [(50.0, 5_000.0), (90, 9_000), (99, 9_900), (99.9, 9_990), (100, 10_000)] {
      #expect(abs(durations.percentile(percent) - expected) <= expected / 500, "p\(percent)")
    }
    #expect(abs(durations.mean - 5_000.5) < 5 && abs(durations.min - 1) < 0.2 && abs(durations.max - 10_000) < 10)
    #expect(durations.recorded.reduce(0) { $0 + $1.count } == 10_000)
    recorder.reset()
    #expect(recorder.durations.count == 0 && recorder.durations.percentile(99) == 0)
    #expect(durations.count == 10_000, "what was taken out stays")
  }

  @Test("a record of many is many records, and what is too long counts as an hour")
  func many() {
    let recorder = Recorder()
    recorder.record(5_000, count: 7)
    recorder.record(.max)
    #expect(recorder.durations.count == 8)
    #expect(recorder.durations.max > 3.59e9 && recorder.durations.max < 3.61e9)
  }

  @Test("what is not over counts as far as it has come, once it is longer than half of what is over")
  func unfinished() {
    let recorder = Recorder()
    #expect(recorder.record(unfinished: [1_000, 2_000]) == 2 && recorder.durations.count == 2)
    recorder.reset()
    for microseconds in 1...100 { recorder.record(UInt64(microseconds) * 1_000) }
    #expect(recorder.record(unfinished: [10_000, 49_000, 60_000, 5_000_000_000]) == 2)
    #expect(recorder.durations.count == 102 && recorder.durations.max > 4.9e6)
    #expect(recorder.record(unfinished: []) == 0 && recorder.durations.count == 102)
  }

  @Test("counts do not wrap, however long a load lasts")
  func wide() {
    let recorder = Recorder()
    for _ in 0..<3 { recorder.record(1_000, count: .max) }
    recorder.record(5_000_000)
    let durations = recorder.durations
    #expect(durations.recorded.first?.count == 3 * UInt64(UInt32.max))
    #expect(abs(durations.percentile(99.9) - 1) < 0.2 && durations.max > 4_900)
  }

  @Test(
    "numbers keep their decimals",
    arguments: [
      (0.0, 2, "0.00"), (1.005, 1, "1.0"), (12.345, 1, "12.3"), (0.05, 2, "0.05"), (-1.5, 1, "-1.5"),
      (-0.001, 1, "0.0"),
      (1e300, 2, "0"), (.nan, 1, "0"), (99.96, 1, "100.0"), (7, 0, "7"),
    ])
  func decimals(number: Double, decimals: Int, text: String) {
    #expect(Decimal.text(number, decimals: decimals) == text)
  }

  @Test("JSON is JSON")
  func json() {
    var json = JSONText()
    json.object {
      $0.add("a", "x\"\n\u{2}")
      $0.add("b", 1)
      $0.key("c")
      $0.object { _ in }
      $0.key("d")
      $0.array([1, 2]) { number, json in json.object { $0.add("n", number) } }
      $0.add("e", nil as Int?)
      $0.add("f", true)
      $0.add("g", nil as Durations?)
      $0.add("h", 1.25, decimals: 1)
    }
    #expect(
      json.text == #"{"a":"x\"\n\u0002","b":1,"c":{},"d":[{"n":1},{"n":2}],"e":null,"f":true,"g":null,"h":1.3}"#)
  }

  @Test("axes end at round numbers")
  func axes() {
    for (number, expected) in [(0.13, 0.2), (0.2, 0.2), (0.21, 0.4), (0.81, 1.0), (0.0012, 0.002)] {
      #expect(abs(PlotPanel.roundUp(number, [1, 2, 4, 8, 10]) - expected) < 1e-9)
    }
    #expect(PlotPanel.time(milliseconds: 0.25) == "250 µs" && PlotPanel.time(milliseconds: 12) == "12 ms")
    #expect(PlotPanel.time(milliseconds: 1_500) == "1.5 s" && PlotPanel.short(60.0000001) == "60")
  }

  @Test(
    "a panel holds all that was recorded, whatever it is",
    arguments: [[5_000], [0], [0, 3_600_000_000_000], [1, 2, 3]])
  func panels(nanoseconds: [UInt64]) {
    let recorder = Recorder()
    for value in nanoseconds { recorder.record(value) }
    let svg = PlotPanel(title: "a < b", durations: recorder.durations).svg()
    #expect(svg.contains("a &lt; b") && svg.contains("class=\"bar\"") && svg.contains("p99") && !svg.contains("nan"))
  }

  @Test("what a server says cannot reach the terminal or the plot as anything but text")
  func hostile() {
    #expect(TableReport.printable("a\u{1b}[2Jb\n") == "a [2Jb ")
    #expect(Plot.escaped("<script>&\"\u{0}") == "&lt;script&gt;&amp;&quot; ")
  }

  @Test("errors are told by kind")
  func errors() {
    var errors = ErrorCounts()
    #expect(TableReport.errors(errors) == "none")
    errors.status[429] = 1_200
    errors.connect = 1
    errors.add([.order, .done])
    #expect(TableReport.errors(errors) == "1 could not connect, 1 200 HTTP 429, 1 without [DONE], 1 out of order")
    #expect(errors.total == 1_203)
  }
}
