// The processes that are measured while the load runs: what each used inside the counted window, and what it held in
// front of it and at its end.

/// Samples of other processes, and of this one.
struct Watch {
  /// One process.
  struct Process {
    let pid: Int32
    var cpuNanoseconds: UInt64 = 0
    var before: ProcessSample?
    var after: ProcessSample?
  }

  private(set) var processes: [Process]
  /// CPU time of this process in the window, in nanoseconds.
  private(set) var ownCPUNanoseconds: UInt64 = 0
  private var ownBefore: UInt64 = 0
  private var cpuBefore: [UInt64]

  init(_ pids: [Int32]) {
    processes = pids.map { Process(pid: $0) }
    cpuBefore = pids.map { _ in 0 }
  }

  /// Samples memory; takes its time, so it is done in front of the window.
  mutating func beginMemory() {
    for index in processes.indices { processes[index].before = ProcessSample(pid: processes[index].pid) }
  }

  /// The window begins.
  mutating func begin() {
    for index in processes.indices {
      cpuBefore[index] = ProcessSample(pid: processes[index].pid, memory: false)?.cpuNanoseconds ?? 0
    }
    ownBefore = ProcessSample.ownCPUNanoseconds
  }

  /// The window ends: CPU time first, because memory takes its time.
  mutating func end() {
    ownCPUNanoseconds = ProcessSample.ownCPUNanoseconds &- ownBefore
    for index in processes.indices {
      let now = ProcessSample(pid: processes[index].pid, memory: false)?.cpuNanoseconds ?? 0
      processes[index].cpuNanoseconds = now > cpuBefore[index] ? now - cpuBefore[index] : 0
    }
    for index in processes.indices { processes[index].after = ProcessSample(pid: processes[index].pid) }
  }
}
