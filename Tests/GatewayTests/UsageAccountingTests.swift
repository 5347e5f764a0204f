// How usage is read while an answer passes, one event after the other.

import Reactor
import Testing

@testable import Gateway
@testable import Plugins

@Suite("Usage is accounted for")
struct UsageAccountingTests {
  /// Another plugin that keeps a note.
  struct Other: Plugin {
    var name: String { "other" }
    var phases: Phases { [] }
  }

  @Test("a note of another plugin makes nobody read events that tell no tokens")
  func notes() throws {
    try withExchange { exchange in
      let plugin = UsageAccounting()
      exchange.isEventStream = true
      exchange.keep(1, for: Other.self)
      #expect(!exchange.hasNote(of: UsageAccounting.self) && exchange.hasNote(of: Other.self))
      lending("data: {\"choices\":[],\"us") { plugin.piece(exchange, $0) }
      #expect(exchange.hasNote(of: UsageAccounting.self))
      lending("age\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n") { plugin.piece(exchange, $0) }
      #expect(exchange.record.tokensIn == 3 && exchange.record.tokensOut == 2)
      #expect(!exchange.hasNote(of: UsageAccounting.self) && exchange.hasNote(of: Other.self))
      lending("data: {\"choices\":[{}]}\n\n") { plugin.piece(exchange, $0) }
      #expect(!exchange.hasNote(of: UsageAccounting.self))
    }
  }
}
