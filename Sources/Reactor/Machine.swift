// What the process asks of the machine it runs on, mostly once at its start.

import CUV
import Glibc

/// The machine and its limits.
public enum Machine {
  /// Raises the soft limit of open descriptors to the hard limit, and says how many there may be now.
  @discardableResult
  public static func raiseDescriptorLimit() -> Int {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return 1024 }
    if limit.rlim_cur < limit.rlim_max {
      var raised = limit
      raised.rlim_cur = limit.rlim_max
      if setrlimit(resource, &raised) == 0 { limit = raised }
    }
    return Int(clamping: limit.rlim_cur)
  }

  /// Cores this process may use: what the scheduler allows, and no more than the control group's quota, rounded up.
  public static var coreCount: Int {
    let allowed = allowedCores.count
    let bound = cgroupQuota ?? allowed
    return max(1, min(allowed, bound))
  }

  /// Numbers of the cores the scheduler lets this process run on.
  public static var allowedCores: [Int] {
    // 8192 cores, as the kernel's own largest configuration.
    var mask = [UInt64](repeating: 0, count: 128)
    let written = mask.withUnsafeMutableBytes { sluice_get_affinity(0, UInt($0.count), $0.baseAddress) }
    guard written >= 0 else { return [0] }
    var cores: [Int] = []
    for (index, word) in mask.enumerated() where word != 0 {
      for bit in 0..<64 where word & (1 << UInt64(bit)) != 0 { cores.append(index * 64 + bit) }
    }
    return cores.isEmpty ? [0] : cores
  }

  /// Whole cores that the control group grants, rounded up; nil when it does not say.
  private static var cgroupQuota: Int? {
    // Version 2: "max 100000" or "150000 100000". Version 1 has a file for each number, -1 meaning no limit.
    if let own = readLine(of: "/proc/self/cgroup"), own.hasPrefix("0::/") {
      // The process's own group; in a container it is the root of what can be seen.
      let path = own.dropFirst(3).prefix { $0 != "\n" }
      if let line = readLine(of: "/sys/fs/cgroup\(path)/cpu.max"), let found = quota(from: line) { return found }
    }
    if let line = readLine(of: "/sys/fs/cgroup/cpu.max") { return quota(from: line) }
    guard let quota = readLine(of: "/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
      let period = readLine(of: "/sys/fs/cgroup/cpu/cpu.cfs_period_us")
    else { return nil }
    return self.quota(from: quota + " " + period)
  }

  /// Reads "150000 100000" as 2 cores.
  static func quota(from line: String) -> Int? {
    let numbers = line.split { $0 == " " || $0 == "\n" }.map { Int($0) }
    guard numbers.count == 2, let quota = numbers[0], let period = numbers[1], quota > 0, period > 0 else { return nil }
    return max(1, quota / period + (quota % period == 0 ? 0 : 1))
  }

  private static func readLine(of path: String) -> String? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 4096)
    guard fgets(&line, 4096, file) != nil else { return nil }
    return String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Nanoseconds since 1970, for what people read. It may jump: deadlines use `Loop.now`.
  public static func wallClockNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
  }

  /// Nanoseconds on the clock of `Loop.now`, for who has no loop at hand.
  public static func monotonicNanoseconds() -> UInt64 { uv_hrtime() }

  /// Fills `room` with random bytes that nobody can guess.
  public static func entropy(into room: UnsafeMutableRawBufferPointer) {
    if let base = room.baseAddress, room.count > 0, uv_random(nil, nil, base, room.count, 0, nil) == 0 { return }
    var random = SystemRandomNumberGenerator()
    for index in room.indices { room[index] = random.next() }
  }

  /// Closes a descriptor that nobody has taken over, after a last word for the peer where the kernel takes it at once.
  public static func close(_ descriptor: Int32, saying word: [UInt8] = []) {
    if !word.isEmpty {
      // SAFETY: the array's bytes are lent for the length of the call.
      _ = word.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      shutdown(descriptor, Int32(SHUT_WR))
    }
    _ = Glibc.close(descriptor)
  }

  /// The process's environment.
  public static var environment: [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let line = String(cString: text)
      if let sign = line.firstIndex(of: "=") {
        variables[String(line[..<sign])] = String(line[line.index(after: sign)...])
      }
      entry += 1
    }
    return variables
  }
}
