// From the file's text to Yams' tree. Everything YAML can do to us is bounded here: size, aliases, depth (libyaml
// stops at 1000), tags. Resolves no types, so that `off`, `10` and `"10"` arrive as they were written.

import Yams

struct Document {
  /// Largest file that is read, in bytes.
  static let bytesMax = 1 << 20
  /// Most aliases in a file. Aliases multiply; with so few, a file grows at most a few hundredfold.
  static let aliasesMax = 16
  /// Keys that are a second time in their mapping and still let the rest of the file be read.
  private static let repeatsMax = 32

  /// The one mapping of the file; nil when there is none to read, and then the report says why.
  static func compose(_ text: String, _ report: Report) -> Node.Mapping? {
    guard text.utf8.count <= bytesMax else {
      report.add(.start, "", "found \(text.utf8.count) bytes, expected at most 1MiB")
      return nil
    }
    guard aliases(in: text) <= aliasesMax else {
      report.add(.start, "", "found more than \(aliasesMax) aliases (*name); write the values out")
      return nil
    }
    var text = text
    if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
    text.makeContiguousUTF8()
    for attempt in 0...repeatsMax {
      do {
        return mapping(try Yams.compose(yaml: text, .basic, .default, .utf8), report)
      } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
        let first = Place(context.mark)
        guard let repeated = RepeatedKey(keys.first ?? "", first: first, in: text), attempt < repeatsMax else {
          report.add(first, "", "found \(quoted(keys.first ?? "")) more than once in one mapping; keep one of them")
          return nil
        }
        report.add(
          repeated.place, "",
          "found \(quoted(keys.first ?? "")) again, it stands at \(first.line):\(first.column) already; keep one of them"
        )
        report.repeatedKeys.insert(repeated.place)
        text = repeated.masked(with: attempt)
      } catch let error as YamlError {
        say(error, text, report)
        return nil
      } catch {
        report.add(.start, "", "cannot be read as YAML")
        return nil
      }
    }
    return nil
  }

  private static func mapping(_ node: Node?, _ report: Report) -> Node.Mapping? {
    let example = "write at least listeners, auth and clusters (conf/minimal.yaml shows how)"
    switch node {
    case .mapping(let mapping)?: return mapping
    case nil: report.add(.start, "", "found nothing; \(example)")
    case .scalar(let scalar)? where scalar.string.isEmpty: report.add(.start, "", "found nothing; \(example)")
    case .sequence(let list)?: report.add(Place(list.mark), "", "found a list, expected keys with values; \(example)")
    case let other?: report.add(Place(other.mark), "", "found a single value, expected keys with values; \(example)")
    }
    return nil
  }

  /// What may be aliases: never too few, sometimes too many (a `*word*` in a comment counts).
  private static func aliases(in text: String) -> Int {
    var count = 0
    var star = false
    for byte in text.utf8 {
      if star {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): count += 1
        default: break
        }
      }
      star = byte == UInt8(ascii: "*")
    }
    return count
  }

  // MARK: - Syntax errors

  /// Says what libyaml stumbled over, without the line itself: it may hold a secret.
  private static func say(_ error: YamlError, _ text: String, _ report: Report) {
    switch error {
    case .reader(let problem, let offset, _, _):
      report.add(offset.map { Place(offset: $0, in: text) } ?? .start, "", "not YAML: \(problem)")
    case .composer(_, let problem, let mark, _):
      let second = problem.hasSuffix("another document")
      report.add(
        Place(mark), "", second ? "found a second document, expected one in a file" : "not YAML: \(problem)")
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
      let place = Place(mark)
      var words = "not YAML: \(problem)"
      if let context { words += " (\(context.text) that begins at \(context.mark.line):\(context.mark.column))" }
      report.add(place, "", words + hint(line(place.line, of: text)))
    default:
      report.add(.start, "", "not YAML, or nested too deeply")
    }
  }

  private static func hint(_ line: Substring) -> String {
    if line.drop(while: { $0 == " " }).hasPrefix("\t") { return "; indent with spaces, not with tabs" }
    if line.contains("{"), line.contains("${") { return "; inside { } and [ ] write \"${NAME}\" in quotes" }
    return "; look at the colons and the indentation here and on the line above"
  }

  private static func line(_ number: Int, of text: String) -> Substring {
    let lines = text.split(separator: "\n", maxSplits: max(number, 0), omittingEmptySubsequences: false)
    return number > 0 && number <= lines.count ? lines[number - 1] : ""
  }
}

extension Place {
  init(_ mark: Mark?) {
    self.init(line: mark?.line ?? 1, column: mark?.column ?? 1)
  }

  /// The place of the character at `offset`.
  init(offset: Int, in text: String) {
    self = .start
    for character in text.prefix(max(offset, 0)) {
      column += 1
      if character.isNewline { self = Place(line: line + 1, column: 1) }
    }
  }
}

/// `text` in quotation marks for a message: one line, of bounded length, without control characters.
func quoted(_ text: String) -> String {
  var shown = ""
  for scalar in text.unicodeScalars.prefix(60) {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: shown += "?"
    default: shown.unicodeScalars.append(scalar)
    }
  }
  return "\"\(shown)\(text.unicodeScalars.dropFirst(60).isEmpty ? "" : "...")\""
}
