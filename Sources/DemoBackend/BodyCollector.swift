// The body of a request, which the demo backend reads whole. Owned by a connection; never grows beyond its bound.

import Wire

/// Keeps the payload of a body, up to a bound.
final class BodyCollector: PayloadSink {
  let bytesMax: Int
  private var bytes: [UInt8] = []
  private(set) var overflowed = false

  init(bytesMax: Int) { self.bytesMax = max(bytesMax, 0) }

  func payload(_ run: UnsafeRawBufferPointer) {
    guard !overflowed, run.count <= bytesMax - bytes.count else {
      overflowed = true
      bytes = []
      return
    }
    bytes.append(contentsOf: run)
  }

  func take() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }

  func reset() {
    bytes = []
    overflowed = false
  }
}
