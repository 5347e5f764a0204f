// Sessions to come back with, by server. Shared by all cores: a connection takes the lock twice in its life, at its
// handshake, never on the byte path.

import COpenSSL
import Synchronization

/// The newest session of each server, for a bounded number of servers.
final class TLSSessionCache: Sendable {
  private struct Sessions: @unchecked Sendable {
    // SAFETY: SSL_SESSION is counted atomically and not changed once it is here.
    var byServer: [String: OpaquePointer] = [:]
  }

  private let sessions = Mutex(Sessions())

  /// Keeps `session`, taking over its reference. The one before it is released.
  func keep(_ session: OpaquePointer, for server: String) {
    let kept = Kept(session: session)
    let old: Kept? = sessions.withLock { sessions in
      if sessions.byServer[server] == nil, sessions.byServer.count >= Self.serversMax {
        // Which one goes does not matter: a full handshake is all it costs.
        if let victim = sessions.byServer.first {
          sessions.byServer[server] = kept.session
          sessions.byServer[victim.key] = nil
          return Kept(session: victim.value)
        }
      }
      return sessions.byServer.updateValue(kept.session, forKey: server).map { Kept(session: $0) }
    }
    if let old { SSL_SESSION_free(old.session) }
  }

  /// Gives the session of `server` to a connection that begins.
  func apply(to ssl: OpaquePointer, for server: String) {
    let connection = Kept(session: ssl)
    sessions.withLock { sessions in
      // Under the lock, so that nobody releases it before the connection holds a reference of its own.
      if let session = sessions.byServer[server] { SSL_set_session(connection.session, session) }
    }
  }

  deinit {
    sessions.withLock { sessions in
      for session in sessions.byServer.values { SSL_SESSION_free(session) }
    }
  }

  private struct Kept: @unchecked Sendable {
    // SAFETY: carries a pointer across the lock on one thread.
    let session: OpaquePointer
  }

  private static let serversMax = 1024
}
