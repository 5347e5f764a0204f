import Foundation
import Testing

@Suite("House rules")
struct HouseRulesTests {
  static let linesMax = 450
  static let everywhere = ["Sources", "Tests", "bench", "conf"]
  static let swift = Tree.files(in: everywhere, endingIn: ["swift"])

  @Test("the top level holds what was agreed and nothing else")
  func topLevel() throws {
    let agreed: Set<String> = [
      "Package.swift", "Sources", "Tests", "bench", "conf", "README.md", "Makefile", "LICENSE",
    ]
    let ignored = (try? String(contentsOf: Tree.root.appending(path: ".gitignore"), encoding: .utf8)) ?? ""
    let patterns = ignored.split(separator: "\n").map { $0.hasSuffix("/") ? String($0.dropLast()) : String($0) }
    for name in try Tree.names(in: "") where !name.hasPrefix(".") && !agreed.contains(name) {
      let isIgnored = patterns.contains { $0.hasPrefix("*") ? name.hasSuffix($0.dropFirst()) : $0 == name }
      #expect(isIgnored, "\(name) has no place at the top level")
    }
  }

  @Test("no file has outgrown one idea")
  func length() {
    for file in Self.swift {
      let count = file.lines.count - (file.text.hasSuffix("\n") ? 1 : 0)
      #expect(count < Self.linesMax, "\(file.path) has \(count) lines")
    }
  }

  @Test("nothing reminds its reader of work that was not done")
  func reminders() {
    // Put together here, or this file would find itself.
    let words = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["HA", "CK"], ["W", "IP"], ["TB", "D"]].map { $0.joined() }
    for file in Tree.files(in: Self.everywhere + ["README.md", "Makefile", "Package.swift"]) {
      for (number, line) in file.lines.enumerated() {
        let found = words.first { word in
          line.contains(word) && line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.contains { $0 == word }
        }
        #expect(found == nil, "\(file.path):\(number + 1): \(line)")
      }
    }
  }

  @Test("no value, try or cast is forced")
  func forced() {
    for file in Rooms.sources + Rooms.benches {
      for line in Code.forcedLines(in: file.text) { Issue.record("\(file.path):\(line): \(file.lines[line - 1])") }
    }
  }

  @Test("no path of anybody's machine")
  func machinePaths() {
    // In front of a path stands no letter: /v1/users/root/ is an address, not a place on a disk.
    let homes = ["home", "root", "Users", "work", "workspace"].joined(separator: "|")
    guard let anywhere = try? Regex("(^|[^A-Za-z0-9_.}/-])/(\(homes))/[A-Za-z0-9_.-]+") else {
      Issue.record("the expression is wrong")
      return
    }
    let temporary = /(^|[^A-Za-z0-9_.}\/-])\/tmp\//
    for file in Tree.files(in: Self.everywhere) {
      for (number, line) in file.lines.enumerated() {
        #expect(!line.contains(anywhere), "\(file.path):\(number + 1): \(line)")
        if file.path.hasPrefix("Sources/") {
          #expect(!line.contains(temporary), "\(file.path):\(number + 1): \(line)")
        }
      }
    }
  }

  @Test("every file of more than a few lines says at its head what it is")
  func heads() {
    for file in Rooms.sources where file.lines.count > 10 {
      let first = file.lines.first ?? ""
      #expect(first.hasPrefix("//"), "\(file.path): begins with \(first)")
    }
  }
}
