import Reactor
public struct DemoSettings: Sendable { public init() {}
  public var address = SocketAddress.loopback(port: 18080)
  public var models = ["demo"]
  public var wordNanoseconds: UInt64 = 0
  public var firstWordNanoseconds: UInt64 = 0
}
public final class DemoBackend {
  public static func start(_ s: DemoSettings) throws(ReactorError) -> DemoBackend { DemoBackend() }
  public func stop() {}
}
