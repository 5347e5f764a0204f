import Flow
import Testing

@Suite("IdlePool")
struct IdlePoolTests {
  final class Connection {
    let name: Int
    init(_ name: Int) { self.name = name }
  }

  func pool(of count: Int, idleMax: Int = 3) -> (IdlePool<Connection>, [Connection]) {
    var pool = IdlePool<Connection>(idleMax: idleMax, idleNanosecondsMax: 100)
    let connections = (0..<count).map { Connection($0) }
    for (index, connection) in connections.enumerated() { _ = pool.put(connection, now: UInt64(index) * 10) }
    return (pool, connections)
  }

  @Test("the newest is taken first")
  func newestFirst() {
    var (pool, _) = pool(of: 3)
    #expect((0..<4).map { _ in pool.take(now: 20)?.name } == [2, 1, 0, nil])
    #expect(pool.isEmpty)
  }

  @Test("a full pool pushes out the oldest, a pool of none gives everything back")
  func cap() {
    var (full, connections) = pool(of: 3)
    #expect(full.put(Connection(9), now: 30) === connections[0])
    #expect(full.count == 3)
    for idleMax in [0, -1] {
      var none = IdlePool<Connection>(idleMax: idleMax, idleNanosecondsMax: 100)
      #expect(none.put(connections[0], now: 0) === connections[0])
      #expect(none.isEmpty && none.take(now: 0) == nil)
    }
  }

  @Test("one that has waited for the limit is not taken but expires")
  func limit() {
    var (pool, _) = pool(of: 3)
    #expect(pool.nextExpiry == 100)
    #expect(pool.expire(now: 99).isEmpty)
    #expect(pool.expire(now: 110).map(\.name) == [0, 1])
    #expect(pool.nextExpiry == 120)
    #expect(pool.take(now: 120) == nil && pool.count == 1)
    #expect(pool.expire(now: 120).map(\.name) == [2])
    #expect(pool.nextExpiry == nil && pool.expire(now: .max).isEmpty)
  }

  @Test("one whose socket speaks is removed once, from any place", arguments: [0, 1, 2])
  func remove(index: Int) {
    var (pool, connections) = pool(of: 3)
    #expect(pool.remove(connections[index]) == true)
    #expect(pool.remove(connections[index]) == false)
    #expect(pool.removeAll().map(\.name) == [0, 1, 2].filter { $0 != index })
    #expect(pool.isEmpty)
  }

  @Test("a limit without end and a clock that steps back are no trap")
  func edges() {
    var pool = IdlePool<Connection>(idleMax: 2, idleNanosecondsMax: .max)
    let connection = Connection(1)
    _ = pool.put(connection, now: 50)
    #expect(pool.nextExpiry == .max)
    #expect(pool.expire(now: 10).isEmpty)
    #expect(pool.take(now: 10) === connection)
  }

  @Test("the pool keeps nothing alive that it gave away")
  func release() {
    var pool = IdlePool<Connection>(idleMax: 2, idleNanosecondsMax: 10)
    weak var gone: Connection?
    do {
      let connection = Connection(1)
      gone = connection
      _ = pool.put(connection, now: 0)
      #expect(pool.take(now: 0) === connection)
    }
    #expect(gone == nil)
  }
}
