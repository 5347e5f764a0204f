// The C side of MessageParser: llhttp's callbacks and the one settings block all parsers share. Static functions of a
// nonisolated enum, because a callback formed in isolated code pays a run-time check for every call.

import CLLHTTP

/// Thunks from llhttp to `ParserCore`.
enum ParserCallbacks {
  // SAFETY: written once by the initialiser, only read afterwards; llhttp keeps its address for the life of a parser.
  nonisolated(unsafe) static let settings: UnsafePointer<llhttp_settings_t> = {
    let settings = UnsafeMutablePointer<llhttp_settings_t>.allocate(capacity: 1)
    settings.initialize(to: llhttp_settings_t())
    llhttp_settings_init(settings)
    settings.pointee.on_method = method
    settings.pointee.on_url = target
    settings.pointee.on_version = version
    settings.pointee.on_version_complete = versionComplete
    settings.pointee.on_status = reason
    settings.pointee.on_header_field = name
    settings.pointee.on_header_value = value
    settings.pointee.on_header_value_complete = valueComplete
    settings.pointee.on_headers_complete = headComplete
    settings.pointee.on_chunk_header = chunkHead
    settings.pointee.on_body = chunkPayload
    settings.pointee.on_chunk_complete = chunkComplete
    settings.pointee.on_message_complete = messageComplete
    return UnsafePointer(settings)
  }()

  // SAFETY: llhttp calls back only from llhttp_execute, with the state MessageParser gave it. That state is the first
  // member of a ParserCore that lives at least as long as the call; `at` and `count` describe bytes of the buffer that
  // was passed to llhttp_execute.

  @inline(__always)
  private static func core(_ state: UnsafeMutablePointer<llhttp_t>?) -> UnsafeMutablePointer<ParserCore>? {
    UnsafeMutableRawPointer(state)?.assumingMemoryBound(to: ParserCore.self)
  }

  private static let refused = CInt(HPE_USER.rawValue)

  private static let method: llhttp_data_cb = { state, at, count in
    guard let core = core(state), let at else { return refused }
    return core.pointee.methodPiece(UnsafeRawBufferPointer(start: at, count: count), at: UnsafeRawPointer(at))
  }

  private static let target: llhttp_data_cb = { state, at, count in
    guard let core = core(state), let at else { return refused }
    return core.pointee.targetPiece(UnsafeRawBufferPointer(start: at, count: count), at: UnsafeRawPointer(at))
  }

  private static let version: llhttp_data_cb = { state, at, _ in
    guard let core = core(state), let at else { return refused }
    return core.pointee.versionPiece(at: UnsafeRawPointer(at))
  }

  private static let versionComplete: llhttp_cb = { state in
    core(state)?.pointee.versionComplete() ?? refused
  }

  private static let reason: llhttp_data_cb = { state, at, count in
    guard let core = core(state), let at else { return refused }
    return core.pointee.reasonPiece(UnsafeRawBufferPointer(start: at, count: count), at: UnsafeRawPointer(at))
  }

  private static let name: llhttp_data_cb = { state, at, count in
    guard let core = core(state), let at else { return refused }
    return core.pointee.namePiece(UnsafeRawBufferPointer(start: at, count: count), at: UnsafeRawPointer(at))
  }

  private static let value: llhttp_data_cb = { state, at, count in
    guard let core = core(state), let at else { return refused }
    return core.pointee.valuePiece(UnsafeRawBufferPointer(start: at, count: count), at: UnsafeRawPointer(at))
  }

  private static let valueComplete: llhttp_cb = { state in
    core(state)?.pointee.valueComplete() ?? refused
  }

  private static let headComplete: llhttp_cb = { state in
    core(state)?.pointee.headComplete() ?? refused
  }

  private static let chunkHead: llhttp_cb = { state in
    core(state)?.pointee.chunkHead() ?? refused
  }

  private static let chunkPayload: llhttp_data_cb = { state, at, count in
    guard let core = core(state), let at else { return refused }
    return core.pointee.chunkPayload(UnsafeRawBufferPointer(start: at, count: count), at: UnsafeRawPointer(at))
  }

  private static let chunkComplete: llhttp_cb = { state in
    core(state)?.pointee.chunkComplete() ?? refused
  }

  private static let messageComplete: llhttp_cb = { state in
    core(state)?.pointee.messageComplete() ?? refused
  }
}
