// `sluice-bench mock`: the backend behind whatever is measured.

import ArgumentParser
import Glibc
import MockBackend
import Reactor

struct Mock: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a pretended model that costs next to nothing.",
    discussion: """
      Prints `listening ADDRESS` once it does. A request's header x-mock changes what it is answered, for instance
      x-mock: events=100,gap-us=50000,batch=1,event-bytes=250,answer-bytes=1024,delay-us=0,lie=drop:7
      """)

  @Option(help: "Where it listens: an IP address with a port, 0 for any.")
  var address = "127.0.0.1:0"

  @Option(help: "Numbered events of a stream.")
  var events = 100

  @Option(help: "Microseconds between two writes of a stream; 0 sends as fast as the socket takes it.")
  var gapUs = 50_000

  @Option(help: "Events that leave in one write.")
  var batch = 1

  @Option(help: "Bytes of an event.")
  var eventBytes = 250

  @Option(help: "Bytes of an answer that is no stream.")
  var answerBytes = 1024

  @Option(help: "Microseconds before the first event, or the answer.")
  var delayUs = 0

  @Option(help: "What is wrong with every answer: \(Lie.forms).")
  var lie: String?

  private func settings() throws -> MockSettings {
    var settings = MockSettings()
    var text =
      "events=\(events),gap-us=\(gapUs),batch=\(batch),event-bytes=\(eventBytes),answer-bytes=\(answerBytes),delay-us=\(delayUs)"
    if let lie { text += ",lie=\(lie)" }
    do {
      try settings.apply(text)
    } catch {
      throw ValidationError("--\(error)")
    }
    return settings
  }

  private func place() throws -> SocketAddress {
    guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]),
      let place = SocketAddress(literal: String(address[..<colon]), port: port)
    else {
      throw ValidationError("--address: found \(address), expected an IP address and a port, such as 127.0.0.1:9000")
    }
    return place
  }

  func validate() throws {
    _ = try settings()
    _ = try place()
  }

  func run() throws {
    do {
      try MockBackend.run(at: place(), settings()) {
        print("listening \($0)")
        fflush(nil)
      }
    } catch let error as ReactorError {
      Terminal.complain("sluice-bench: \(address): \(error)")
      throw ExitCode(69)
    }
  }
}
