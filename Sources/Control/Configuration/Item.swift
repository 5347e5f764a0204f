// One value of the file while it is read: a scalar, a list or a mapping, with its place. A reading that fails reports
// its mistake and gives nil; a value that was reported already (an unset variable) fails in silence.

import Yams

struct Item {
  let report: Report
  let path: String
  let pattern: String
  /// The last key of the path, for the examples in messages.
  let key: String
  let place: Place
  /// Never shown in a message.
  let secret: Bool
  private let value: Value

  private enum Value {
    case text(String, written: String)
    case list(Node.Sequence)
    case mapping(Node.Mapping)
    /// Nothing stands here.
    case nothing
    /// Reported already.
    case broken
  }

  private init(
    _ value: Value, _ report: Report, path: String, pattern: String, key: String, place: Place, secret: Bool = false
  ) {
    self.value = value
    self.report = report
    self.path = path
    self.pattern = pattern
    self.key = key
    self.place = place
    self.secret = secret
  }

  /// Nil when nothing stands here: no value, `~` or `null` unquoted, or variables that leave nothing.
  init?(_ node: Node, _ report: Report, path: String, pattern: String, key: String, place: Place, secret: Bool) {
    guard let value = Item.value(of: node, report, path, place, secret) else { return nil }
    self.init(value, report, path: path, pattern: pattern, key: key, place: place, secret: secret)
  }

  static func empty(_ report: Report, path: String, pattern: String, key: String, place: Place) -> Item {
    Item(.nothing, report, path: path, pattern: pattern, key: key, place: place)
  }

  static func surveyed(_ report: Report, _ pattern: String, _ key: String) -> Item {
    empty(report, path: pattern, pattern: pattern, key: key, place: .start)
  }

  private static func value(of node: Node, _ report: Report, _ path: String, _ place: Place, _ secret: Bool) -> Value? {
    guard report.visit(place) else { return .broken }
    let tag = node.tag.rawValue
    guard tag.isEmpty || tag.hasPrefix("tag:yaml.org,2002:") else {
      report.add(place, path, "found a tag (!...), expected a plain value")
      return .broken
    }
    switch node {
    case .sequence(let list): return .list(list)
    case .mapping(let mapping): return .mapping(mapping)
    case .alias: return .broken  // Yams gives these only when asked to.
    case .scalar(let scalar):
      let plain = scalar.style == .plain || scalar.style == .any
      if plain, ["", "~", "null"].contains(scalar.string) { return nil }
      switch Expansion.expand(scalar.string, report.environment) {
      case .success(let text):
        return plain && text.isEmpty ? nil : .text(text, written: scalar.string)
      case .failure(let failure):
        report.add(place, path, words(for: failure, secret: secret))
        return .broken
      }
    }
  }

  static func words(for failure: Expansion.Failure, secret: Bool) -> String {
    switch failure {
    case .unset(let name):
      let mend = secret ? "set it before the start" : "set it, or give a default: ${\(name):-default}"
      return "the environment variable \(name) is not set; \(mend)"
    case .malformed:
      return
        "found \"${\" without a name and \"}\"; write ${NAME}, ${NAME:-default}, or $${ for the characters themselves"
    }
  }

  // MARK: - Kinds

  var isBroken: Bool {
    if case .broken = value { return true }
    return false
  }

  /// Also true of nothing, so that a survey walks into what may be a mapping.
  var isMapping: Bool {
    switch value {
    case .mapping, .nothing: return true
    default: return false
    }
  }

  /// The mapping that it is; an empty one where nothing stands.
  var mappingNode: Node.Mapping? {
    switch value {
    case .mapping(let mapping): mapping
    case .nothing: Node.Mapping([])
    case .text, .list, .broken: nil
    }
  }

  /// The value as an operator would recognise it: as written, before variables were replaced.
  var found: String {
    switch value {
    case .list: return "found a list"
    case .mapping: return "found a mapping"
    case .nothing, .broken: return "found nothing"
    case .text(let text, let written):
      if secret { return "found a value that is not shown here" }
      return "found \(quoted(written))\(text == written ? "" : " (from the environment)")"
    }
  }

  /// What was found, without the value: where a mapping or a list belongs, a stray value may be anything.
  private var kind: String {
    if case .text = value { return "found a single value" }
    return found
  }

  /// Reports `found ..., expected ...; mend`.
  func wrong(_ expected: String, _ mend: String = "") {
    guard !isBroken else { return }
    report.add(place, path, "\(found), expected \(expected)\(mend.isEmpty ? "" : "; \(mend)")")
  }

  // MARK: - Readings

  /// A single value, variables replaced.
  func text(_ expected: String, _ mend: String = "") -> String? {
    if case .text(let text, _) = value { return text }
    wrong(expected, mend)
    return nil
  }

  /// A mapping; `read` sees an empty one where nothing stands.
  func section(hidesNames: Bool = false, _ read: (Section) -> Void) {
    let mapping: Node.Mapping?
    switch value {
    case .mapping(let found): mapping = found
    case .nothing: mapping = nil
    case .broken: return
    case .list, .text:
      report.add(place, path, "\(kind), expected a mapping; write keys with values, indented below it")
      return
    }
    let section = Section(mapping, report, path: path, pattern: pattern, place: place, hidesNames: hidesNames)
    read(section)
    section.finish()
  }

  /// A list.
  func list(_ read: (Item) -> Void) {
    guard case .list(let nodes) = value else {
      guard !isBroken else { return }
      report.add(place, path, "\(kind), expected a list; write each item on a line of its own that begins with a dash")
      return
    }
    for (index, node) in nodes.enumerated() {
      let path = "\(path)[\(index)]"
      let place = Place(node.mark)
      let item = Item(node, report, path: path, pattern: pattern + "[]", key: key, place: place, secret: secret)
      if let item {
        read(item)
      } else {
        report.add(place, path, "found nothing, expected a value; remove this item or fill it in")
      }
    }
  }
}
