import Testing

/// Who may import whom. The table of the rooms, with the system's modules beside it.
enum Rooms {
  static let system: Set<String> = ["Glibc", "Synchronization"]
  static let foundation: Set<String> = ["Foundation", "FoundationEssentials"]

  static let table: [String: Set<String>] = [
    "Bytes": [],
    "Wire": system.union(["Bytes", "CLLHTTP"]),
    "Flow": system.union(["Bytes"]),
    "Reactor": system.union(["Bytes", "CUV", "COpenSSL"]),
    "Gateway": system.union(["Bytes", "Wire", "Flow", "Reactor"]),
    "Plugins": system.union(["Bytes", "Wire", "Flow", "Reactor", "Gateway"]),
    "KeyStore": system.union(foundation).union(["Bytes", "Wire", "Reactor", "Gateway", "Plugins", "GRDB", "GRDBSQLite"]
    ),
    "WebTokens": system.union(foundation).union(["Bytes", "Wire", "Reactor", "Gateway", "Plugins", "JWTKit"]),
    "DemoBackend": system.union(["Bytes", "Wire", "Flow", "Reactor"]),
    "Control": system.union(foundation).union([
      "Bytes", "Wire", "Flow", "Reactor", "Gateway", "Plugins", "KeyStore", "WebTokens", "DemoBackend", "Yams",
    ]),
    "Sluice": system.union(foundation).union(["Reactor", "Gateway", "Plugins", "Control"]),
    // `sluice load` is the bench's generator with fewer switches.
    "Command": system.union(foundation).union(["Sluice", "LoadGenerator", "ArgumentParser"]),
    // System libraries: headers and module maps only.
    "CUV": [], "COpenSSL": [], "CLLHTTP": [],
  ]

  /// The bench stands on the lower rooms, and never on what it measures.
  static let bench: [String: Set<String>] = [
    "Stamp": system,
    "LoadGenerator": system.union(["Bytes", "Wire", "Reactor", "Stamp", "CTimer", "Histogram"]),
    "MockBackend": system.union(["Bytes", "Wire", "Reactor", "Stamp"]),
    "BenchTool": system.union(["Reactor", "LoadGenerator", "MockBackend", "ArgumentParser"]),
  ]

  static let sources = Tree.files(in: ["Sources"], endingIn: ["swift"])
  static let benches = Tree.files(in: ["bench"], endingIn: ["swift"])

  static func room(of file: Tree.File) -> String { file.components.dropFirst().first ?? "" }
}

@Suite("Rooms")
struct RoomsTests {
  @Test("the tree is found")
  func found() throws {
    #expect(Rooms.sources.contains { $0.path == "Sources/Bytes/Slab.swift" })
    #expect(try Tree.names(in: "").contains("Package.swift"))
  }

  @Test("every directory of Sources is a room of the table, and holds nothing but files of its own")
  func rooms() throws {
    for name in try Tree.names(in: "Sources") {
      #expect(Rooms.table[name] != nil, "Sources/\(name) is not in the table of rooms")
      #expect(Tree.isDirectory("Sources/\(name)"), "Sources/\(name) is not a directory")
    }
  }

  @Test("every room imports only what the table lets it")
  func imports() {
    for file in Rooms.sources {
      let allowed = Rooms.table[Rooms.room(of: file)] ?? []
      for found in Import.all(in: file) {
        #expect(allowed.contains(found.module), "\(file.path):\(found.line): may not import \(found.module)")
      }
    }
  }

  @Test("the bench imports bytes, wire and reactor, never the gateway")
  func bench() {
    for (room, allowed) in Rooms.bench {
      #expect(allowed.isDisjoint(with: ["Gateway", "Flow", "Plugins", "Control", "Sluice", "DemoBackend"]), "\(room)")
    }
    for file in Rooms.benches {
      let allowed = Rooms.bench[Rooms.room(of: file)] ?? []
      for found in Import.all(in: file) {
        #expect(allowed.contains(found.module), "\(file.path):\(found.line): may not import \(found.module)")
      }
    }
  }

  @Test(
    "the rooms of the byte path know no Foundation",
    arguments: ["Bytes", "Wire", "Flow", "Reactor", "Gateway", "Plugins"])
  func noFoundation(room: String) {
    #expect(Rooms.table[room]?.isDisjoint(with: Rooms.foundation) == true)
  }

  @Test("bytes, wire and flow open no socket, read no clock and print nothing")
  func pure() {
    let deeds =
      /\b(socket|accept4?|connect|recv|send|epoll_\w+|poll|clock_gettime|gettimeofday|nanosleep|usleep|sleep|print|open|fopen)\(/
    let clocks = /\b(ContinuousClock|SuspendingClock|DispatchTime|Date)\b/
    for file in Rooms.sources where ["Bytes", "Wire", "Flow"].contains(Rooms.room(of: file)) {
      let code = Code.withoutCommentsAndLiterals(file.text).split(separator: "\n", omittingEmptySubsequences: false)
      for (number, line) in code.enumerated() {
        let call = line.firstMatch(of: deeds).map { line[..<$0.range.lowerBound].last }
        // A method of that name (`x.connect(`) or its declaration is something else.
        let isDeed = call.map { $0 != "." } ?? false && !line.contains("func ")
        #expect(!isDeed && !line.contains(clocks), "\(file.path):\(number + 1): \(line)")
      }
    }
  }
}
