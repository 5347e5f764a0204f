// What needs no loop: addresses, digests, errors, the machine.

import Glibc
import Synchronization
import Testing

@testable import Reactor

@Suite struct SocketAddressTests {
  @Test(
    "literal addresses are read and written as people write them",
    arguments: [
      ("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("[::1]", "[::1]:80"), ("0.0.0.0", "0.0.0.0:80"),
      ("2001:DB8:0:0::1", "[2001:db8::1]:80"), ("255.255.255.255", "255.255.255.255:80"), ("::", "[::]:80"),
    ])
  func literals(_ text: String, _ expected: String) throws {
    let address = try #require(SocketAddress(literal: text, port: 80))
    #expect(address.description == expected)
  }

  @Test(
    "what is no literal address is none",
    arguments: ["", "localhost", "[127.0.0.1]", "[]", "[", "127.1", "1.2.3.4.5", "::1::", "1.2.3.4 ", "[::1", "::1%lo"])
  func noLiterals(_ text: String) {
    #expect(SocketAddress(literal: text, port: 80) == nil)
  }

  @Test("an IPv4 address has the bits of its mapped form")
  func bits() throws {
    let v4 = try #require(SocketAddress(literal: "1.2.3.4", port: 1)?.ipBits)
    #expect(v4 == (0, 0xffff_0102_0304))
    let v6 = try #require(SocketAddress(literal: "2001:db8::5", port: 1)?.ipBits)
    #expect(v6 == (0x2001_0db8_0000_0000, 5))
    #expect(SocketAddress(unixPath: "/x")?.ipBits == nil)
  }

  @Test("a path the kernel cannot take is refused early")
  func paths() {
    #expect(SocketAddress(unixPath: String(repeating: "x", count: 107)) != nil)
    #expect(SocketAddress(unixPath: String(repeating: "x", count: 108)) == nil)
    #expect(SocketAddress(unixPath: "") == nil)
    #expect(SocketAddress(unixPath: "a\0b") == nil)
    #expect(SocketAddress(unixPath: "/run/x")?.description == "unix:/run/x")
  }

  @Test("addresses are equal when all that matters is")
  func equality() throws {
    let one = SocketAddress.loopback(port: 1)
    #expect(one == SocketAddress(literal: "127.0.0.1", port: 1))
    #expect(one != one.with(port: 2))
    #expect(Set([one, one.with(port: 1)]).count == 1)
  }
}

@Suite struct SHA256DigestTests {
  static let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

  @Test("digests are those of FIPS 180-2")
  func vectors() {
    #expect(SHA256Digest(hashing: "abc").hex == Self.abc)
    #expect(
      SHA256Digest(hashing: "").hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(SHA256Digest(hashing: UnsafeRawBufferPointer(start: nil, count: 0)) == SHA256Digest(hashing: ""))
  }

  @Test("hexadecimal goes in and out, and nothing else goes in")
  func hex() {
    #expect(SHA256Digest(hex: Self.abc) == SHA256Digest(hashing: "abc"))
    #expect(SHA256Digest(hex: Self.abc.uppercased()) == SHA256Digest(hashing: "abc"))
    #expect(SHA256Digest(hex: String(Self.abc.dropLast())) == nil)
    #expect(SHA256Digest(hex: Self.abc + "0") == nil)
    #expect(SHA256Digest(hex: "g" + Self.abc.dropFirst()) == nil)
    #expect(SHA256Digest(hex: "") == nil)
  }

  @Test("a digest finds its key in a table, and its description does not give it away")
  func keys() {
    let table = [SHA256Digest(hashing: "abc"): 1, SHA256Digest(hashing: "def"): 2]
    #expect(table[SHA256Digest(hashing: "def")] == 2)
    #expect(table[SHA256Digest(hashing: "ghi")] == nil)
    #expect("\(SHA256Digest(hashing: "abc"))" == "ba7816bf")
  }

  @Test("constant-time comparison says what comparison says")
  func constantTime() {
    func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
      left.withUnsafeBytes { left in right.withUnsafeBytes { ConstantTime.equal(left, $0) } }
    }
    #expect(equal([], []))
    #expect(equal([1, 2, 3], [1, 2, 3]))
    #expect(!equal([1, 2, 3], [1, 2, 4]))
    #expect(!equal([0, 2, 3], [1, 2, 3]))
    #expect(!equal([1, 2], [1, 2, 3]))
  }
}

@Suite struct MachineTests {
  @Test("a control group's quota is whole cores, rounded up")
  func quota() {
    #expect(Machine.quota(from: "150000 100000\n") == 2)
    #expect(Machine.quota(from: "50000 100000") == 1)
    #expect(Machine.quota(from: "200000 100000") == 2)
    #expect(Machine.quota(from: "max 100000") == nil)
    #expect(Machine.quota(from: "-1 100000") == nil)
    #expect(Machine.quota(from: "") == nil)
    #expect(Machine.quota(from: "1 0") == nil)
  }

  @Test("the machine has a core, descriptors, clocks and chance")
  func facts() {
    #expect(Machine.coreCount >= 1)
    #expect(Machine.coreCount <= Machine.allowedCores.count)
    #expect(Machine.raiseDescriptorLimit() >= 256)
    #expect(Machine.wallClockNanoseconds() > 1_600_000_000_000_000_000)
    #expect(Machine.monotonicNanoseconds() <= Machine.monotonicNanoseconds())
    var random = [UInt8](repeating: 0, count: 32)
    random.withUnsafeMutableBytes { Machine.entropy(into: $0) }
    #expect(random != [UInt8](repeating: 0, count: 32))
  }

  @Test("a core's thread runs its closure under its name, on its core, and can be waited for")
  func threads() throws {
    final class Box: Sendable { let seen = Mutex<[Int]>([]) }
    let box = Box()
    let core = Machine.allowedCores[0]
    let thread = try CoreThread.start(name: "a-name-that-is-too-long", core: core) {
      let cores = Machine.allowedCores
      box.seen.withLock { $0 = cores }
    }
    thread.join()
    #expect(box.seen.withLock { $0 } == [core])
  }
}

@Suite struct ReactorErrorTests {
  @Test(
    "errors are sorted by what can be done about them",
    arguments: [
      (ECONNREFUSED, ReactorError.Kind.refused), (ENOENT, .refused), (ECONNRESET, .reset), (EPIPE, .reset),
      (ETIMEDOUT, .timedOut), (EHOSTUNREACH, .unreachable), (EMFILE, .descriptors), (ENOBUFS, .descriptors),
      (EACCES, .other),
    ])
  func kinds(_ code: Int32, _ kind: ReactorError.Kind) {
    #expect(ReactorError(code: code, operation: "test").kind == kind)
  }

  @Test("an error says which call failed and why")
  func description() {
    #expect(ReactorError(code: ECONNREFUSED, operation: "connect").description == "connect: connection refused")
    #expect(ReactorError(code: ECONNREFUSED, operation: "connect").tlsDetail == nil)
  }
}
