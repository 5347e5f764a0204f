// How a reply goes out: its head, its pieces, the pauses between them, and where the switches break it off. A machine
// without socket or clock: the connection asks for the next step and does it.
//
//   delayed ─▶ head ─▶ events … ─▶ end ─▶ over
//                 └─▶ whole body ──────────▶ over
//   anywhere: cut, reset, stalled ─▶ over

import Glibc
import Wire

/// A reply on its way.
struct Delivery {
  /// What the connection has to do.
  enum Step: Equatable {
    /// Bytes were written, or not; ask again.
    case more
    /// Ask again after so many nanoseconds.
    case wait(UInt64)
    /// The reply is complete; the connection may go on when `keepAlive`.
    case finished(keepAlive: Bool)
    /// Close, once what was written has left.
    case cut
    /// The same with RST.
    case reset
    /// Send nothing more, and keep the connection open until the peer closes it.
    case stalled
  }

  private enum Stage: Equatable {
    case delayed, head
    case event(Int, paused: Bool)
    case end
    case over(Step)
  }

  private let reply: DemoReply
  private let isHead: Bool
  private let isChunked: Bool
  private let requestID: String
  private let delay: UInt64
  private let gap: UInt64
  /// Whether the connection may carry another request afterwards.
  let keepAlive: Bool
  private var stage = Stage.delayed

  init(_ reply: DemoReply, to request: DemoRequest, settings: DemoSettings) {
    self.reply = reply
    let switches = reply.switches
    isHead = request.method == "HEAD"
    requestID = request.requestID ?? DemoID.make("req_", length: 32, hexadecimal: true)
    delay =
      switches.delay.map { UInt64(clamping: $0) * 1_000_000 } ?? (reply.isGenerated ? settings.firstWordNanoseconds : 0)
    gap = switches.gap.map { UInt64(clamping: $0) * 1_000_000 } ?? settings.wordNanoseconds
    var isStream = false
    if case .events = reply.body { isStream = true }
    // HTTP/1.0 knows no chunks: the stream ends with the connection.
    isChunked = isStream && request.versionMinor > 0
    keepAlive = request.keepAlive && switches.close != 1 && (isChunked || !isStream)
  }

  /// The next step; bytes to send are appended to `output`.
  mutating func next(into output: inout [UInt8]) -> Step {
    switch stage {
    case .delayed:
      stage = .head
      return delay > 0 ? .wait(delay) : .more
    case .head:
      return head(into: &output)
    case .event(let index, let paused):
      guard case .events(let script) = reply.body else { return end(.finished(keepAlive: keepAlive)) }
      return event(index, paused: paused, of: script, into: &output)
    case .end:
      if isChunked { output.append(contentsOf: "0\r\n\r\n".utf8) }
      return end(.finished(keepAlive: keepAlive))
    case .over(let step):
      return step
    }
  }

  /// The last step, which is repeated for whoever asks again.
  private mutating func end(_ step: Step) -> Step {
    stage = .over(step)
    return step
  }

  /// Whether the switches end the reply after `count` events, or bytes of a plain body.
  private func breakOff(after count: Int) -> Step? {
    let switches = reply.switches
    if switches.cut == count { return .cut }
    if switches.reset == count { return .reset }
    if switches.stall == count { return .stalled }
    return nil
  }

  private mutating func head(into output: inout [UInt8]) -> Step {
    if let step = breakOff(after: 0) { return end(step) }
    switch reply.body {
    case .events:
      writeHead(length: nil, into: &output)
      stage = .event(0, paused: false)
      return .more
    case .whole(let body):
      writeHead(length: body.count, into: &output)
      guard !isHead else { return end(.finished(keepAlive: keepAlive)) }
      let switches = reply.switches
      let stop = [switches.cut, switches.reset, switches.stall].compactMap { $0 }.filter { $0 < body.count }.min()
      output.append(contentsOf: body.prefix(stop ?? body.count))
      return end(stop.flatMap { breakOff(after: $0) } ?? .finished(keepAlive: keepAlive))
    }
  }

  private mutating func event(
    _ index: Int, paused: Bool, of script: any EventScript, into output: inout [UInt8]
  ) -> Step {
    if index > 0, let step = breakOff(after: index) { return end(step) }
    if reply.switches.error == index {
      // The framing ends as it should; only what the events say is that the answer failed, and no [DONE] follows.
      write(script.failure(.midStream, at: index), into: &output)
      stage = .end
      return .more
    }
    guard index < script.eventCount else {
      stage = .end
      return .more
    }
    let event = script.event(index)
    if event.isWord, !paused, gap > 0 {
      stage = .event(index, paused: true)
      return .wait(gap)
    }
    write(event, into: &output)
    stage = .event(index + 1, paused: false)
    return .more
  }

  private func write(_ event: ScriptedEvent, into output: inout [UInt8]) {
    let bytes = event.bytes
    if isChunked { output.append(contentsOf: "\(String(bytes.count, radix: 16))\r\n".utf8) }
    output.append(contentsOf: bytes)
    if isChunked { output.append(contentsOf: "\r\n".utf8) }
  }

  private func writeHead(length: Int?, into output: inout [UInt8]) {
    let room = [UInt8](unsafeUninitializedCapacity: 2048) { room, count in
      var writer = HeadWriter(UnsafeMutableRawBufferPointer(room))
      writer.statusLine(reply.status)
      writer.field("date", utf8: HTTPDate.now())
      writer.field("server", "sluice-demo")
      writer.field("content-type", length == nil ? "text/event-stream; charset=utf-8" : "application/json")
      if let length { writer.field("content-length", UInt64(clamping: length)) }
      if isChunked { writer.field("transfer-encoding", "chunked") }
      if length == nil { writer.field("cache-control", "no-cache") }
      if !keepAlive { writer.field("connection", "close") }
      // Harmless in HTTP/1.1, and what a client of HTTP/1.0 waits for.
      if keepAlive { writer.field("connection", "keep-alive") }
      writer.field("x-request-id", utf8: requestID)
      writer.field("openai-version", "2020-10-01")
      writer.field("openai-processing-ms", delay / 1_000_000)
      for field in reply.fields {
        writer.write(utf8: field.name)
        writer.write(": ")
        writer.write(utf8: field.value)
        writer.write("\r\n")
      }
      writer.endHead()
      count = writer.count
    }
    output.append(contentsOf: room)
  }
}

/// Dates of HTTP headers (RFC 9110 5.6.7).
enum HTTPDate {
  static func now() -> String {
    var seconds = time_t(DemoID.now())
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let day = days[min(max(Int(parts.tm_wday), 0), 6)]
    let month = months[min(max(Int(parts.tm_mon), 0), 11)]
    let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { two($0) }.joined(separator: ":")
    return "\(day), \(two(parts.tm_mday)) \(month) \(Int(parts.tm_year) + 1900) \(clock) GMT"
  }

  private static func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
