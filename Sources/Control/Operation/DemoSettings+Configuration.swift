// The demo backend's part of the configuration, as the demo backend wants it.

import DemoBackend
import Reactor

extension DemoSettings {
  /// What `configuration` asks for. A listening address that is no address leaves the default.
  init(_ configuration: Configuration.DemoBackend) {
    self.init()
    switch configuration.address {
    case .ip(let host, let port): if let found = SocketAddress(literal: host, port: port) { address = found }
    case .everywhere(let port): address = .loopback(port: port)
    case .unix(let path): if let found = SocketAddress(unixPath: path) { address = found }
    }
    models = configuration.models
    wordNanoseconds = UInt64(max(0, configuration.wordMilliseconds)) * 1_000_000
    firstWordNanoseconds = UInt64(max(0, configuration.firstWordMilliseconds)) * 1_000_000
  }
}
