// What an operator may choose about the demo backend. A plain value; what a single request may choose is in
// DemoSwitches.swift.

import Reactor

/// Settings of a demo backend. The defaults are what `conf/demo.yaml` wants.
public struct DemoSettings: Sendable {
  /// Where to listen. Port 0 lets the kernel choose; `DemoBackend.address` tells.
  public var address: SocketAddress
  /// Models that exist; every one answers on every route. Empty: all names exist, and none is listed.
  public var models: [String]
  /// Time from the end of a request to the first byte of a generated answer, in nanoseconds.
  public var firstWordNanoseconds: UInt64
  /// Time between two words of a stream, in nanoseconds. Answers that are not streamed do not wait for it.
  public var wordNanoseconds: UInt64
  /// Length of embeddings whose request does not say.
  public var embeddingDimensions: Int
  /// Largest request body in bytes; a larger one gets 413.
  public var bodyBytesMax: Int

  /// A backend on a loopback port of the kernel's choice that writes like a quick model.
  public init(
    address: SocketAddress = .loopback(port: 0), models: [String] = ["sluice-demo", "sluice-demo-embedding"],
    firstWordNanoseconds: UInt64 = 150_000_000, wordNanoseconds: UInt64 = 30_000_000,
    embeddingDimensions: Int = 256, bodyBytesMax: Int = 16_777_216
  ) {
    self.address = address
    self.models = models
    self.firstWordNanoseconds = firstWordNanoseconds
    self.wordNanoseconds = wordNanoseconds
    self.embeddingDimensions = embeddingDimensions
    self.bodyBytesMax = bodyBytesMax
  }

  /// The same backend without any pauses, for tests and load.
  public var withoutPauses: DemoSettings {
    var settings = self
    settings.firstWordNanoseconds = 0
    settings.wordNanoseconds = 0
    return settings
  }
}
