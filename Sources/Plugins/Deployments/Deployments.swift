// `GET /api/deployments/{id}/health`: what people and scripts ask before they send work somewhere. Services are probed when
// somebody asks, all at once, and nobody waits longer than the probes may take.

import Gateway
import Reactor
import Wire

/// A deployment whose health can be asked for.
public struct Deployment: Sendable {
  /// What is asked to know how a service is.
  public struct Probe: Sendable {
    /// The service's name, as answers show it.
    public let name: String
    public let endpoint: Endpoint
    public let tls: TLSClientContext?
    public let request: FetchRequest

    public init(name: String, endpoint: Endpoint, tls: TLSClientContext?, request: FetchRequest) {
      self.name = name
      self.endpoint = endpoint
      self.tls = tls
      self.request = request
    }
  }

  public let id: String
  public let state: DeploymentState
  public let probes: [Probe]
  /// All names of the models that it serves.
  let models: [String]

  public init(id: String, state: DeploymentState, probes: [Probe], models: [CatalogModel] = []) {
    self.models = models.flatMap(\.names)
    self.id = id
    self.state = state
    self.probes = probes
  }
}

/// Answers for the health of deployments, and for every other path below their prefix that there is none.
public struct Deployments: Plugin {
  /// Where they are.
  public static let prefix = "/api/deployments"

  private let deployments: [String: Deployment]
  /// What the longest probe may take, and a second for the rest.
  public let waitMax: UInt64

  public init(_ deployments: [Deployment]) {
    self.deployments = Dictionary(deployments.map { ($0.id, $0) }) { first, _ in first }
    waitMax = (deployments.flatMap(\.probes).map(\.request.timeMax).max() ?? 0) &+ 1_000_000_000
  }

  public var name: String { "deployments" }
  public var phases: Phases { .request }

  public func request(_ exchange: Exchange) -> Verdict {
    guard !exchange.surface.isAPI, case .other = exchange.route else { return .pass }
    guard let id = Self.id(exchange.path) else { return .fail(Failure(.downstream, .unknownPath)) }
    guard exchange.method == .get || exchange.method == .head else {
      return .fail(Failure(.downstream, .method(allowed: "GET, HEAD")))
    }
    guard let deployment = deployments[id], exchange.identity?.mayUse(any: deployment.models) ?? true else {
      let refusal = Failure.Refusal(status: 404, message: "No deployment '\(id)'", code: "deployment_not_found")
      return .fail(Failure(.downstream, .refused(refusal)))
    }
    guard deployment.state == .running, !deployment.probes.isEmpty else {
      return .reply(Self.reply(deployment, [], began: Machine.wallClockNanoseconds(), took: 0))
    }
    return .wait
  }

  public func wait(
    in phase: Phases, _ exchange: Exchange, on loop: isolated LoopActor
  ) async throws -> Verdict {
    guard let id = Self.id(exchange.path), let deployment = deployments[id] else { return .pass }
    let began = Machine.wallClockNanoseconds()
    let start = exchange.age
    let outcomes = await exchange.core.fetch(deployment.probes.map { ($0.request, $0.endpoint, $0.tls) }, on: loop)
    return .reply(Self.reply(deployment, outcomes.map(Self.state), began: began, took: exchange.age &- start))
  }

  private static func state(_ outcome: Result<FetchAnswer, FetchError>) -> ServiceState {
    switch outcome {
    case .success(let answer): .answered(answer.status)
    case .failure(let error): error.isTimeout ? .unknown : .stopped
    }
  }

  private static func reply(
    _ deployment: Deployment, _ states: [ServiceState], began: UInt64, took nanoseconds: UInt64
  ) -> Reply {
    var out = Array(#"{"status":"\#(DeploymentHealth(deployment.state, states).rawValue)","timestamp":""#.utf8)
    out += Array(
      "\(Timestamp.text(Machine.wallClockNanoseconds()))\",\"last_checked\":\"\(Timestamp.text(began))\"".utf8)
    out += Array(#","deployment_id":"#.utf8)
    JSONText.append(deployment.id, to: &out)
    out += Array(#","deployment_status":"\#(deployment.state.rawValue)","services":{"#.utf8)
    // Services of a deployment that does not run are not asked.
    let rest: ServiceState = deployment.state == .starting ? .starting : .stopped
    for (index, probe) in deployment.probes.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      JSONText.append(probe.name, to: &out)
      out += Array(":\"\((index < states.count ? states[index] : rest).rawValue)\"".utf8)
    }
    out += Array("},\"response_time_ms\":\(nanoseconds / 1_000_000)}".utf8)
    return Reply(status: 200, body: out, fields: [("Cache-Control", "no-store")])
  }

  /// The id in `/api/deployments/{id}/health`, which may have slashes, plain or as `%2F`: models' names do.
  private static func id(_ path: [UInt8]) -> String? {
    let rest = path.dropFirst(prefix.utf8.count)
    let end = Array("/health".utf8)
    guard rest.first == UInt8(ascii: "/"), rest.count > end.count + 1, rest.suffix(end.count).elementsEqual(end) else {
      return nil
    }
    let id = rest.dropFirst().dropLast(end.count)
    return id.isEmpty ? nil : Array(id).withUnsafeBytes { Route.percentDecoded($0) }
  }
}
