// Small things that the tests of this room share: bytes of texts, texts of bytes, JSON as Foundation reads it.

import Foundation
import Testing

/// Lends the bytes of `text`.
func lending<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
  try lending(Array(text.utf8), body)
}

/// Lends `bytes`.
func lending<Result>(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
  try bytes.withUnsafeBytes { try body($0) }
}

func string(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

/// A body whose every byte says where it stands, so that no two places can be taken for each other.
func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) } }

/// `bytes` as a JSON object; fails the test where Foundation's parser refuses them.
func jsonObject(_ bytes: some Sequence<UInt8>, _ location: SourceLocation = #_sourceLocation) throws -> [String: Any] {
  let value = try JSONSerialization.jsonObject(with: Data(bytes))
  return try #require(value as? [String: Any], sourceLocation: location)
}

/// `bytes`, a JSON string with its quotes, as the text that it stands for.
func jsonText(_ bytes: [UInt8], _ location: SourceLocation = #_sourceLocation) throws -> String {
  let value = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
  return try #require(value as? String, sourceLocation: location)
}
