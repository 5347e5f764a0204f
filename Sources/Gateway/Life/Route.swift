// What a path asks for. The gateway knows the routes whose bodies name a model; every other path below a prefix passes.

import Wire

/// A path below one of the API's prefixes, by what the gateway must know of it.
public enum Route: Sendable, Equatable {
  /// Not below any prefix.
  case outside
  /// Asks a model: the body (JSON, or a form) must name one.
  case inference(Inference)
  /// The list of models.
  case models
  /// One model; its name is the rest of the path.
  case model(String)
  /// Anything else below the prefix.
  case other

  /// The routes whose bodies name a model.
  public enum Inference: String, Sendable, CaseIterable {
    case chatCompletions = "/chat/completions"
    case completions = "/completions"
    case embeddings = "/embeddings"
    case responses = "/responses"
    case messages = "/messages"
    case moderations = "/moderations"
    case rerank = "/rerank"
    case imagesGenerations = "/images/generations"
    case imagesEdits = "/images/edits"
    case imagesVariations = "/images/variations"
    case audioSpeech = "/audio/speech"
    case audioTranscriptions = "/audio/transcriptions"
    case audioTranslations = "/audio/translations"

    /// Whether OpenAI's API knows a GET of the same path, which passes on where a default cluster is configured.
    public var isAlsoList: Bool { self == .chatCompletions }
    /// Whether its answers may tell how many tokens they took.
    public var reportsUsage: Bool {
      switch self {
      case .chatCompletions, .completions, .embeddings, .responses, .messages, .rerank, .imagesGenerations,
        .imagesEdits,
        .audioTranscriptions:
        true
      case .moderations, .imagesVariations, .audioSpeech, .audioTranslations: false
      }
    }
    /// Whether its streams tell their tokens to those alone who ask for it (`stream_options.include_usage`).
    public var tellsUsageIfAsked: Bool {
      switch self {
      case .chatCompletions, .completions: true
      default: false
      }
    }
    /// Whether the API has a default model where none is named.
    public var hasDefaultModel: Bool {
      switch self {
      case .moderations, .imagesGenerations, .imagesEdits, .imagesVariations: true
      default: false
      }
    }
  }

  private static let inferences: [(path: [UInt8], route: Inference)] = Inference.allCases.map {
    (Array($0.rawValue.utf8), $0)
  }

  /// A route, the surface that it belongs to, and where the path goes on behind its prefix.
  struct Found: Equatable {
    var route = Route.outside
    var surface: Int
    var suffix = 0
  }

  /// Finds the route of `path`.
  static func find(_ path: UnsafeRawBufferPointer, _ surfaces: Surfaces) -> Found {
    for (index, surface) in surfaces.prefixed.enumerated() {
      let prefix = surface.prefix
      guard path.count >= prefix.count, path.prefix(prefix.count).elementsEqual(prefix) else { continue }
      let rest = UnsafeRawBufferPointer(rebasing: path[prefix.count...])
      guard rest.isEmpty || rest[0] == UInt8(ascii: "/") else { continue }
      guard !leavesItsPlace(rest) else { return Found(surface: index) }
      return Found(route: surface.isAPI ? below(rest) : .other, surface: index, suffix: prefix.count)
    }
    return Found(surface: surfaces.outside)
  }

  private static func below(_ rest: UnsafeRawBufferPointer) -> Route {
    for (path, route) in inferences where rest.elementsEqual(path) { return .inference(route) }
    // Spelled otherwise it is the same to some backends, so it must be to whatever is checked here.
    let plain = canonical(rest)
    for (path, route) in inferences where plain == path { return .inference(route) }
    let models: StaticString = "/models"
    guard rest.count >= models.utf8CodeUnitCount else { return .other }
    let (head, tail) = (rest.prefix(7), rest.dropFirst(7))
    guard head.elementsEqual("/models".utf8) else { return .other }
    if tail.isEmpty || tail.elementsEqual("/".utf8) { return .models }
    guard tail.first == UInt8(ascii: "/") else { return .other }
    return .model(percentDecoded(UnsafeRawBufferPointer(rebasing: tail.dropFirst())))
  }

  /// `path` as the most generous servers read it: escapes undone, letters small, several slashes as one, and neither
  /// parameters (`;x`) nor blanks nor a slash at its end.
  public static func canonical(_ path: some Collection<UInt8>) -> [UInt8] {
    Array(path).withUnsafeBytes { path in
      var out: [UInt8] = []
      out.reserveCapacity(path.count)
      var index = 0
      while index < path.count {
        let (byte, size) = character(path, at: index)
        index += size
        if byte == UInt8(ascii: ";") { break }
        if byte != UInt8(ascii: "/") || out.last != UInt8(ascii: "/") {
          out.append(byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte)
        }
      }
      while out.count > 1, let last = out.last, last == UInt8(ascii: "/") || last == UInt8(ascii: " ") {
        out.removeLast()
      }
      return out
    }
  }

  /// Whether a path has a dot segment, its dots or slashes plain or encoded: what a backend would make of it is not what
  /// was checked here.
  static func leavesItsPlace(_ path: UnsafeRawBufferPointer) -> Bool {
    var dots = 0
    var isDotsOnly = true
    var index = 0
    while index < path.count {
      let (byte, size) = character(path, at: index)
      index += size
      switch byte {
      case UInt8(ascii: "/"), UInt8(ascii: "\\"):
        if isDotsOnly, dots == 1 || dots == 2 { return true }
        dots = 0
        isDotsOnly = true
      case UInt8(ascii: "."): dots += 1
      default: isDotsOnly = false
      }
    }
    return isDotsOnly && (dots == 1 || dots == 2)
  }

  /// The byte that stands at `index`, an escape undone, and how many bytes it takes there.
  private static func character(_ path: UnsafeRawBufferPointer, at index: Int) -> (byte: UInt8, size: Int) {
    guard path[index] == UInt8(ascii: "%"), index + 2 < path.count, let high = hex(path[index + 1]),
      let low = hex(path[index + 2])
    else { return (path[index], 1) }
    return (high << 4 | low, 3)
  }

  /// `%2F` and the like, undone; what is no escape stays as it is.
  public static func percentDecoded(_ bytes: UnsafeRawBufferPointer) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      let (byte, size) = character(bytes, at: index)
      out.append(byte)
      index += size
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static func hex(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

/// The path that was asked for last, and what it was found to be: most requests of a core ask for the same one.
struct RouteMemo {
  private(set) var path: [UInt8] = []
  private var found = Route.Found(surface: 0)

  /// What `path` is among `surfaces`, which are always the same. The path is cut to what the access log shows.
  mutating func find(_ path: UnsafeRawBufferPointer, _ surfaces: Surfaces) -> (path: [UInt8], found: Route.Found) {
    let isSame = path.count > 0 && self.path.withUnsafeBytes { equals($0, path) }
    if !isSame {
      found = Route.find(path, surfaces)
      let shown = [UInt8](UnsafeRawBufferPointer(rebasing: path.prefix(AccessRecord.pathBytesMax)))
      // One that was cut must not be taken for the longer one that it was cut from.
      self.path = shown.count == path.count ? shown : []
      return (shown, found)
    }
    return (self.path, found)
  }
}
