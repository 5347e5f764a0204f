// What the tests of this room share: reading a text and seeing its mistakes as an operator would.

import Control

/// The mistakes of `text` as printed, `t.yaml` being its name; none when it is good.
func mistakes(_ text: String, _ environment: [String: String] = [:]) -> [String] {
  switch Configuration.parse(text: text, name: "t.yaml", environment: environment) {
  case .success: return []
  case .failure(let errors): return errors.mistakes.map(\.description)
  }
}

/// The configuration of `text`, or its mistakes as an error.
func configuration(_ text: String, _ environment: [String: String] = [:]) throws -> Configuration {
  try Configuration.parse(text: text, name: "t.yaml", environment: environment).get()
}

/// A file that is good, in five lines; tests put theirs below it.
let smallest = """
  listeners: [{ address: "127.0.0.1:8080" }]
  auth: { open: true }
  clusters: { local: { endpoints: ["http://127.0.0.1:8000"] } }
  default_cluster: local

  """

/// `smallest` without its line that begins with `key`.
func smallest(without key: String) -> String {
  smallest.split(separator: "\n").filter { !$0.hasPrefix(key) }.joined(separator: "\n") + "\n"
}
