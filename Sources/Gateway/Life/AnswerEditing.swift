// Answers that are changed on their way. Each piece is edited as it comes and leaves in the same turn; held back is nothing but
// the part of an event that may yet be the usage that the gateway asked for and the client did not. The edited bytes stand in
// room of the core's, so these answers are copied once; all others are not.
//
// A plain answer keeps a Content-Length: that of the backend, and the most that the edits can add to it.

import Bytes
import Flow
import Reactor
import Wire

/// The edits of one answer, and how far they have come. Held by its exchange until that ends, and holds it.
final class AnswerEditor: PayloadSink {
  private let exchange: Exchange
  private var object: MemberEditor?
  private var events: EventEditor?
  /// Leaves out the usage that the client did not ask for.
  private var usage: UsageChunkFilter?
  /// Bytes by which a plain answer of known length grows, whatever it holds; nil for any other.
  let growth: Int?

  /// The edits of a plain answer.
  init(object edits: [MemberEdit], hasLength: Bool, of exchange: Exchange) {
    self.exchange = exchange
    growth = hasLength ? edits.reduce(0) { $0 &+ $1.growthMax } : nil
    object = MemberEditor(edits, growth: growth)
  }

  /// Those of a stream's events.
  init(events edits: [MemberEdit], hidesUsage: Bool, of exchange: Exchange) {
    self.exchange = exchange
    growth = nil
    if !edits.isEmpty { events = EventEditor(edits) }
    if hidesUsage { usage = UsageChunkFilter() }
  }

  func payload(_ bytes: UnsafeRawBufferPointer) {
    if exchange.isHeard { exchange.hear(bytes) }
    if object != nil {
      object?.edit(bytes, into: &exchange.core.edited)
    } else if usage != nil {
      usage?.filter(bytes) { edit($0) }
    } else {
      edit(bytes)
    }
  }

  /// The answer is whole.
  func finish() {
    object?.finish(into: &exchange.core.edited)
    usage?.finish { edit($0) }
  }

  /// Bytes of a stream, as far as the client is to see them.
  private func edit(_ bytes: UnsafeRawBufferPointer) {
    if events != nil {
      events?.edit(bytes, into: &exchange.core.edited)
    } else {
      exchange.core.edited.append(contentsOf: bytes)
    }
  }
}

extension Exchange {
  /// Asks the plugins for edits of the answer whose head has come and who listens to it, and chooses the framing that edits
  /// need.
  func beginEditing(_ parser: MessageParser) {
    let (editing, hearing) = (surface.chain.edits, surface.chain.pieces)
    guard !editing.isEmpty || !hearing.isEmpty || asksForUsage, passage != .none else { return }
    let head = parser.head
    guard (200..<300).contains(head.status), !head.has(.contentEncoding), isEventStream || isJSON(head) else { return }
    for index in hearing.indices.prefix(8) where hearing[index].listens(self) {
      listeners |= 1 << UInt8(truncatingIfNeeded: index)
    }
    var edits: [MemberEdit] = []
    for link in editing {
      guard let found = link.edits(self) else { continue }
      edits += isEventStream ? found.events : found.answer
    }
    let hidesUsage = asksForUsage && isEventStream
    guard !edits.isEmpty || hidesUsage else { return }
    let hasLength = if case .length = parser.framing { true } else { false }
    let editor =
      isEventStream
      ? AnswerEditor(events: edits, hidesUsage: hidesUsage, of: self)
      : AnswerEditor(object: edits, hasLength: hasLength, of: self)
    self.editor = editor
    passage = isVersion10 || editor.growth != nil ? .unchunked : .chunked
  }

  private func isJSON(_ head: Head) -> Bool {
    head.first(.contentType).map { hasPrefixIgnoringCase(head.bytes($0), "application/json") } ?? false
  }

  /// The length of an answer of known length with what its edits add; nil where it is not edited, or not known.
  func editedLength(_ parser: MessageParser) -> UInt64? {
    guard let growth = editor?.growth, case .length(let length) = parser.framing else { return nil }
    return length &+ UInt64(clamping: growth)
  }

  /// Relays bytes of an answer that is edited, behind what the batch holds already.
  func relay(_ bytes: UnsafeMutableRawBufferPointer, through editor: AnswerEditor, _ parser: MessageParser) {
    var isLast = parser.isComplete
    var hasExtra = isLast && bytes.count > 0
    var broken = false
    core.edited.removeAll(keepingCapacity: true)
    if !isLast, bytes.count > 0 {
      switch parser.parseBody(UnsafeRawBufferPointer(bytes), to: editor) {
      case .more: break
      case .complete(let consumed):
        isLast = true
        hasExtra = consumed < bytes.count
      case .failed: broken = true
      }
    }
    if isLast { editor.finish() }
    guard sendEdited(isLast: isLast) else { return }
    if broken { return fail(Failure(.upstream, .cut, detail: "broken chunk framing")) }
    if isLast { answerIsWhole(hasExtra: hasExtra) }
  }

  /// The upstream ended an answer with its connection: what the edits still hold goes out, and the end of the framing.
  /// False when the client is gone.
  func finishEditing(_ editor: AnswerEditor) -> Bool {
    core.loop.batch.reset()
    core.edited.removeAll(keepingCapacity: true)
    editor.finish()
    return sendEdited(isLast: true)
  }

  /// Sends what the batch holds and, framed, what was edited. False when the client is gone.
  private func sendEdited(isLast: Bool) -> Bool {
    // Out of the core for as long as its address is in the batch.
    let edited = core.edited
    core.edited = []
    let batch = core.loop.batch
    let action: Relay.Action? = edited.withUnsafeBytes { bytes in
      if passage == .chunked {
        if bytes.count > 0 {
          batch.add(core.chunkHead(bytes.count))
          batch.add(bytes)
          batch.add(ChunkedWriter.end)
        }
        if isLast { batch.add(ChunkedWriter.last) }
      } else {
        batch.add(bytes)
      }
      guard batch.byteCount > 0 else { return Relay.Action.none }
      record.bytesOut &+= UInt64(batch.byteCount)
      return client.send()
    }
    copied(edited.count)
    if edited.capacity <= Self.editedBytesKept { core.edited = edited }
    guard let action else { return false }
    act(on: action)
    return true
  }

  private static let editedBytesKept = 256 << 10
}
