// Bounds on what a peer may make us keep or walk. Values of the configuration end up here.

/// Bounds of one message's head and framing. What exceeds them is refused, see `FramingError`.
public struct HeadLimits: Equatable, Sendable {
  /// Longest head in bytes, request or status line and final empty line included. Beyond: 431.
  public var headBytesMax: Int
  /// Most header lines. Beyond: 431.
  public var fieldCountMax: Int
  /// Longest request target in bytes. Beyond: 414.
  public var targetBytesMax: Int
  /// Most bytes of chunk extensions in front of one chunk. Beyond: 400.
  public var chunkExtensionBytesMax: Int
  /// Most bytes of trailers behind the last chunk. Beyond: 431.
  public var trailerBytesMax: Int

  /// The defaults are what OpenAI documents for its own edge (64 KiB of headers) and common servers for the rest.
  public init(
    headBytesMax: Int = 65_536, fieldCountMax: Int = 100, targetBytesMax: Int = 16_384,
    chunkExtensionBytesMax: Int = 256, trailerBytesMax: Int = 8_192
  ) {
    self.headBytesMax = headBytesMax
    self.fieldCountMax = fieldCountMax
    self.targetBytesMax = targetBytesMax
    self.chunkExtensionBytesMax = chunkExtensionBytesMax
    self.trailerBytesMax = trailerBytesMax
  }
}
