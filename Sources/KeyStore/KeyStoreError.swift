// What can be wrong with a store, in words an operator can act on: where, what was found, how to mend it. Never a secret.

import GRDB
import Glibc

/// Why the store could not do what it was asked for. Nothing was changed.
public struct KeyStoreError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Kind: Sendable, Hashable {
    /// There is no such file, or no directory for it.
    case missing
    /// What is there is no file that this process can read and write.
    case unusable
    /// Another process has it for itself, for longer than one waits.
    case locked
    /// No room on the disk, or none that this process may use.
    case full
    /// It is no database, or a damaged one.
    case damaged
    /// A database of some other program.
    case foreign
    /// Made by a version of this program that knows more.
    case newer
    /// The file at the path is another one than was opened.
    case replaced
    /// There is no such key.
    case noSuchKey
    /// Several keys are called so.
    case ambiguous
    /// The key is revoked or expired, and what was asked for makes no sense of it.
    case over
    /// Whoever asks for a change may not have it any more.
    case forbidden
    /// Whoever asked for a change has gone.
    case abandoned
    case failed
  }

  public let kind: Kind
  public let description: String

  init(_ kind: Kind, _ path: String = "", _ words: String) {
    self.kind = kind
    description = path.isEmpty ? words : "\(path): \(words)"
  }

  /// Whether the store must be opened anew before it is asked again.
  var isOfTheFile: Bool {
    switch kind {
    case .missing, .unusable, .damaged, .foreign, .newer, .replaced, .failed: true
    case .locked, .full, .noSuchKey, .ambiguous, .over, .forbidden, .abandoned: false
    }
  }

  /// What `error` means for the store at `path`.
  static func of(_ error: any Error, _ path: String) -> KeyStoreError {
    if let error = error as? KeyStoreError { return error }
    guard let error = error as? DatabaseError else { return KeyStoreError(.failed, path, "\(error)") }
    let found = "\(error.message ?? "unknown error") (SQLite error \(error.extendedResultCode.rawValue))"
    switch error.resultCode {
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return KeyStoreError(
        .locked, path,
        "locked by another process for more than \(KeyStore.busySeconds) seconds; end what holds it (fuser tells who does)"
      )
    case .SQLITE_NOTADB, .SQLITE_CORRUPT, .SQLITE_FORMAT:
      return KeyStoreError(
        .damaged, path,
        "no key store, or a damaged one: \(found); put a backup in its place, or move it away to begin with an empty one"
      )
    case .SQLITE_FULL:
      return KeyStoreError(.full, path, "no room on the disk: \(found); make some, nothing was changed")
    case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
      return KeyStoreError(
        .unusable, path, "cannot be written to: \(found); the file and its directory must be writable for this user")
    case .SQLITE_CANTOPEN:
      return KeyStoreError.at(path) ?? KeyStoreError(.unusable, path, "cannot be opened: \(found)")
    case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHORT_READ:
      return KeyStoreError(.damaged, path, "damaged: \(found); put a backup in its place")
    case .SQLITE_IOERR:
      return KeyStoreError(.failed, path, "cannot be read or written: \(found); look at the disk")
    default: return KeyStoreError(.failed, path, found)
    }
  }

  /// There is nothing in the file: who put it there did not mean that there are no keys.
  static func empty(_ path: String) -> KeyStoreError {
    KeyStoreError(
      .damaged, path, "found an empty file, no key store; put a backup in its place, or have sluice keys create fill it"
    )
  }

  /// What keeps the file at `path` from being a store; nil where a look at it does not tell.
  ///
  /// - Parameter creating: whether an empty file is to become one.
  static func at(_ path: String, creating: Bool = true) -> KeyStoreError? {
    var status = stat()
    guard stat(path, &status) == 0 else {
      let code = errno
      var link = stat()
      if lstat(path, &link) == 0, link.st_mode & S_IFMT == S_IFLNK {
        return KeyStoreError(
          code == ENOENT ? .missing : .unusable, path,
          "a symbolic link that leads to no file: \(reason(code)); remove it, or put a store where it leads")
      }
      guard code == ENOENT else { return KeyStoreError(.unusable, path, "cannot be opened: \(reason(code))") }
      let directory = KeyStore.directory(of: path)
      guard stat(directory, &status) == 0 else {
        return KeyStoreError(.missing, path, "cannot be made, \(directory) does not exist; make that directory")
      }
      return KeyStoreError(.missing, path, "no such file; sluice keys create makes it, or put a backup there")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let found = status.st_mode & S_IFMT == S_IFDIR ? "a directory" : "no plain file"
      return KeyStoreError(.unusable, path, "found \(found), expected a file; name one, such as \(path)/keys.db")
    }
    if status.st_size == 0, !creating { return empty(path) }
    guard access(path, R_OK | W_OK) == 0 else {
      return KeyStoreError(
        .unusable, path, "cannot be read and written: \(reason(errno)); change its owner or its mode")
    }
    return nil
  }

  static func reason(_ code: Int32) -> String {
    guard let text = strerror(code) else { return "error \(code)" }
    // SAFETY: strerror's string is valid until the thread's next call.
    return String(cString: text).lowercased()
  }
}
