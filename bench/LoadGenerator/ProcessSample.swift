// What a process has used so far, read from /proc. CPU time is the scheduler's own count in nanoseconds, summed over the
// process's threads; a thread that ended between two samples takes its time with it, so measured processes should keep
// theirs.

import Glibc

/// CPU time and memory of a process at one moment.
public struct ProcessSample: Equatable, Sendable {
  /// CPU time of all threads that live, in nanoseconds; user and system together.
  public var cpuNanoseconds: UInt64 = 0
  /// Pages in memory, in KiB.
  public var residentKiB = 0
  /// The same, pages that are shared divided by who shares them.
  public var proportionalKiB = 0

  /// Takes a sample of process `pid`; nil when there is none. Memory costs a walk over the page tables.
  public init?(pid: Int32, memory: Bool = true) {
    guard let tasks = opendir("/proc/\(pid)/task") else { return nil }
    defer { closedir(tasks) }
    while let entry = readdir(tasks) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      guard Int32(name) != nil else { continue }
      if let line = Self.read("/proc/\(pid)/task/\(name)/schedstat") { cpuNanoseconds += Self.firstNumber(line) }
    }
    guard memory, let rollup = Self.read("/proc/\(pid)/smaps_rollup") else { return }
    for line in rollup.split(separator: "\n") {
      if line.hasPrefix("Rss:") { residentKiB = Int(Self.firstNumber(line.dropFirst(4))) }
      if line.hasPrefix("Pss:") { proportionalKiB = Int(Self.firstNumber(line.dropFirst(4))) }
    }
  }

  /// CPU time of this process so far, in nanoseconds.
  public static var ownCPUNanoseconds: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
  }

  private static func firstNumber(_ text: some StringProtocol) -> UInt64 {
    text.split { $0 == " " || $0 == "\n" || $0 == "\t" }.first.flatMap { UInt64($0) } ?? 0
  }

  private static func read(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { Glibc.close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 8192)
    var count = 0
    while count < bytes.count {
      let more = bytes.withUnsafeMutableBytes {
        Glibc.read(descriptor, $0.baseAddress.map { $0 + count }, $0.count - count)
      }
      guard more > 0 else { break }
      count += more
    }
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
