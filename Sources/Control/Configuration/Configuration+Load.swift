// The two ways in: a file, or its text. Runs at start and at each reload, on no loop; never traps, whatever the bytes.

import Glibc

extension Configuration {
  /// Reads and checks the file at `path`. `environment` is what `${NAME}` may name, `plugins` what the program brings.
  public static func load(
    path: String, environment: [String: String], plugins: [PluginKind] = []
  ) -> Result<Configuration, ConfigurationErrors> {
    switch FileText.read(path, bytesMax: Document.bytesMax) {
    case .success(let text):
      return parse(text: text, name: path, environment: environment, plugins: plugins)
    case .failure(let failure):
      let report = Report(file: path, environment: [:])
      report.add(failure.place, "", failure.text)
      return .failure(report.errors)
    }
  }

  /// Checks `text`, which messages call `name`. Files that `text` names (certificates) are looked at, relative to the
  /// working directory.
  public static func parse(
    text: String, name: String, environment: [String: String], plugins: [PluginKind] = []
  ) -> Result<Configuration, ConfigurationErrors> {
    let report = Report(file: name, environment: environment, plugins: plugins)
    if let mapping = Document.compose(text, report) {
      let root = Section(mapping, report, path: "", pattern: "", place: .start)
      let configuration = Configuration(root)
      root.finish()
      if report.mistakes.isEmpty { return .success(configuration) }
    }
    return .failure(report.errors)
  }

  /// Every key the decoder asks for, such as `clusters.*.tls.verify` (`*`: a name the operator chose, `[]`: a list item),
  /// in its order. Found by letting it decode nothing.
  static let knownKeys: [String] = {
    let report = Report(file: "", environment: [:], surveying: true)
    _ = Configuration(Section(nil, report, path: "", pattern: "", place: .start))
    return report.knownKeys
  }()
}

/// The text of a file.
enum FileText {
  struct Failure: Error {
    var place: Place?
    var text: String
  }

  static func read(_ path: String, bytesMax: Int) -> Result<String, Failure> {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return .failure(Failure(text: "cannot be opened: \(reason(errno))")) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 65_536)
    while bytes.count <= bytesMax {
      // SAFETY: read writes at most `$0.count` bytes into a buffer that lives for the call.
      let count = room.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return .failure(Failure(text: "cannot be read: \(reason(errno))")) }
      if count == 0 { return text(bytes) }
      bytes.append(contentsOf: room.prefix(count))
    }
    return .failure(Failure(place: .start, text: "found more than \(bytesMax) bytes, expected at most 1MiB"))
  }

  private static func text(_ bytes: [UInt8]) -> Result<String, Failure> {
    if let text = String(validating: bytes, as: UTF8.self) { return .success(text) }
    var line = 1
    var rest = bytes[...]
    while let end = rest.firstIndex(of: 0x0A), String(validating: rest[..<end], as: UTF8.self) != nil {
      rest = rest[(end + 1)...]
      line += 1
    }
    let place = Place(line: line, column: 1)
    return .failure(Failure(place: place, text: "found bytes that are not UTF-8; save the file as UTF-8"))
  }

  /// What is wrong with reading the file at `path`; nil when nothing is.
  static func unreadable(_ path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0 else { return reason(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { return "not a file" }
    return access(path, R_OK) == 0 ? nil : reason(errno)
  }

  private static func reason(_ code: Int32) -> String {
    guard let text = strerror(code) else { return "error \(code)" }
    // SAFETY: strerror's string is valid until the thread's next call.
    return String(cString: text).lowercased()
  }
}
