// `sluice keys`: keys of a store, and lines for keys of the configuration.

import ArgumentParser
import Sluice

struct Keys: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make, list, rotate and revoke keys.",
    discussion: """
      The keys are in a store, a file that running gateways read (auth.store in the configuration): what is done here \
      counts from the next request on, without a reload. `hash` is for keys that stand in the configuration itself.
      """,
    subcommands: [Create.self, List.self, Revoke.self, Rotate.self, Hash.self])

  struct Hash: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the line that puts a key's SHA-256 into the configuration.",
      discussion: """
        The key is one line of standard input, which keeps it out of the shell's history:

          openssl rand -hex 24 | tee key.txt | sluice keys hash --name alice
        """)

    @Option(help: "The holder's name; prints a whole entry for auth.keys.")
    var name: String?

    @Argument(help: "The key; without it, the first line of standard input.")
    var key: String?

    func run() throws {
      guard let key = key ?? readLine(strippingNewline: true), !key.isEmpty,
        key.utf8.count <= 4096, key.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
      else {
        Sluice.complain("sluice: found no key, expected 1 to 4096 visible ASCII characters without spaces")
        throw ExitCode(ExitStatus.badData)
      }
      let hash = Sluice.keyHash(key)
      if let name {
        print("- name: \(quoted(name))\n  sha256: \(hash)")
      } else {
        print("sha256: \(hash)")
      }
    }
  }
}

/// `text` as a double-quoted YAML scalar in which no variable is replaced.
private func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": result += "\\\(scalar)"
    case _ where scalar.value < 0x20 || scalar.value == 0x7F: result += "?"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result.split(separator: "${", omittingEmptySubsequences: false).joined(separator: "$${") + "\""
}
