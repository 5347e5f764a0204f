// The listening sockets: one per listener and core, shared by SO_REUSEPORT, opened before anything is promised. A reload
// opens what is new, keeps what stays and closes what is gone.

import Gateway
import Glibc
import Reactor

/// One listener's sockets, one for each core.
struct OpenListener {
  let listener: Configuration.Listener
  /// Addresses in the end, as where a port was left to the kernel.
  var addresses: [SocketAddress] = []
  let door: Door
  /// Descriptors by core. They belong to the cores once these were told.
  var descriptors: [[Int32]]

  var isTLS: Bool { listener.tls != nil }

  func close() { for core in descriptors { for descriptor in core { _ = Glibc.close(descriptor) } } }
}

enum Doors {
  /// Opens a listener for `cores` cores, or throws a message for the operator.
  ///
  /// - Parameter isFirst: whether another process at the same address is a mistake. With SO_REUSEPORT the kernel would
  ///   share the port between two gateways of the same user without a word.
  static func open(
    _ listener: Configuration.Listener, cores: Int, isFirst: Bool
  ) throws(OperatorError) -> OpenListener {
    var context: TLSServerContext?
    if let tls = listener.tls {
      do throws(ReactorError) {
        context = try TLSServerContext(certificateFile: tls.certificateFile, keyFile: tls.keyFile)
      } catch {
        throw OperatorError("listeners: \(listener.address): tls: \(error)")
      }
    }
    var isUnix = false
    if case .unix = listener.address { isUnix = true }
    var open = OpenListener(
      listener: listener,
      door: Door(name: "\(listener.address)", isUnix: isUnix, tls: context, dialect: listener.dialect),
      descriptors: Array(repeating: [], count: cores))
    do throws(OperatorError) {
      for address in try addresses(listener.address) { try add(address, to: &open, isFirst: isFirst) }
    } catch {
      open.close()
      throw error
    }
    return open
  }

  private static func addresses(_ address: Configuration.ListenAddress) throws(OperatorError) -> [SocketAddress] {
    switch address {
    case .ip(let host, let port):
      guard let one = SocketAddress(literal: host, port: port) else {
        throw OperatorError("listeners: \(address): not an address")
      }
      return [one]
    case .everywhere(let port):
      return [SocketAddress(literal: "0.0.0.0", port: port), SocketAddress(literal: "::", port: port)].compactMap { $0 }
    case .unix(let path):
      guard let one = SocketAddress(unixPath: path) else {
        throw OperatorError("listeners: \(address): the path is too long for a socket")
      }
      return [one]
    }
  }

  private static func add(
    _ wanted: SocketAddress, to open: inout OpenListener, isFirst: Bool
  ) throws(OperatorError) {
    let isUnix = wanted.family == .unix
    if isFirst, !isUnix, wanted.port != 0 {
      // Alone at the address? A socket that shares it would not be told.
      try told(wanted) { () throws(ReactorError) in try ListenSocket.probe(wanted) }
    }
    var address = wanted
    let first = try socket(wanted, open.listener, shared: !isUnix)
    open.descriptors[0].append(first)
    if !isUnix, let bound = SocketAddress.local(of: first) { address = bound }
    open.addresses.append(address)
    for core in 1..<max(1, open.descriptors.count) {
      // A unix socket has one queue, which all cores accept from.
      let descriptor = isUnix ? dup(first) : try socket(address, open.listener, shared: true)
      guard descriptor >= 0 else { throw OperatorError("listeners: \(address): out of descriptors") }
      open.descriptors[core].append(descriptor)
    }
  }

  private static func socket(
    _ address: SocketAddress, _ listener: Configuration.Listener, shared: Bool
  ) throws(OperatorError) -> Int32 {
    try told(address) { () throws(ReactorError) in
      try ListenSocket.open(address, backlog: listener.backlog, reusePort: shared)
    }
  }

  /// What is the matter with `address`, in words for the operator.
  private static func told<Result>(
    _ address: SocketAddress, _ work: () throws(ReactorError) -> Result
  ) throws(OperatorError) -> Result {
    do throws(ReactorError) {
      return try work()
    } catch {
      throw OperatorError(
        "listeners: cannot listen on \(address): \(error)"
          + (error.code == EADDRINUSE ? "; another process is there, stop it or choose another address" : ""))
    }
  }
}
