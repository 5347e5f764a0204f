import Flow
import Testing

@Suite("Drain")
struct DrainTests {
  @Test("a core that serves is ready and keeps connections")
  func serving() {
    var drain = Drain()
    #expect(drain.isReady && drain.keepsAlive && !drain.isOver && drain.deadline == nil)
    #expect(drain.ticked(now: .max, exchanges: 0) == .none)
    #expect(drain == .serving)
  }

  @Test("being asked to stop closes the listeners and waits for the exchanges")
  func orderly() {
    var drain = Drain()
    #expect(drain.begin(now: 100, grace: 30, exchanges: 2) == .closeListeners)
    #expect(!drain.isReady && !drain.keepsAlive && !drain.isOver && drain.deadline == 130)
    #expect(drain.ticked(now: 110, exchanges: 1) == .none)
    #expect(drain.ticked(now: 129, exchanges: 0) == .stop)
    #expect(drain == .over(cut: false) && drain.deadline == nil)
  }

  @Test("with nothing running there is nothing to wait for")
  func idle() {
    var drain = Drain()
    #expect(drain.begin(now: 100, grace: 30, exchanges: 0) == .closeListeners)
    #expect(drain.ticked(now: 100, exchanges: 0) == .stop)
  }

  @Test("the deadline cuts what is left")
  func deadline() {
    var drain = Drain()
    _ = drain.begin(now: 100, grace: 30, exchanges: 2)
    #expect(drain.ticked(now: 129, exchanges: 2) == .none)
    #expect(drain.ticked(now: 130, exchanges: 2) == .cutExchanges)
    #expect(drain == .over(cut: true))
  }

  @Test("asking twice means now", arguments: [(3, Drain.Action.cutExchanges), (0, .stop)])
  func twice(exchanges: Int, action: Drain.Action) {
    var drain = Drain()
    _ = drain.begin(now: 100, grace: .max, exchanges: 3)
    #expect(drain.deadline == .max)
    #expect(drain.begin(now: 101, grace: 30, exchanges: exchanges) == action)
  }

  @Test("nothing leaves over", arguments: [Drain.over(cut: true), .over(cut: false)])
  func terminal(state: Drain) {
    var drain = state
    #expect(drain.begin(now: 1, grace: 1, exchanges: 1) == .none)
    #expect(drain.ticked(now: .max, exchanges: 1) == .none)
    #expect(drain.ticked(now: 0, exchanges: 0) == .none)
    #expect(drain == state && drain.isOver && !drain.isReady && !drain.keepsAlive)
  }
}
