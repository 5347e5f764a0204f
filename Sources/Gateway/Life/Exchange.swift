// A request and its answer: the state of one exchange, and what plugins see of it. It belongs to a client connection
// for as long as it lasts. How it lives is told in the extensions beside this file, in the order of its life:
// RequestSide (phases, body), Dispatch (endpoint, connection, sending), AnswerSide (head, relay), Failures, Ending.

import Bytes
import Flow
import Reactor
import Wire

/// One request and its answer.
public final class Exchange: PayloadSink {
  /// How far it has come.
  enum Stage {
    /// Phases run, or one waits.
    case deciding
    /// The body is coming in, to be held.
    case holding
    /// An endpoint is being connected to.
    case connecting
    /// The request is on its way, or sent; nothing of an answer has come.
    case asking
    /// The answer's head has gone to the client.
    case relaying
    /// The answer is over; its last bytes wait for the client.
    case delivering
    case over
  }

  /// How the answer's body reaches the client.
  enum Passage {
    /// As it comes, chunk framing included.
    case asIs
    /// Put into chunks: an answer that ends with its connection, or whose edits change its length.
    case chunked
    /// Bare: chunks taken off for an HTTP/1.0 client, or edited and of a length that is known.
    case unchunked
    /// No body.
    case none
  }

  let client: ClientConnection
  public let core: Core
  /// The configuration it began with.
  public let snapshot: Snapshot
  /// What serves it: dialect and plugins. Known with the path; before, it is that of paths below no prefix.
  // SAFETY of unowned(unsafe): surfaces live as long as the snapshot that has them, which is held above.
  public internal(set) unowned(unsafe) var surface: Surface
  var stage = Stage.deciding
  /// What is due next on the upstream's side, as `loop.now`; 0 is nothing.
  var deadline: UInt64 = 0
  var waitingFor = Failure.Wait.connect

  // The request.
  var parser: MessageParser?
  /// Its own until the request is out, then the core's empty one.
  var outgoing: Outgoing
  private var isHeadPlaced: Bool
  var holdsBody = false
  var streamsBody = false
  var isRequestWhole = false
  var isHead = false
  var isVersion10 = false
  var clientKeepsAlive = false
  var expectsContinue = false
  var isBodyTooLarge = false
  var isForm = false
  /// Where the path goes on behind the API's prefix.
  var routeSuffix = 0

  // The upstream.
  /// Where it goes, once a plugin has said so.
  public internal(set) var destination: Destination?
  var endpoint: EndpointState?
  var attempts = Attempts()
  var dialing: UInt32 = 0
  /// What each address may take of the time to connect; 0 is no bound.
  var dialMilliseconds: UInt32 = 0
  var upstream: UpstreamConnection?
  var isReused = false

  // The answer.
  var responseParser: MessageParser?
  var responseStore = HeadStore()
  var passage = Passage.none
  var answerKeepsAlive = false
  /// Whether the upstream answers with an event stream.
  public internal(set) var isEventStream = false
  /// Whether an event of the gateway's own can be put into the answer: it is a stream of them, and not compressed.
  var takesEvents = false
  /// Whether a plugin must know the tokens of this exchange. Said in a deciding phase; a stream whose client does not ask for
  /// them is then asked for them on its behalf, and that client is not shown the answer.
  public var needsUsage = false
  /// Whether the backend was asked for the tokens of its stream by the gateway, not by the client.
  public internal(set) var asksForUsage = false
  var totalDeadline: UInt64 = 0
  /// Which plugins of the phase listen to the answer, one bit each: the first eight that do.
  var listeners: UInt8 = 0
  var isHeard: Bool { listeners != 0 }
  /// What changes the answer's JSON; nil leaves it alone.
  var editor: AnswerEditor?
  /// What a large body goes through; nil while it is relayed.
  var pipe: Pipe?

  /// What the access log will say.
  public internal(set) var record: AccessRecord
  private var notes: [(plugin: ObjectIdentifier, note: Any)] = []

  init(client: ClientConnection, parser: MessageParser, head: HeadStore, isPlaced: Bool) {
    self.client = client
    core = client.core
    snapshot = client.core.snapshot
    surface = snapshot.surfaces.surface(snapshot.surfaces.outside, dialect: client.door.dialect)
    self.parser = parser
    outgoing = core.takeOutgoing()
    outgoing.headStore = head
    isHeadPlaced = isPlaced
    record = AccessRecord(startedAt: client.core.loop.now)
    core.counters.exchanges &+= 1
  }

  // MARK: What plugins see

  /// The request's head. Empty once it has been sent to an upstream, and where none could be read.
  public var head: Head? { isHeadPlaced ? parser?.head : nil }
  /// Method of the request.
  public var method: Method { record.method }
  /// Path of the request as it came, without the query.
  public var path: [UInt8] { record.path }
  /// Path behind the API's prefix, with its slash (`/chat/completions`); nil outside of the API.
  public internal(set) var route: Route = .outside
  /// Address of the client, behind trusted proxies; nil where none is known (a unix socket).
  public internal(set) var clientAddress: IPAddress?
  /// Request id, as the client gave it or as made here.
  public var requestID: String { record.requestID.description }
  /// What the body's scan found. Empty before the `body` phase.
  public internal(set) var members = BodyMembers()
  /// Who asks, once an auth plugin has said so.
  public var principal: (any Principal)? {
    get { record.principal }
    set { record.principal = newValue }
  }
  /// How much is left under the limits that it was counted by, until its answer has begun.
  public var rates: Rates { outgoing.rates }
  /// A limit on requests has counted it.
  public func note(requests verdict: RateVerdict) {
    if outgoing !== core.spent { outgoing.rates.note(requests: verdict) }
  }
  /// A limit on tokens has counted it.
  public func note(tokens verdict: RateVerdict) {
    if outgoing !== core.spent { outgoing.rates.note(tokens: verdict) }
  }
  /// Whether the exchange has ended, as it may while a plugin waits.
  public var isOver: Bool { stage == .over }

