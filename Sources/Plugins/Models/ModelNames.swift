// Which model a name means. The name in the file, whole, comes first; without its tag (`mistral` for `mistral:7b`) it means
// the only model that begins so. In a dialect whose clients see identifiers, those count as well.

import Gateway

/// The names of a catalog's models.
struct ModelNames: Sendable {
  private let names: [String: Destination]
  private let identifiers: [String: Destination]

  init(_ models: [CatalogModel]) {
    let exact = Self.index(models, \.name)
    names = exact.merging(Self.shortened(models, \.name)) { whole, _ in whole }
    let whole = Self.index(models, \.identifier)
    identifiers = whole.merging(Self.shortened(models, \.identifier)) { whole, _ in whole }
  }

  /// Where `name` goes; nil when it means no model, or more than one.
  func find(_ name: String) -> Destination? { names[name] }

  /// The same among what the clusters call their models.
  func findIdentifier(_ name: String) -> Destination? { identifiers[name] }

  /// The first of several models of one name counts.
  private static func index(_ models: [CatalogModel], _ name: KeyPath<CatalogModel, String>) -> [String: Destination] {
    Dictionary(models.map { ($0[keyPath: name], destination($0, as: $0[keyPath: name])) }) { first, _ in first }
  }

  private static func shortened(
    _ models: [CatalogModel], _ name: KeyPath<CatalogModel, String>
  ) -> [String: Destination] {
    var found: [String: [CatalogModel]] = [:]
    var seen: Set<String> = []
    for model in models where seen.insert(model[keyPath: name]).inserted {
      guard let short = withoutTag(model[keyPath: name]) else { continue }
      found[short, default: []].append(model)
    }
    return found.compactMapValues { models in
      guard let only = models.first, models.count == 1 else { return nil }
      return destination(only, as: withoutTag(only[keyPath: name]) ?? only.name)
    }
  }

  private static func destination(_ model: CatalogModel, as name: String) -> Destination {
    Destination(
      cluster: model.cluster, upstreamModel: model.identifier == name ? nil : model.identifier, note: model)
  }

  /// `mistral` for `mistral:7b`; nil for names without a tag.
  static func withoutTag(_ name: String) -> String? {
    guard let colon = name.lastIndex(of: ":"), colon > name.startIndex else { return nil }
    return String(name[..<colon])
  }
}
