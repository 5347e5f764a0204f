// A short stand-in for a credential: a client sends the same one with every request, and its SHA-256 costs more than all
// the rest that is done about it.

/// The SipHash of a credential under a secret of this process (Swift's own, and 128 bits more). It tells nothing about the
/// credential, and nobody outside can make another text with the same one but by trying 2^64 of them here.
public enum CredentialTag {
  private static let secret: (UInt64, UInt64) = {
    var random = SystemRandomNumberGenerator()
    return (random.next(), random.next())
  }()

  /// Never 0.
  public static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(secret.0)
    hasher.combine(secret.1)
    hasher.combine(bytes: bytes)
    let tag = UInt64(bitPattern: Int64(hasher.finalize()))
    return tag == 0 ? 1 : tag
  }
}
