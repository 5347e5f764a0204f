import Synchronization
import Testing

@testable import Flow

@Suite("How many are under way")
struct ConcurrencyTableTests {
  @Test("as many as the limit are let in, and one more for each that leaves")
  func limit() {
    let table = ConcurrencyTable()
    #expect((0..<5).map { _ in table.enter(7, max: 3) } == [true, true, true, false, false])
    table.leave(7)
    #expect(table.enter(7, max: 3) && !table.enter(7, max: 3))
    #expect(table.enter(8, max: 1), "each key has a count of its own")
    for _ in 0..<3 { table.leave(7) }
    #expect(table.count(7) == 0 && table.count(8) == 1)
  }

  @Test("whoever leaves without having entered changes nothing, and a limit of nothing lets nobody in")
  func strangers() {
    let table = ConcurrencyTable()
    table.leave(1)
    #expect(table.count(1) == 0 && !table.enter(1, max: 0) && !table.enter(1, max: -1))
  }

  @Test("threads never see more than the limit at one time, and all have left in the end")
  func threads() async {
    final class Worst: Sendable { let count = Atomic<Int>(0) }
    let table = ConcurrencyTable()
    let worst = Worst()
    await withTaskGroup { group in
      for _ in 0..<4 {
        group.addTask {
          for step in 0..<20_000 where table.enter(UInt64(step % 3), max: 2) {
            let count = table.count(UInt64(step % 3))
            if count > 2 { worst.count.store(count, ordering: .relaxed) }
            table.leave(UInt64(step % 3))
          }
        }
      }
    }
    #expect(worst.count.load(ordering: .relaxed) == 0)
    #expect((0..<3).allSatisfy { table.count($0) == 0 })
  }
}
