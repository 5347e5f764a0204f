// A mapping of the file while it is read: hands out values by key, then complains about the keys nobody asked for.
// What a section asks for is what it knows, so the list of known keys is never written down a second time.

import Yams

final class Section {
  let report: Report
  /// Its path in the file, such as `clusters.local`; empty for the file itself.
  let path: String
  /// The same with `*` for names the operator chose and `[]` for list items.
  let pattern: String
  /// Where its key or its list item stands.
  let place: Place
  /// Keys that are not repeated in messages, because what stands here by mistake may be a secret.
  let hidesNames: Bool
  /// Keys and values as they stand; keys are expanded only in `names(_:)`.
  private var entries: [(key: String, place: Place, node: Node)] = []
  private var asked: [String] = []
  private var knowsEveryKey = false

  init(
    _ mapping: Node.Mapping?, _ report: Report, path: String, pattern: String, place: Place, hidesNames: Bool = false
  ) {
    self.report = report
    self.path = path
    self.pattern = pattern
    self.place = place
    self.hidesNames = hidesNames
    for (key, value) in mapping ?? [:] {
      let keyPlace = Place(key.mark)
      guard !report.repeatedKeys.contains(keyPlace) else { continue }
      guard case .scalar(let scalar) = key else {
        report.add(keyPlace, path, "found a list or a mapping as a key, expected a word")
        continue
      }
      entries.append((scalar.string, keyPlace, value))
    }
  }

  /// The value of `key`; nil when it is absent or empty.
  func item(_ key: String, secret: Bool = false) -> Item? {
    asked.append(key)
    let pattern = join(self.pattern, key)
    report.asked(for: pattern)
    guard let entry = entries.first(where: { $0.key == key }) else { return nil }
    return Item(
      entry.node, report, path: join(path, key), pattern: pattern, key: key, place: entry.place, secret: secret)
  }

  /// The value of `key`, whose absence is a mistake.
  func required(_ key: String, secret: Bool = false, _ mend: String) -> Item? {
    if let item = item(key, secret: secret) { return item }
    missing(key, mend)
    return nil
  }

  func missing(_ key: String, _ mend: String) {
    report.add(place(of: key), join(path, key), "missing; \(mend)")
  }

  func has(_ key: String) -> Bool {
    entries.contains { $0.key == key }
  }

  /// What kind of value stands under `key`.
  enum Shape: Equatable {
    case nothing, text
    case list(Int)
    case mapping(Int)
  }

  func shape(of key: String) -> Shape {
    switch entries.first(where: { $0.key == key })?.node {
    case .sequence(let list)?: return .list(list.count)
    case .mapping(let mapping)?: return .mapping(mapping.count)
    case .scalar?: return item(key) == nil ? .nothing : .text
    case .alias?, nil: return .nothing
    }
  }

  /// The names in the mapping under `key`, variables replaced.
  func names(of key: String) -> [String] {
    guard case .mapping(let mapping)? = entries.first(where: { $0.key == key })?.node else { return [] }
    return mapping.compactMap { pair in
      guard case .scalar(let name) = pair.key, !report.repeatedKeys.contains(Place(name.mark)) else { return nil }
      return try? Expansion.expand(name.string, report.environment).get()
    }
  }

  /// Where `key` stands, or the section when it is absent.
  func place(of key: String) -> Place {
    entries.first { $0.key == key }?.place ?? place
  }

  /// A mistake about `key`.
  func wrong(_ key: String, _ text: String) {
    report.add(place(of: key), join(path, key), text)
  }

  /// The mapping under `key`, when there is one.
  func section(_ key: String, _ read: (Section) -> Void) {
    if let item = item(key) {
      item.section(read)
    } else if report.surveying {
      Item.surveyed(report, join(pattern, key), key).section(read)
    }
  }

  /// Every item of the list under `key`; false when there is no such list.
  @discardableResult
  func list(_ key: String, secret: Bool = false, _ read: (Item) -> Void) -> Bool {
    if report.surveying {
      report.asked(for: join(pattern, key))
      read(.surveyed(report, join(pattern, key) + "[]", key))
      return true
    }
    guard let item = item(key, secret: secret) else { return false }
    item.list(read)
    return true
  }

  /// Every value of the mapping under `key`, whose keys are names the operator chose; false when there is none.
  @discardableResult
  func names(_ key: String, secret: Bool = false, _ read: (String, Item) -> Void) -> Bool {
    if report.surveying {
      report.asked(for: join(pattern, key))
      read("", .surveyed(report, join(pattern, key) + ".*", key))
      return true
    }
    guard let item = item(key, secret: secret) else { return false }
    item.section { $0.eachName(secret: secret, read) }
    return true
  }

  private func eachName(secret: Bool, _ read: (String, Item) -> Void) {
    knowsEveryKey = true
    for entry in entries {
      let place = entry.place
      switch Expansion.expand(entry.key, report.environment) {
      case .failure(let failure):
        report.add(place, path, Item.words(for: failure, secret: false))
      case .success(let name):
        guard !name.isEmpty, name.utf8.count <= 512, !name.unicodeScalars.contains(where: \.isControl) else {
          report.add(place, path, "found \(quoted(entry.key)), expected 1 to 512 bytes without control characters")
          continue
        }
        let item = Item(
          entry.node, report, path: join(path, name), pattern: pattern + ".*", key: name, place: place, secret: secret)
        read(name, item ?? .empty(report, path: join(path, name), pattern: pattern + ".*", key: name, place: place))
      }
    }
  }

  /// Complains about every key that was not asked for.
  func finish() {
    guard !knowsEveryKey else { return }
    let known = asked
    for entry in entries where !known.contains(entry.key) {
      guard !report.isFull else { return }
      let shown = hidesNames ? "" : entry.key.unicodeScalars.contains(where: \.isControl) ? "?" : entry.key
      report.add(entry.place, join(path, String(shown.prefix(60))), "unknown key; \(mend(entry.key, known))")
    }
  }

  private func mend(_ key: String, _ known: [String]) -> String {
    if let near = Nearest.word(to: key, among: known) { return "did you mean \(near)?" }
    if key == "<<" { return "merge keys are not read, write the keys out" }
    if let elsewhere = Configuration.knownKeys.first(where: { $0.hasSuffix("." + key) }) {
      return "there is \(elsewhere), look at the indentation"
    }
    return "known here: \(Set(known).sorted().joined(separator: ", "))"
  }
}

func join(_ path: String, _ key: String) -> String {
  if path.isEmpty { return key }
  return key.isEmpty ? path : "\(path).\(key)"
}

extension Unicode.Scalar {
  var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) || value == 0x2028 || value == 0x2029 }
}

extension Report {
  /// Whether further mistakes would be dropped.
  var isFull: Bool { mistakes.count >= Report.mistakesMax }
}
