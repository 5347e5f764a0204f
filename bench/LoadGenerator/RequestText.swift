// The bytes of a request, made once and sent over and over.

import Bytes
import Stamp

/// Makes requests.
enum RequestText {
  /// A POST of a chat completion.
  ///
  /// - Parameter closes: asks the server to close the connection behind its answer.
  static func chat(_ settings: LoadSettings, isStream: Bool, closes: Bool, mock: String?) -> Chunk {
    let body = body(settings, isStream: isStream)
    var head = "POST \(settings.target.path)/chat/completions HTTP/1.1\r\nHost: \(settings.target.authority)\r\n"
    head += "User-Agent: sluice-load\r\nAccept: \(isStream ? "text/event-stream" : "application/json")\r\n"
    head += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n"
    if let key = settings.key { head += "Authorization: Bearer \(value(key))\r\n" }
    if let mock { head += "x-mock: \(value(mock))\r\n" }
    for header in settings.headers { head += "\(header.name): \(value(header.value))\r\n" }
    if closes { head += "Connection: close\r\n" }
    let bytes = Array((head + "\r\n").utf8) + body
    return bytes.withUnsafeBytes { Chunk(copying: $0) }
  }

  /// The JSON body. `model` is the last member, so that a gateway which looks for it has to look at everything.
  private static func body(_ settings: LoadSettings, isStream: Bool) -> [UInt8] {
    var front = "{"
    if isStream { front += "\"stream\":true," }
    if isStream, settings.asksForUsage { front += "\"stream_options\":{\"include_usage\":true}," }
    if let count = settings.maxTokens { front += "\"max_tokens\":\(count)," }
    front += "\"messages\":[{\"role\":\"user\",\"content\":\(quoted(settings.prompt).dropLast())"
    let back = "\"}],\"model\":\(quoted(settings.model))}"
    let fixed = front.utf8.count + back.utf8.count
    var filler = [UInt8](repeating: 0, count: max((settings.bodyBytes ?? fixed) - fixed, 0))
    filler.withUnsafeMutableBytes { Filler.fill($0) }
    return Array(front.utf8) + filler + Array(back.utf8)
  }

  /// A header's value cannot begin another line.
  private static func value(_ text: String) -> String {
    String(decoding: text.utf8.map { $0 < 0x20 || $0 == 0x7f ? 0x20 : $0 }, as: UTF8.self)
  }

  /// `text` as a JSON string.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20:
        result += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
