// A measurement as one JSON object, for whoever draws tables of them.

/// Tells results in JSON.
public enum JSONReport {
  /// One line.
  public static func text(_ result: LoadResult) -> String {
    let main = result.main
    let stream = result.streaming
    var json = JSONText()
    json.object {
      $0.add("mode", result.settings.mode.rawValue)
      $0.add("url", result.settings.target.text)
      $0.add("window_seconds", result.seconds, decimals: 6)
      $0.add("requests", result.requests)
      $0.add("events", result.events)
      $0.add("bytes", result.bytes)
      $0.add("bytes_sent", result.bytesSent)
      $0.add("requests_per_second", rate(result.requests, result), decimals: 2)
      $0.add("events_per_second", rate(result.events, result), decimals: 2)
      $0.add("bytes_per_second", rate(result.bytes, result), decimals: 0)
      $0.add("latency_us", main?.latency)
      $0.add("first_token_us", stream?.firstToken)
      $0.add("gap_us", stream?.gap)
      $0.add("event_delay_us", stream.flatMap { $0.eventDelay.count > 0 ? $0.eventDelay : nil })
      $0.add("tokens", result.tokens ?? 0, decimals: 0)
      $0.add("tokens_per_second", result.seconds > 0 ? (result.tokens ?? 0) / result.seconds : 0, decimals: 2)
      $0.add("answers_with_usage", result.parts.reduce(0) { $0 + $1.answersWithUsage })
      $0.key("histograms")
      $0.object {
        $0.add("latency_us", main?.latency.recorded ?? [])
        $0.add("first_token_us", stream?.firstToken.recorded ?? [])
        $0.add("gap_us", stream?.gap.recorded ?? [])
        $0.add("event_delay_us", stream?.eventDelay.recorded ?? [])
      }
      if result.parts.count > 1 {
        $0.key("lanes")
        $0.object { for part in result.parts { lane(part, result, &$0) } }
      }
      $0.key("errors")
      errors(result.errors, &$0)
      if let complaint = result.fatal ?? result.parts.compactMap(\.firstComplaint).first {
        $0.add("complaint", complaint)
      }
      $0.add("ok", result.isGood)
      $0.add("interrupted", result.wasInterrupted)
      $0.key("watched")
      $0.array(result.watched) { watched($0, &$1) }
      $0.add("streams_open", UInt64(result.streamsOpen))
      $0.add("unanswered", UInt64(result.parts.reduce(0) { $0 + $1.unanswered }))
      $0.add("unsent", UInt64(result.parts.reduce(0) { $0 + $1.unsent }))
      $0.add("longest_silence_us", result.longestSilence * 1e6, decimals: 0)
      $0.add("own_cpu_us", result.ownCPUMicroseconds, decimals: 0)
    }
    return json.text
  }

  private static func lane(_ part: LoadResult.Part, _ result: LoadResult, _ json: inout JSONText) {
    json.key(part.name)
    json.object {
      $0.add("requests", part.requests)
      $0.add("events", part.events)
      $0.add("bytes", part.bytes)
      $0.add("requests_per_second", rate(part.requests, result), decimals: 2)
      $0.add("events_per_second", rate(part.events, result), decimals: 2)
      $0.add("bytes_per_second", rate(part.bytes, result), decimals: 0)
      $0.add("latency_us", part.latency)
    }
  }

  private static func errors(_ errors: ErrorCounts, _ json: inout JSONText) {
    json.object {
      $0.add("connect", errors.connect)
      $0.add("closed", errors.closed)
      $0.add("timeout", errors.timeout)
      $0.key("status")
      $0.object { for (status, count) in errors.status.sorted(by: { $0.key < $1.key }) { $0.add("\(status)", count) } }
      $0.add("order", errors.order)
      $0.add("count", errors.count)
      $0.add("done", errors.done)
      $0.add("bytes", errors.bytes)
      $0.add("framing", errors.framing)
      $0.add("failed", errors.failed)
    }
  }

  private static func watched(_ process: LoadResult.Watched, _ json: inout JSONText) {
    json.object {
      $0.add("pid", Int(process.pid))
      $0.add("cpu_us", process.cpuMicroseconds, decimals: 0)
      $0.add("rss_kib_before", process.before?.residentKiB)
      $0.add("rss_kib_after", process.after?.residentKiB)
      $0.add("pss_kib_before", process.before?.proportionalKiB)
      $0.add("pss_kib_after", process.after?.proportionalKiB)
    }
  }

  private static func rate(_ count: UInt64, _ result: LoadResult) -> Double {
    result.seconds > 0 ? Double(count) / result.seconds : 0
  }
}
