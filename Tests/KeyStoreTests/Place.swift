// A directory of its own for each test, and ways to spoil what is in it.

import Foundation
import GRDB
import Glibc
import Testing

@testable import KeyStore

/// A directory that goes away with the last reference to it.
final class Place: Sendable {
  let directory: String
  /// Where the store is, once one was opened.
  var path: String { directory + "/keys.db" }

  init() throws {
    directory = NSTemporaryDirectory() + "/sluice-keys-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  func open(creating: Bool = true) throws -> KeyStore { try KeyStore.open(path, creating: creating) }

  /// Another connection, as another program would have it: nothing of the store's own settings.
  func other() throws -> DatabaseQueue {
    var configuration = Configuration()
    // Locks are held for as long as a test wants.
    configuration.allowsUnsafeTransactions = true
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  func write(_ text: String, to name: String = "keys.db") throws {
    try Data(text.utf8).write(to: URL(filePath: directory + "/" + name))
  }

  /// The error that opening gives.
  func problem(creating: Bool = true) -> KeyStoreError? {
    do {
      _ = try KeyStore.open(path, creating: creating)
      return nil
    } catch {
      return error
    }
  }

  func mode(_ suffix: String = "") -> mode_t? {
    var status = stat()
    return stat(path + suffix, &status) == 0 ? status.st_mode & 0o777 : nil
  }
}

/// What `work` throws.
func problem(_ work: () throws -> Void) -> KeyStoreError? {
  do {
    try work()
    return nil
  } catch {
    return error as? KeyStoreError
  }
}
