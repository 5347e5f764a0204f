// The files in conf/: they load as they stand, and conf/sluice.yaml says something about every key there is.

import Foundation
import Testing

@testable import Control

private let conf = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appending(path: "conf")

private func text(_ name: String) throws -> String {
  try String(contentsOf: conf.appending(path: name), encoding: .utf8)
}

private let names = (try? FileManager.default.contentsOfDirectory(atPath: conf.path)) ?? []

@Suite("The files in conf/")
struct FilesTests {
  @Test("load without a single environment variable", arguments: names.filter { $0.hasSuffix(".yaml") })
  func loads(name: String) throws {
    let result = Configuration.load(path: conf.appending(path: name).path, environment: [:])
    #expect(throws: Never.self) { try result.get() }
  }

  @Test("are the ones the manual names")
  func exist() {
    #expect(Set(["sluice.yaml", "minimal.yaml", "demo.yaml"]).isSubset(of: names))
  }

  @Test("begin with one below fifteen lines")
  func minimal() throws {
    #expect(try text("minimal.yaml").split(separator: "\n", omittingEmptySubsequences: false).count < 15)
  }
}

@Suite("conf/sluice.yaml")
struct ManualTests {
  @Test("has every key the decoder asks for, and no other")
  func hasEveryKey() throws {
    let present = Set(keys(of: try uncommented(text("sluice.yaml"))).map(\.path))
    #expect(Configuration.knownKeys.filter { !present.contains($0) } == [])
    #expect(
      present.subtracting(Configuration.knownKeys).filter { !$0.hasSuffix("*") && !$0.contains("headers.") } == [])
  }

  @Test("documents every key, and says of each value its default or that it is required")
  func documentsEveryKey() throws {
    let known = Configuration.knownKeys
    for key in keys(of: try uncommented(text("sluice.yaml"))) where known.contains(key.path) {
      #expect(!key.documentation.isEmpty, "\(key.path) has no comment")
      guard !known.contains(where: { $0.hasPrefix(key.path + ".") || $0.hasPrefix(key.path + "[]") }) else { continue }
      let words = key.documentation.lowercased()
      #expect(words.contains("default") || words.contains("required"), "\(key.path): \(key.documentation)")
    }
  }

  @Test("shows the defaults the decoder has")
  func showsDefaults() throws {
    let file = try configuration(text("sluice.yaml"))
    let silent = try configuration(smallest)
    #expect(file.workers == silent.workers)
    #expect(file.paths == silent.paths)
    #expect(file.client == silent.client)
    #expect(file.limits == silent.limits)
    #expect(file.timeouts == silent.timeouts)
    #expect(file.dns == silent.dns)
    #expect(file.relay == silent.relay)
    #expect(file.shutdown == silent.shutdown)
    #expect(file.usage == silent.usage)
    #expect(file.log == silent.log)
    #expect(file.listeners.map(\.backlog) == silent.listeners.map(\.backlog))
    #expect(file.clusters.map(\.tls) == silent.clusters.map(\.tls))
    #expect(file.clusters.map(\.pool) == silent.clusters.map(\.pool))
    #expect(file.clusters.map(\.timeouts) == silent.clusters.map(\.timeouts))
  }

  @Test("is good with every line switched on, but for the certificates it names and keys of which there may be one")
  func isGoodInFull() throws {
    let full = try uncommented(text("sluice.yaml"))
    let found = mistakes(full)
    let missing = found.filter { $0.contains("expected a file that can be read: no such file or directory") }
    #expect(missing.count == 3 && found.count == 4)
    #expect(found.contains { $0.contains("auth.jwt.public_key_file: found both secret and public_key_file") })
    var readable = full.split(separator: "\n").filter { line in
      !["    public_key_file:", "    jwks_file:", "    secret:"].contains { line.hasPrefix($0) }
    }.joined(separator: "\n")
    for name in ["/etc/sluice/fullchain.pem", "/etc/sluice/key.pem", "/etc/ssl/private-ca.pem"] {
      readable = readable.replacing(name, with: #filePath)
    }
    #expect(try configuration(readable).demoBackend == .init())
  }
}

// MARK: - Reading the manual

private struct Key {
  var path: String
  var documentation: String
}

/// `text` with the settings that are off switched on: `#key: value`, and `#  key: value` under such a line.
private func uncommented(_ text: String) -> String {
  text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
    guard let hash = line.firstIndex(where: { $0 != " " }), line[hash] == "#" else { return String(line) }
    let rest = line[line.index(after: hash)...]
    let isProse = rest.isEmpty || (rest.hasPrefix(" ") && !rest.hasPrefix("  "))
    return isProse ? String(line) : String(line[..<hash] + rest)
  }.joined(separator: "\n")
}

/// The block-style keys of `text` as the decoder names them, each with the comment on its line or above it.
private func keys(of text: String) -> [Key] {
  var result: [Key] = []
  var open: [(indentation: Int, name: String)] = []
  var above = ""
  for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
    let content = line.drop { $0 == " " }
    if content.hasPrefix("#") {
      above += content.dropFirst()
      continue
    }
    defer { above = "" }
    var key = content
    var indentation = line.count - content.count
    let isItem = key.hasPrefix("- ")
    if isItem {
      key = key.dropFirst(2)
      while open.last.map({ $0.indentation >= indentation && $0.name != "[]" }) ?? false { open.removeLast() }
      while open.last.map({ $0.indentation >= indentation }) ?? false { open.removeLast() }
      open.append((indentation, "[]"))
      indentation += 2
    }
    let name = key.prefix { $0 != ":" }
    guard (key.dropFirst(name.count) + " ").hasPrefix(": "),
      name.allSatisfy({ $0.isLetter || "_-0123456789".contains($0) })
    else { continue }
    while open.last.map({ $0.indentation >= indentation }) ?? false { open.removeLast() }
    let parent = path(open.map(\.name))
    let shown =
      ["clusters", "models", "deployments", "clusters.*.headers", "deployments.*.services", "limits.rules"].contains(
        parent)
      ? "*" : String(name)
    open.append((indentation, shown))
    let trailing = key.split(separator: " # ", maxSplits: 1).dropFirst().first ?? ""
    result.append(Key(path: path(open.map(\.name)), documentation: above + trailing))
  }
  return result
}

private func path(_ names: [String]) -> String {
  names.reduce("") { $1 == "[]" ? $0 + "[]" : $0.isEmpty ? $1 : "\($0).\($1)" }
}
