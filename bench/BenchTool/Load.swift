// `sluice-bench load`: the load in front of whatever is measured, with all modes and checks.

import ArgumentParser
import LoadGenerator
import Reactor

extension LoadSettings.Mode: ExpressibleByArgument {}

struct Load: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Load an endpoint and check every answer.",
    discussion: "Exit code 0 only when every answer was right, the warm-up's included.")

  @Option(help: "The API's base address, such as http://127.0.0.1:8080/v1.")
  var url: String

  @Option(help: "Sent as Authorization: Bearer.")
  var key: String?

  @Option(help: "The model that is asked for.")
  var model = "mock"

  @Option(
    help: "How requests follow each other: \(LoadSettings.Mode.allCases.map(\.rawValue).joined(separator: ", ")).")
  var mode = LoadSettings.Mode.requests

  @Option(help: "Connections, or streams.")
  var connections = 1

  @Option(help: "Seconds that are counted. (default: 10, or 600 with --requests)")
  var duration: Double?

  @Option(help: "Seconds in front of them that are not. (default: 1, or 0 with --requests)")
  var warmup: Double?

  @Option(help: "Ends after so many answers.")
  var requests: Int?

  @Option(help: "Requests a second, for --mode rate.")
  var rate: Double?

  @Flag(help: "Asks for streams in --mode rate and fresh.")
  var stream = false

  @Option(help: "Seconds that held and stalled streams are held. (default: 5)")
  var hold: Double?

  @Option(help: "Bytes of a request's body.")
  var bodyBytes: Int?

  @Option(help: "Bytes of an answer, asked of the mock.")
  var answerBytes: Int?

  @Option(help: "Sent as x-mock: events=..,gap-us=..,batch=..,event-bytes=..,answer-bytes=..,delay-us=..,lie=..")
  var mock: String?

  @Option(help: "A header line, name: value; may be repeated.")
  var header: [String] = []

  @Option(help: "Longest silence in seconds while an answer is awaited.")
  var timeout = 30.0

  @Option(help: "A process whose CPU time and memory are taken at the window's edges; may be repeated.")
  var watch: [Int32] = []

  @Option(help: "PEM file of the authorities to trust instead of the system's.")
  var authorities: String?

  @Flag(help: "Prints one JSON object.")
  var json = false

  private func settings() throws -> LoadSettings {
    let given = [
      stream ? "stream" : nil, hold.map { _ in "hold" }, duration.map { _ in "duration" }, warmup.map { _ in "warmup" },
      requests.map { _ in "requests" },
    ]
    if let mistake = mode.mistake(given: given.compactMap { $0 }) { throw ValidationError(mistake) }
    do throws(LoadSettings.Mistake) {
      var settings = try LoadSettings(url: url, headers: header)
      settings.mode = mode
      settings.key = key
      settings.model = model
      settings.connections = connections
      settings.requestsMax = requests
      settings.duration = duration ?? (requests == nil ? 10 : 600)
      settings.warmup = warmup ?? (requests == nil ? 1 : 0)
      settings.rate = rate
      settings.asksForStreams = stream
      settings.hold = hold ?? 5
      settings.timeout = timeout
      settings.bodyBytes = bodyBytes
      settings.answerBytes = answerBytes
      settings.mock = mock
      settings.watched = watch
      settings.authorities = authorities
      try settings.check()
      return settings
    } catch {
      throw ValidationError(error.description)
    }
  }

  func validate() throws { _ = try settings() }

  func run() throws {
    let result: LoadResult
    let bar = ProgressBar()
    do {
      result = try Measurement.run(settings()) { bar?.draw($0) }
      bar?.erase()
    } catch let error as ReactorError {
      Terminal.complain("sluice-bench: \(url): \(error)")
      throw ExitCode(1)
    }
    if json { print(JSONReport.text(result)) } else { print(TableReport.text(result), terminator: "") }
    if let fatal = result.fatal { Terminal.complain("sluice-bench: \(fatal)") }
    if !result.isGood { throw ExitCode(1) }
  }
}
