// Chunk framing for bodies the gateway makes itself. Bodies that pass through keep the framing they came with.

/// Pieces of the chunked transfer coding (RFC 9112 7.1).
public enum ChunkedWriter {
  /// The last chunk and an empty trailer section.
  public static let last: StaticString = "0\r\n\r\n"

  /// What follows a chunk's payload.
  public static let end: StaticString = "\r\n"

  /// Room that `chunkHead` needs at most, in bytes.
  public static let headBytesMax = 18

  /// Writes the size line of a chunk of `size` bytes and returns its length; 0 when `room` is too small or `size` is not
  /// positive (a chunk of size 0 would end the body).
  public static func chunkHead(_ size: Int, into room: UnsafeMutableRawBufferPointer) -> Int {
    guard size > 0 else { return 0 }
    var writer = HeadWriter(room)
    writer.writeHex(UInt64(size))
    writer.write("\r\n")
    return writer.overflowed ? 0 : writer.count
  }
}
