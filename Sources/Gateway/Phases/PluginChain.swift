// The plugins of one configuration in the order of their phases, each behind a link that knows its type: asking one is a call
// through a class, which copies nothing, however much the plugin keeps.

import Reactor

/// A plugin as the chain calls it.
class PluginLink: @unchecked Sendable {
  // SAFETY of @unchecked: links hold a Sendable plugin that never changes, and nothing else.

  var phases: Phases { [] }
  var name: String { "" }
  var waitMax: UInt64 { 0 }
  var failing: PluginFailing { .closed }
  func request(_ exchange: Exchange) -> Verdict { .pass }
  func body(_ exchange: Exchange) -> Verdict { .pass }
  func route(_ exchange: Exchange) -> Verdict { .pass }
  func upstreamRequest(_ exchange: Exchange, _ head: inout HeadFields) {}
  func edits(_ exchange: Exchange) -> AnswerEdits? { nil }
  func listens(_ exchange: Exchange) -> Bool { false }
  func piece(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer) {}
  func response(_ exchange: Exchange, _ head: inout HeadFields) {}
  func failed(_ exchange: Exchange, _ failure: Failure) -> Reply? { nil }
  func streamFailed(_ exchange: Exchange, _ failure: Failure) -> [UInt8]? { nil }
  func finished(_ exchange: Exchange) {}
  func wait(in phase: Phases, _ exchange: Exchange, on loop: isolated LoopActor) async throws -> Verdict {
    .pass
  }
}

/// The link of one type of plugin.
private final class TypedLink<Linked: Plugin>: PluginLink, @unchecked Sendable {
  private let plugin: Linked

  init(_ plugin: Linked) { self.plugin = plugin }

  override var phases: Phases { plugin.phases }
  override var name: String { plugin.name }
  override var waitMax: UInt64 { plugin.waitMax }
  override var failing: PluginFailing { plugin.failing }
  override func request(_ exchange: Exchange) -> Verdict { plugin.request(exchange) }
  override func body(_ exchange: Exchange) -> Verdict { plugin.body(exchange) }
  override func route(_ exchange: Exchange) -> Verdict { plugin.route(exchange) }
  override func upstreamRequest(_ exchange: Exchange, _ head: inout HeadFields) {
    plugin.upstreamRequest(exchange, &head)
  }
  override func edits(_ exchange: Exchange) -> AnswerEdits? { plugin.edits(exchange) }
  override func listens(_ exchange: Exchange) -> Bool { plugin.listens(exchange) }
  override func piece(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer) { plugin.piece(exchange, bytes) }
  override func response(_ exchange: Exchange, _ head: inout HeadFields) { plugin.response(exchange, &head) }
  override func failed(_ exchange: Exchange, _ failure: Failure) -> Reply? { plugin.failed(exchange, failure) }
  override func streamFailed(_ exchange: Exchange, _ failure: Failure) -> [UInt8]? {
    plugin.streamFailed(exchange, failure)
  }
  override func finished(_ exchange: Exchange) { plugin.finished(exchange) }
  override func wait(
    in phase: Phases, _ exchange: Exchange, on loop: isolated LoopActor
  ) async throws -> Verdict {
    try await plugin.wait(in: phase, exchange, on: loop)
  }
}

/// The plugins of a snapshot, sorted into the phases they declared. Built once; running it allocates nothing.
public struct PluginChain: Sendable {
  let request: [PluginLink]
  let body: [PluginLink]
  let route: [PluginLink]
  let upstreamRequest: [PluginLink]
  let edits: [PluginLink]
  let pieces: [PluginLink]
  let response: [PluginLink]
  let failed: [PluginLink]
  let finished: [PluginLink]

  /// The chain that calls `plugins` in their order.
  public init(_ plugins: [any Plugin]) {
    func link(_ plugin: some Plugin) -> PluginLink { TypedLink(plugin) }
    let links = plugins.map { link($0) }
    func declared(_ phase: Phases) -> [PluginLink] { links.filter { $0.phases.contains(phase) } }
    request = declared(.request)
    body = declared(.body)
    route = declared(.route)
    upstreamRequest = declared(.upstreamRequest)
    edits = declared(.edits)
    pieces = declared(.pieces)
    response = declared(.response)
    failed = declared(.failed)
    finished = declared(.finished)
  }

  func deciding(_ phase: Phases) -> [PluginLink] {
    switch phase {
    case .request: request
    case .body: body
    default: route
    }
  }
}