  /// Whether the upstream's answer has rate limit fields of its own.
  public internal(set) var answerHasRateFields = false
  /// Whether a plugin answers for the Fetch standard's `Access-Control-*` fields, so that an upstream's are dropped.
  public var ownsCORS = false
  /// Whether the request's cookies hold what is meant for the gateway: none goes to an upstream then.
  public var ownsCookies = false
  /// Whether the body was read as JSON.
  public var isJSONBody: Bool { !isForm }

  /// Whether the client speaks TLS, to this gateway or to a proxy in front of it that is believed.
  public var isSecure: Bool {
    if client.door.isTLS { return true }
    guard trustsPeer, let forwarded = field(.xForwardedProto) else { return false }
    return equalsIgnoringCase(forwarded, "https")
  }

  /// A copy of the request's body, for plugins of the `body` phase; empty where there is none. Nil when it is longer than
  /// `limit` bytes, or is not held (see ``Snapshot/holdBytesMax``).
  public func heldBody(upTo limit: Int) -> [UInt8]? {
    guard !streamsBody else { return nil }
    return outgoing.body.copied(upTo: limit)
  }

  /// Whether something went wrong with it, be it in mid-answer. Costs no copy of the record.
  public var hasFailed: Bool { record.hasFailed }

  /// Notes the model for the access log.
  public func recordModel(_ name: String?) { record.model = name }

  /// Notes what the answer says of its tokens.
  public func recordUsage(_ usage: TokenUsage) { record.note(usage) }

  /// Sends the exchange to `destination`.
  public func direct(to destination: Destination) { self.destination = destination }
  /// Nanoseconds since its request's head was whole, on the loop's clock.
  public var age: UInt64 { core.loop.now &- record.startedAt }

  /// The value of a field of the request, while its head is there.
  public func field(_ name: KnownHeader) -> UnsafeRawBufferPointer? {
    guard let head, let span = head.first(name) else { return nil }
    return head.bytes(span)
  }

  /// How many fields of the request have this name, while its head is there.
  public func count(of name: KnownHeader) -> Int { head?.count(of: name) ?? 0 }

  /// The value of the first field of the request that is called `name`, in any case, while its head is there.
  public func field(named name: String) -> String? {
    guard let head else { return nil }
    let wanted = Array(name.utf8)
    for index in 0..<head.fieldCount where equalsIgnoringCase(head.bytes(head.field(index).name), wanted) {
      return String(decoding: head.bytes(head.field(index).value), as: UTF8.self)
    }
    return nil
  }

  /// The note that the plugin type `Owner` keeps on this exchange.
  public func note<Owner: Plugin, Note>(_ owner: Owner.Type, as type: Note.Type) -> Note? {
    for entry in notes where entry.plugin == ObjectIdentifier(owner) { return entry.note as? Note }
    return nil
  }

  /// Keeps `note` on this exchange for the plugin type `Owner`.
  public func keep<Owner: Plugin, Note>(_ note: Note, for owner: Owner.Type) {
    notes.removeAll { $0.plugin == ObjectIdentifier(owner) }
    notes.append((ObjectIdentifier(owner), note))
  }

  /// Whether the plugin type `Owner` keeps a note on this exchange. Costs no look at what the notes are.
  public func hasNote<Owner: Plugin>(of owner: Owner.Type) -> Bool {
    !notes.isEmpty && notes.indices.contains { notes[$0].plugin == ObjectIdentifier(owner) }
  }

  /// Forgets the note of the plugin type `Owner`.
  public func dropNote<Owner: Plugin>(of owner: Owner.Type) {
    notes.removeAll { $0.plugin == ObjectIdentifier(owner) }
  }

  // MARK: Keeping what was borrowed

  /// Copies head and body out of the loop's room, where they are needed for longer than the bytes lie there: `consume`
  /// asks for it behind the last of them, and whoever gives the room away asks before.
  func keepBorrowed() {
    if isHeadPlaced, let parser, outgoing.headStore.isEmpty {
      let head = parser.head
      outgoing.headStore.append(
        head.bytes(Span(count: UInt32(clamping: head.byteCount))), limit: snapshot.client.limits.headBytesMax)
      head.base = outgoing.headStore.base(of: head)
    }
    outgoing.body.keep(core.loop)
  }

  /// The head has been sent and will not be asked for again.
  func releaseHead() {
    guard isRequestWhole, let parser else { return }
    self.parser = nil
    isHeadPlaced = false
    outgoing.headStore.removeAll()
    core.giveRequestParser(parser)
  }

  /// Relayed bytes were copied in user space.
  func copied(_ count: Int) {
    record.bytesCopied &+= UInt64(count)
    core.counters.bytesCopied &+= UInt64(count)
  }

  /// A run of a body without its chunk framing: of the answer's once that is relayed, else of the request's.
  public func payload(_ bytes: UnsafeRawBufferPointer) {
    if stage == .relaying { hear(bytes) } else { holdPayload(bytes) }
  }

  /// Lends a run of the answer's body to those that listen.
  func hear(_ bytes: UnsafeRawBufferPointer) {
    let links = surface.chain.pieces
    for index in links.indices.prefix(8) where listeners & (1 << UInt8(truncatingIfNeeded: index)) != 0 {
      links[index].piece(self, bytes)
    }
  }
}

@available(*, unavailable)
extension Exchange: Sendable {}
