// swift-tools-version: 6.2
import PackageDescription

// The rooms and who may import whom: Sources/Gateway/Gateway.docc/LifeOfARequest.md.
// `make build` passes --explicit-target-dependency-import-check error, so this table is the law.

let swift: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
  name: "sluice",
  products: [
    .executable(name: "sluice", targets: ["Command"]),
    .library(name: "Sluice", targets: ["Sluice"]),
    .executable(name: "sluice-bench", targets: ["BenchTool"]),
    .executable(name: "floor-relay", targets: ["FloorRelay"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    .systemLibrary(name: "CUV", pkgConfig: "libuv", providers: [.apt(["libuv1-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CLLHTTP", pkgConfig: "libllhttp", providers: [.apt(["libllhttp-dev"])]),

    .target(name: "Bytes", swiftSettings: swift),
    .target(name: "Wire", dependencies: ["Bytes", "CLLHTTP"], swiftSettings: swift),
    .target(name: "Flow", dependencies: ["Bytes"], swiftSettings: swift),
    .target(name: "Reactor", dependencies: ["Bytes", "CUV", "COpenSSL"], swiftSettings: swift),
    .target(
      name: "Gateway", dependencies: ["Bytes", "Wire", "Flow", "Reactor"], swiftSettings: swift),
    .target(
      name: "Plugins", dependencies: ["Bytes", "Wire", "Flow", "Reactor", "Gateway"],
      swiftSettings: swift),
    .target(
      name: "KeyStore",
      dependencies: [
        "Bytes", "Wire", "Reactor", "Gateway", "Plugins", .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
      ],
      swiftSettings: swift),
    .target(
      name: "WebTokens",
      dependencies: [
        "Bytes", "Wire", "Reactor", "Gateway", "Plugins", .product(name: "JWTKit", package: "jwt-kit"),
      ],
      swiftSettings: swift),
    .target(
      name: "DemoBackend", dependencies: ["Bytes", "Wire", "Reactor"], swiftSettings: swift),
    .target(
      name: "Control",
      dependencies: [
        "Bytes", "Wire", "Flow", "Reactor", "Gateway", "Plugins", "KeyStore", "WebTokens", "DemoBackend",
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: swift),
    .target(
      name: "Sluice", dependencies: ["Reactor", "Gateway", "Plugins", "Control"], swiftSettings: swift),
    .executableTarget(
      name: "Command",
      dependencies: [
        "Sluice", "LoadGenerator", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swift),

    .systemLibrary(name: "CTimer", path: "bench/CTimer"),
    .target(name: "Stamp", path: "bench/Stamp", swiftSettings: swift),
    .target(
      name: "LoadGenerator",
      dependencies: [
        "Bytes", "Wire", "Reactor", "Stamp", "CTimer", .product(name: "Histogram", package: "hdrhistogram-swift"),
      ],
      path: "bench/LoadGenerator", swiftSettings: swift),
    .target(
      name: "MockBackend", dependencies: ["Bytes", "Wire", "Reactor", "Stamp"], path: "bench/MockBackend",
      swiftSettings: swift),
    .executableTarget(
      name: "BenchTool",
      dependencies: [
        "LoadGenerator", "MockBackend", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "bench/BenchTool", swiftSettings: swift),
    .executableTarget(name: "FloorRelay", path: "bench/FloorRelay"),

    .testTarget(name: "BytesTests", dependencies: ["Bytes"], swiftSettings: swift),
    .testTarget(name: "WireTests", dependencies: ["Bytes", "Wire"], swiftSettings: swift),
    .testTarget(name: "FlowTests", dependencies: ["Bytes", "Flow"], swiftSettings: swift),
    .testTarget(name: "ReactorTests", dependencies: ["Bytes", "Reactor"], swiftSettings: swift),
    .testTarget(
      name: "GatewayTests", dependencies: ["Bytes", "Wire", "Flow", "Reactor", "Gateway", "Plugins"],
      swiftSettings: swift),
    .target(name: "TestClient", dependencies: ["Reactor"], path: "Tests/TestClient", swiftSettings: swift),
    .testTarget(
      name: "DemoBackendTests", dependencies: ["Bytes", "Wire", "Reactor", "DemoBackend", "TestClient"],
      swiftSettings: swift),
    .testTarget(
      name: "LoadGeneratorTests",
      dependencies: ["Reactor", "Stamp", "LoadGenerator", "MockBackend"], swiftSettings: swift),
    .testTarget(
      name: "MockBackendTests", dependencies: ["Reactor", "Stamp", "MockBackend", "TestClient"], swiftSettings: swift),
    .testTarget(
      name: "KeyStoreTests",
      dependencies: [
        "Reactor", "Gateway", "Plugins", "KeyStore", .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: swift),
    .testTarget(
      name: "WebTokensTests",
      dependencies: [
        "Reactor", "Gateway", "Plugins", "WebTokens", .product(name: "JWTKit", package: "jwt-kit"),
      ],
      swiftSettings: swift),
    .testTarget(name: "ControlTests", dependencies: ["Gateway", "Control"], swiftSettings: swift),
    .testTarget(name: "StructureTests", swiftSettings: swift),
  ]
)
