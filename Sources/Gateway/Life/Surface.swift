// One part of what clients see: paths that begin alike, the dialect that is spoken below them, and the plugins that serve
// it. The gateway knows dialects by their names only; what they say is the business of plugins.

/// Paths below one prefix, in one dialect.
public final class Surface: Sendable {
  /// What comes before the API's own paths, without a slash at the end: `/v1`. Empty for the surface of all paths that
  /// are below no prefix.
  let prefix: [UInt8]
  /// Bytes of the prefix.
  public var prefixCount: Int { prefix.count }
  /// Name of the dialect that its answers are given in.
  public let dialect: String
  /// Whether what is below the prefix is OpenAI's API. Otherwise every path is ``Route/other``.
  public let isAPI: Bool
  let chain: PluginChain

  init(prefix: [UInt8], dialect: String, isAPI: Bool, plugins: [any Plugin]) {
    self.prefix = prefix
    self.dialect = dialect
    self.isAPI = isAPI
    chain = PluginChain(plugins.filter { $0.dialects.isEmpty || $0.dialects.contains(dialect) })
  }
}

/// The surfaces of one snapshot.
struct Surfaces: Sendable {
  /// The longest prefix first, so that `/api/v1` is not taken for `/api`; behind them that of all other paths.
  private let own: [Surface]
  /// The same, in the dialects of the listeners that have one of their own.
  private let ofListeners: [String: [Surface]]

  init(_ plans: [SurfacePlan], listenerDialects: Set<String>, plugins: [any Plugin]) {
    // Paths below no prefix are answered in the first one's dialect.
    let others = SurfacePlan(prefix: "", dialect: plans.first?.dialect ?? SurfacePlan.usual)
    let ordered = plans.sorted { $0.prefix.utf8.count > $1.prefix.utf8.count } + [others]
    func surfaces(_ dialect: String?) -> [Surface] {
      ordered.map {
        Surface(prefix: Array($0.prefix.utf8), dialect: dialect ?? $0.dialect, isAPI: $0.isAPI, plugins: plugins)
      }
    }
    own = surfaces(nil)
    ofListeners = Dictionary(uniqueKeysWithValues: listenerDialects.map { ($0, surfaces($0)) })
  }

  /// Those with a prefix.
  var prefixed: ArraySlice<Surface> { own.dropLast() }
  /// Index of the surface of paths that are below no prefix.
  var outside: Int { own.count - 1 }

  /// The surface at `index`, in the dialect of a listener that has one of its own.
  func surface(_ index: Int, dialect: String?) -> Surface {
    if let dialect, let others = ofListeners[dialect], index < others.count { return others[index] }
    return own[min(max(index, 0), own.count - 1)]
  }
}

/// A surface as it is asked for.
public struct SurfacePlan: Sendable, Hashable {
  /// The dialect of whoever asks for no other.
  public static let usual = "openai"

  public let prefix: String
  public let dialect: String
  public let isAPI: Bool

  /// - Parameter prefix: begins with a slash and has none at its end.
  public init(prefix: String, dialect: String = usual, isAPI: Bool = true) {
    self.prefix = prefix
    self.dialect = dialect
    self.isAPI = isAPI
  }
}
