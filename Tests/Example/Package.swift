// swift-tools-version: 6.2
// A gateway of somebody's own: a program that brings three plugins, and a configuration that switches them on.
import PackageDescription

let package = Package(
  name: "team-gateway",
  dependencies: [.package(name: "sluice", path: "../..")],
  targets: [
    .executableTarget(
      name: "team-gateway", dependencies: [.product(name: "Sluice", package: "sluice")], path: "Sources",
      swiftSettings: [.swiftLanguageMode(.v6)])
  ]
)
