// How a deployment is, out of how its services are. Values only: what the probes found comes in, words go out.

/// How one service of a deployment answered.
enum ServiceState: String, Sendable {
  case running, stopped, starting, unknown

  /// What a probe's answer tells: 204 is what servers say that are still loading; any other answer below 500 is a service
  /// that runs, be it one that wants another path or a key.
  static func answered(_ status: Int) -> ServiceState {
    switch status {
    case 204: .starting
    case ..<500: .running
    default: .stopped
    }
  }
}

/// How a deployment is.
enum DeploymentHealth: String, Sendable {
  case healthy, degraded, unhealthy, starting, unknown

  init(_ state: DeploymentState, _ services: [ServiceState]) {
    switch state {
    case .starting: self = .starting
    case .stopped: self = .unhealthy
    case .running: self = Self.of(services)
    }
  }

  private static func of(_ services: [ServiceState]) -> DeploymentHealth {
    let running = services.count { $0 == .running }
    if services.isEmpty { return .unknown }
    if running == services.count { return .healthy }
    if services.contains(.starting) { return .starting }
    if running > 0 { return .degraded }
    return services.contains(.unknown) ? .unknown : .unhealthy
  }
}
