// Files that want to hurt: whatever the bytes, the answer is a list of mistakes, soon, and never a trap.

import Foundation
import Testing

@testable import Control

@Suite("A hostile file gives an error")
struct HostileFilesTests {
  private func nest(_ open: String, _ close: String = "", _ count: Int) -> String {
    String(repeating: open, count: count) + String(repeating: close, count: count)
  }

  @Test("when it nests", arguments: [10, 100, 999, 1001, 100_000])
  func nesting(depth: Int) {
    #expect(!mistakes(nest("[", "]", depth)).isEmpty)
    #expect(!mistakes(nest("{a: ", "}", depth)).isEmpty)
    #expect(!mistakes(nest("- ", "", depth)).isEmpty)
    #expect(!mistakes("client: " + nest("[", "", depth)).isEmpty)
    #expect(!mistakes(nest("? ", "", depth)).isEmpty)
  }

  @Test("when it nests as deeply as libyaml allows, on a thread with a small stack")
  func smallStack() {
    let done = DispatchSemaphore(value: 0)
    let text = nest("[", "]", 990)
    let thread = Thread {
      #expect(!mistakes(text).isEmpty)
      done.signal()
    }
    thread.stackSize = 1 << 20
    thread.start()
    done.wait()
  }

  @Test("when its aliases multiply")
  func laughs() {
    var text = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for (one, next) in zip("abcdefgh", "bcdefghi") {
      text += "\(next): &\(next) [\(Array(repeating: "*\(one)", count: 9).joined(separator: ", "))]\n"
    }
    #expect(mistakes(text) == ["t.yaml:1:1: found more than 16 aliases (*name); write the values out"])
    #expect(!mistakes("a: &a [*a]\n").isEmpty)
    #expect(!mistakes("a: &a { ? *a : b }\n").isEmpty)
    #expect(!mistakes("&a a: *a\n").isEmpty)
  }

  @Test("but a few aliases are well")
  func fewAliases() throws {
    let text =
      smallest(without: "clusters") + """
        clusters:
          local: { endpoints: [http://a], pool: &pool { idle_max: 3 } }
          other: { endpoints: [http://b], pool: *pool }
        """
    #expect(try configuration(text).clusters.map(\.pool.idleMax) == [3, 3])
  }

  @Test("when it is larger than it may be")
  func size() {
    let text = smallest + String(repeating: "#", count: Document.bytesMax)
    #expect(mistakes(text) == ["t.yaml:1:1: found \(text.utf8.count) bytes, expected at most 1MiB"])
  }

  @Test("when it has more mistakes than anybody reads")
  func manyMistakes() {
    let text = (0..<5000).map { "key\($0): 1\n" }.joined()
    #expect(mistakes(text).count == Report.mistakesMax)
    let again = (0..<100).map { "relay: \($0)\n" }.joined()
    #expect((1...40).contains(mistakes(again).count))
  }

  @Test("when it is no text, or is not there")
  func bytes() throws {
    func errors(_ path: String) -> [String] {
      switch Configuration.load(path: path, environment: [:]) {
      case .success: return []
      case .failure(let errors): return errors.mistakes.map { String($0.description.dropFirst(path.count)) }
      }
    }
    #expect(errors("/nowhere/a.yaml") == [": cannot be opened: no such file or directory"])
    #expect(errors("/") == [": cannot be read: is a directory"])
    #expect(errors("/dev/zero") == [":1:1: found more than 1048576 bytes, expected at most 1MiB"])
    let file = FileManager.default.temporaryDirectory.appending(path: "sluice-\(UUID().uuidString).yaml")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data([0x61, 0x0A, 0xFF, 0xFE, 0x00]).write(to: file)
    #expect(errors(file.path) == [":2:1: found bytes that are not UTF-8; save the file as UTF-8"])
    try Data([0x7F, 0x45, 0x4C, 0x46, 0, 0, 0]).write(to: file)
    #expect(errors(file.path) == [":1:1: not YAML: control characters are not allowed"])
  }

  @Test("and line ends and a byte order mark do not matter")
  func lineEnds() throws {
    _ = try configuration("\u{FEFF}" + smallest)
    _ = try configuration(smallest.replacing("\n", with: "\r\n"))
    #expect(
      mistakes(smallest.replacing("\n", with: "\r\n") + "workers: 0\r\n").first?.hasPrefix("t.yaml:5:1: workers")
        == true)
  }

  @Test("whatever is done to the manual", arguments: 0..<8)
  func mutations(seed: UInt64) throws {
    let conf = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "conf/sluice.yaml")
    // Comments only make the file longer to change.
    let lines = try String(contentsOf: conf, encoding: .utf8).split(separator: "\n")
    let original = Array(
      lines.filter { !$0.drop(while: { $0 == " " }).hasPrefix("# ") }.joined(separator: "\n").utf8)
    var random = SplitMix(state: seed)
    for round in 0..<60 {
      var bytes = original
      for _ in 0...random.next(below: 6) { mutate(&bytes, &random) }
      let text = String(decoding: bytes, as: UTF8.self)
      if case .failure(let errors) = Configuration.parse(text: text, name: "f", environment: [:]) {
        #expect(!errors.mistakes.isEmpty, "seed \(seed), round \(round)")
        #expect(errors.mistakes.allSatisfy { $0.line > 0 && $0.column > 0 }, "seed \(seed), round \(round)")
      }
    }
  }

  private static let pieces: [String] = [
    "*a", "&a ", "[", "]", "{", "}", ": ", "- ", "? ", "!x ", "${", "${A}", "|\n", ">\n", "\"", "'", "#", "\n", "  ",
    "\t",
    "---\n", "...\n", "%YAML 1.1\n", "<<: ", "99999999999999999999", "-1", "null", "~", "\u{0}", "\u{FEFF}", "\u{E000}",
    "\u{85}", "\u{2028}", "\\x", "[::1]:", "http://", "@", "\r",
  ]

  private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix) {
    let at = random.next(below: bytes.count + 1)
    let end = min(bytes.count, at + random.next(below: 40))
    switch random.next(below: 5) {
    case 0: bytes.removeSubrange(at..<end)
    case 1: bytes.insert(contentsOf: bytes[at..<end], at: random.next(below: bytes.count + 1))
    case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: at)
    case 3 where at < bytes.count: bytes[at] = UInt8(truncatingIfNeeded: random.next())
    default: bytes.insert(contentsOf: Array(Self.pieces[random.next(below: Self.pieces.count)].utf8), at: at)
    }
  }
}

/// A small generator with a seed, so that a failure can be seen again.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func next(below bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }
}
