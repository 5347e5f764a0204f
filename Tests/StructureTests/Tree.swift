// The source tree as the structure tests see it: files, their lines, and their code without comments and literals.

import Foundation

enum Tree {
  /// The repository's root: this file is in Tests/StructureTests.
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  struct File: Sendable, CustomStringConvertible {
    /// Path from the root.
    let path: String
    let text: String
    var description: String { path }
    var components: [String] { path.split(separator: "/").map(String.init) }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
  }

  /// All text files below the given directories of the root (those that exist), by path.
  static func files(in directories: [String], endingIn endings: [String]? = nil) -> [File] {
    var files: [File] = []
    for directory in directories {
      guard
        let walk = FileManager.default.enumerator(
          at: root.appending(path: directory), includingPropertiesForKeys: [.isRegularFileKey],
          options: [.skipsHiddenFiles])
      else { continue }
      for case let url as URL in walk {
        guard (try? url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true,
          endings?.contains(url.pathExtension) ?? true, let text = try? String(contentsOf: url, encoding: .utf8)
        else { continue }
        files.append(File(path: String(url.path().dropFirst(root.path().count)), text: text))
      }
    }
    return files.sorted { $0.path < $1.path }
  }

  /// Names directly in `directory`, hidden ones included.
  static func names(in directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root.appending(path: directory).path()).sorted()
  }

  static func isDirectory(_ path: String) -> Bool {
    (try? root.appending(path: path).resourceValues(forKeys: [.isDirectoryKey]).isDirectory) == true
  }
}

/// One `import`, with the module it names.
struct Import {
  let module: String
  let line: Int

  /// The imports of a Swift file: attributes, access levels and `import struct Module.Name` included.
  static func all(in file: Tree.File) -> [Import] {
    let words = /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(.+)$/
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
    return Code.withoutCommentsAndLiterals(file.text).split(separator: "\n", omittingEmptySubsequences: false)
      .enumerated().flatMap { number, line in
        line.split(separator: ";").compactMap { statement -> Import? in
          guard let match = statement.wholeMatch(of: words) else { return nil }
          let parts = match.1.split(separator: " ").drop { kinds.contains($0) }
          guard let module = parts.first?.split(separator: ".").first else { return nil }
          return Import(module: String(module), line: number + 1)
        }
      }
  }
}
