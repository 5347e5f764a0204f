import Testing

@testable import Gateway

@Suite("Plugin chains")
struct PluginChainTests {
  struct Named: Plugin {
    let name: String
    let phases: Phases
  }

  static let all: Phases = [.request, .body, .route, .upstreamRequest, .edits, .pieces, .response, .failed, .finished]

  static func lists(_ chain: PluginChain) -> [(Phases, [PluginLink])] {
    [
      (.request, chain.request), (.body, chain.body), (.route, chain.route), (.upstreamRequest, chain.upstreamRequest),
      (.edits, chain.edits), (.pieces, chain.pieces), (.response, chain.response), (.failed, chain.failed),
      (.finished, chain.finished),
    ]
  }

  @Test("a plugin is called for the phases that it declared, in the order of the chain")
  func declared() {
    let plugins = [
      Named(name: "a", phases: [.request, .response]), Named(name: "b", phases: []), Named(name: "c", phases: Self.all),
      Named(name: "d", phases: [.response, .finished]), Named(name: "e", phases: [.request, .failed]),
    ]
    for (phase, list) in Self.lists(PluginChain(plugins)) {
      #expect(list.map(\.name) == plugins.filter { $0.phases.contains(phase) }.map(\.name))
    }
    #expect(PluginChain(plugins).request.map(\.name) == ["a", "c", "e"])
    #expect(PluginChain(plugins).response.map(\.name) == ["a", "c", "d"])
  }

  @Test("the same plugin may stand in the chain twice, and the order is the caller's")
  func order() {
    let (one, two) = (Named(name: "1", phases: .request), Named(name: "2", phases: .request))
    #expect(PluginChain([two, one, two]).request.map(\.name) == ["2", "1", "2"])
  }

  @Test("an empty chain has nobody to call")
  func empty() {
    for (_, list) in Self.lists(PluginChain([])) { #expect(list.isEmpty) }
  }

  @Test("the deciding phases are request, body and route")
  func deciding() {
    let chain = PluginChain([
      Named(name: "q", phases: .request), Named(name: "b", phases: .body), Named(name: "r", phases: .route),
    ])
    #expect(chain.deciding(.request).map(\.name) == ["q"])
    #expect(chain.deciding(.body).map(\.name) == ["b"])
    #expect(chain.deciding(.route).map(\.name) == ["r"])
  }

  @Test("each phase is a bit of its own")
  func bits() {
    let phases = Self.lists(PluginChain([])).map(\.0)
    #expect(Set(phases.map(\.rawValue)).count == 9)
    #expect(phases.reduce(into: Phases()) { $0.formUnion($1) } == Self.all)
    #expect(phases.allSatisfy { $0.rawValue.nonzeroBitCount == 1 })
  }
}
