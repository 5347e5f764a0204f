import Testing

@testable import WebTokens

@Suite("Token keys")
struct TokenKeysTests {
  @Test("a new collection has no keys")
  func none() async {
    await #expect(throws: (any Error).self) { try await TokenKeys().keys.getKey() }
  }
}
