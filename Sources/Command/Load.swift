// `sluice load`: a load for any endpoint that speaks the OpenAI API, this gateway or another, and what it answered.

import ArgumentParser
import Glibc
import LoadGenerator
import Sluice

struct Load: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Load an endpoint that speaks the OpenAI API, and measure its answers.",
    discussion: """
      Reports time to first token, gaps between tokens, tokens and requests per second, and errors by kind. Ctrl-C ends \
      it early and reports what was measured so far. Every request costs what the endpoint charges for it.

        sluice load --url https://host/v1 --model M --streams 200 --duration 30 --plot load.svg

      A connection that has been silent for half of the time when it is over counts as timed out, unless answers before were \
      about as slow.

      Exit codes: 0 all answers were right, 1 some were not, 64 wrong arguments, 69 the endpoint is not there.
      """)

  @Option(help: "The API's base address, such as https://host/v1.")
  var url: String

  @Option(help: "The API key. (default: the environment's OPENAI_API_KEY)")
  var key: String?

  @Option(help: "The model that is asked for.")
  var model: String

  @Option(help: "Streams, or requests, at once.")
  var streams = 10

  @Option(help: "Seconds the load lasts.")
  var duration = 30.0

  @Option(help: "Seconds in front of them that are not counted.")
  var warmup = 0.0

  @Option(
    help:
      "Requests a second, whether the last ones were answered or not; at most --streams at once. Latency counts from when a request was due."
  )
  var rate: Double?

  @Flag(help: "Ask for answers in one piece.")
  var noStream = false

  @Option(help: "The most tokens an answer may have.")
  var maxTokens: Int?

  @Option(help: "What is asked.")
  var prompt = "Count from one to a hundred in words."

  @Option(help: "Longest silence in seconds while an answer is awaited. (default: half of --duration, from 10 to 60)")
  var timeout: Double?

  @Option(help: "A header line, name: value; may be repeated.")
  var header: [String] = []

  @Option(help: "PEM file of the authorities to trust instead of the system's.")
  var caFile: String?

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  @Option(help: "Draw the distributions into this SVG file.")
  var plot: String?

  func validate() throws { _ = try settings() }

  func run() throws {
    let settings = try settings()
    let bar = ProgressBar()
    let result: LoadResult
    do {
      result = try Measurement.run(settings) { bar?.draw($0) }
    } catch {
      Sluice.complain("sluice load: \(error)")
      throw ExitCode(ExitStatus.unavailable)
    }
    bar?.erase()
    if let fatal = result.fatal {
      Sluice.complain("sluice load: \(fatal)")
      throw ExitCode(ExitStatus.unavailable)
    }
    print(json ? JSONReport.text(result) + "\n" : TableReport.text(result), terminator: "")
    if let plot { try draw(result, plot) }
    if !result.isGood { throw ExitCode(1) }
  }

  private func draw(_ result: LoadResult, _ path: String) throws {
    guard let svg = Plot.svg(result) else {
      Sluice.complain("sluice load: nothing was measured that could be drawn; \(path) was not written")
      return
    }
    guard let file = fopen(path, "we") else {
      Sluice.complain("sluice load: \(path): \(String(cString: strerror(errno)))")
      throw ExitCode(ExitStatus.unavailable)
    }
    let written = fputs(svg, file) >= 0
    guard fclose(file) == 0, written else {
      Sluice.complain("sluice load: \(path): could not be written")
      throw ExitCode(ExitStatus.unavailable)
    }
  }

  // MARK: Arguments

  private func settings() throws -> LoadSettings {
    guard (1...1_000_000).contains(streams) else {
      throw ValidationError("--streams: found \(streams), expected 1 to 1000000")
    }
    do throws(LoadSettings.Mistake) {
      var settings = try LoadSettings(url: url, headers: header)
      settings.mode = rate != nil ? .rate : noStream ? .requests : .streams
      settings.key = givenKey
      settings.model = model
      settings.prompt = prompt
      settings.maxTokens = maxTokens
      settings.asksForStreams = !noStream
      settings.asksForUsage = true
      // Whatever an endpoint's answers look like, they are its own.
      settings.isMock = false
      settings.connections = streams
      settings.duration = duration
      settings.warmup = warmup
      settings.rate = rate
      settings.timeout = timeout ?? LoadSettings.usualTimeout(duration: duration)
      settings.authorities = caFile
      try settings.check()
      return settings
    } catch {
      throw ValidationError(error.description)
    }
  }

  private var givenKey: String? {
    let given = key ?? getenv("OPENAI_API_KEY").map { String(cString: $0) }
    return given?.isEmpty == false ? given : nil
  }
}
