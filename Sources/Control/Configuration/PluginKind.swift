// Plugins of a program of one's own, which the configuration file switches on and gives options to. What the options are is
// the plugin's business: it declares a type, and the file's values are read into that.

import Gateway
import Yams

/// A plugin that a configuration file can switch on.
///
/// ```yaml
/// plugins:
///   team_header: { header: x-team, teams: [red, blue] }
/// ```
public protocol ConfigurablePlugin: Plugin {
  /// What stands below its key. An option that the file may leave out is optional here.
  associatedtype Options: Codable & Sendable
  /// Its key below `plugins`.
  static var key: String { get }
  /// Names of dialects that only plugins of this type speak, so that a prefix or a listener may have them.
  static var newDialects: [String] { get }
  /// Made anew with every configuration that is loaded. What is thrown is told to the operator, and the configuration is
  /// refused.
  init(options: Options) throws
}

extension ConfigurablePlugin {
  public static var newDialects: [String] { [] }
}

/// A type of plugin, as the configuration needs to know it.
public struct PluginKind: Sendable {
  let key: String
  let dialects: [String]
  /// Makes a plugin from options in YAML.
  let make: @Sendable (_ options: String) throws -> any Plugin

  /// The kind of a type that a configuration file can switch on.
  public init<Configured: ConfigurablePlugin>(_ type: Configured.Type) {
    key = Configured.key
    dialects = Configured.newDialects
    make = { options in
      try Configured(options: YAMLDecoder().decode(Configured.Options.self, from: options))
    }
  }
}

extension Configuration {
  /// One plugin that is switched on (`plugins.NAME`).
  public struct PluginOptions: Sendable, Hashable {
    /// Key of its kind.
    public var key: String
    /// What stands below it in the file, variables replaced, as YAML.
    public var options: String
  }
}

extension Configuration.PluginOptions {
  static func all(_ root: Section) -> [Self] {
    let kinds = root.report.plugins
    var all: [Self] = []
    root.names("plugins", secret: true) { key, item in
      guard let kind = kinds.first(where: { $0.key == key }) else {
        guard !root.report.surveying else { return }
        let near = Nearest.word(to: key, among: kinds.map(\.key)).map { "did you mean \($0)?" }
        let known =
          kinds.isEmpty
          ? "this program has no plugins of its own" : "there is \(kinds.map(\.key).joined(separator: ", "))"
        return root.report.add(
          item.place, item.path, "found \(quoted(key)), expected the key of a plugin; \(near ?? known)")
      }
      guard let options = item.yaml() else { return }
      do {
        _ = try kind.make(options)
        all.append(Self(key: key, options: options))
      } catch {
        root.report.add(item.place, item.path, "found options that cannot be used: \(PluginProblem(error))")
      }
    }
    return all
  }
}

/// What is wrong with a plugin's options, in a line without the values, which may be secrets.
struct PluginProblem: CustomStringConvertible {
  let description: String

  init(_ error: any Error) {
    func path(_ context: DecodingError.Context, _ key: (any CodingKey)? = nil) -> String {
      (context.codingPath + [key].compactMap { $0 }).map(\.stringValue).joined(separator: ".")
    }
    switch error {
    case DecodingError.keyNotFound(let key, let context): description = "\(path(context, key)) is missing"
    case DecodingError.typeMismatch(let type, let context): description = "\(path(context)) is no \(type)"
    case DecodingError.valueNotFound(let type, let context):
      description = "\(path(context)) has no value, expected \(type)"
    case DecodingError.dataCorrupted(let context): description = "\(path(context)) cannot be read"
    default: description = "\(error)"
    }
  }
}

extension Item {
  /// A mapping as YAML of its own, variables replaced; nil where one could not be, which has been reported.
  fileprivate func yaml() -> String? {
    guard let mapping = mappingNode else {
      wrong("a mapping of options")
      return nil
    }
    var isGood = true
    func expanded(_ node: Node) -> Node {
      switch node {
      case .scalar(var scalar):
        switch Expansion.expand(scalar.string, report.environment) {
        case .success(let text): scalar.string = text
        case .failure(let failure):
          report.add(Place(scalar.mark), path, Item.words(for: failure, secret: true))
          isGood = false
        }
        return .scalar(scalar)
      case .sequence(var list):
        for index in list.indices { list[index] = expanded(list[index]) }
        return .sequence(list)
      case .mapping(let mapping):
        return .mapping(Node.Mapping(mapping.map { ($0.key, expanded($0.value)) }, mapping.tag))
      case .alias: return node
      }
    }
    let node = expanded(.mapping(mapping))
    guard isGood else { return nil }
    return try? Yams.serialize(node: node)
  }
}
