// Opens connections, a few at a time: a thousand at once would overflow the backlog of whatever is measured, and measure
// the kernel's second attempts. Knows the target's addresses, and goes to the next where nobody listens at the first.
// Owned by the run.

import Reactor

/// Connects clients.
final class Dialer {
  /// What a failure to connect means.
  enum Verdict {
    /// One connection is missing; it is tried again.
    case counts
    /// Another address is tried: nothing is lost yet.
    case elsewhere
    /// There is nobody at any address.
    case nobody
  }

  private let target: Target
  private let tls: TLSClientContext?
  private var addresses: [SocketAddress] = []
  private var addressIndex = 0
  private var connecting = 0
  private var isPumping = false
  private var isStopped = false
  /// Clients that go on as soon as there is room, the last first.
  private var waiting: [Client] = []
  /// Clients that go on at the next sweep, and those that could not connect and go on at one of the next.
  private var retries: [Client] = []
  private var failedClients: [Client] = []
  private var sweeps = 0
  /// Connections that were opened so far.
  private(set) var openedCount = 0

  init(target: Target, authorities: String?) throws(ReactorError) {
    self.target = target
    tls = target.isTLS ? try TLSClientContext(caFile: authorities) : nil
  }

  /// Begins to connect `clients` to the first of `addresses`.
  func begin(_ addresses: [SocketAddress], _ clients: [Client]) {
    self.addresses = addresses
    waiting = clients.reversed()
    pump()
  }

  /// Connects nobody any more.
  func stop() {
    isStopped = true
    waiting = []
    retries = []
    failedClients = []
  }

  /// Connects `client` as soon as there is room.
  func connect(_ client: Client) {
    waiting.append(client)
    pump()
  }

  /// The same, but not at once: something went wrong.
  func retry(_ client: Client) {
    retries.append(client)
  }

  /// A client's connection is open.
  func opened() {
    connecting -= 1
    openedCount += 1
    pump()
  }

  /// A client's connection could not be opened.
  func failed(_ client: Client) -> Verdict {
    connecting -= 1
    failedClients.append(client)
    defer { pump() }
    guard openedCount == 0 else { return .counts }
    guard addressIndex + 1 < addresses.count else { return .nobody }
    if connecting == 0 {
      // A name may have addresses nobody listens on, as `localhost` does.
      addressIndex += 1
      waiting += failedClients
      failedClients = []
    }
    return .elsewhere
  }

  /// Called ten times a second.
  func sweep() {
    sweeps += 1
    if sweeps.isMultiple(of: Self.sweepsBetweenAttempts) {
      retries += failedClients
      failedClients = []
    }
    guard !retries.isEmpty else { return }
    waiting += retries
    retries = []
    pump()
  }

  private func pump() {
    // A connect that fails at once comes back here.
    guard !isPumping else { return }
    isPumping = true
    while connecting < Self.connectingMax, !isStopped, addressIndex < addresses.count, let client = waiting.popLast() {
      connecting += 1
      client.connect(to: addresses[addressIndex], tls: tls, serverName: target.host)
    }
    isPumping = false
  }

  /// Connections that are being opened at once: fewer than any listener's backlog.
  private static let connectingMax = 64
  private static let sweepsBetweenAttempts = 10
}
