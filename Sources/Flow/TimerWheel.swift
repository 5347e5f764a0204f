// All deadlines of one core in one wheel: adding, moving and cancelling cost the same however many there are, and a
// deadline that is pushed forward with every byte costs one store. Owned by a core; it never reads a clock.

/// A lazy timer wheel over payloads of the owner's choice.
///
/// An entry never expires early, and late by at most one tick plus the time between two calls of `advance`. Deadlines
/// beyond the wheel's horizon (`slotCount` ticks) are carried on as the wheel turns. Memory grows to the largest number
/// of entries that waited at one time and is then reused.
///
/// A class, so that what `advance` calls may itself add, move and cancel.
public final class TimerWheel<Payload> {
  /// Names one deadline. A stale one (expired, cancelled) matches nothing.
  public struct Entry: Hashable, Sendable {
    let index: UInt32
    let generation: UInt32
  }

  /// Length of one tick in nanoseconds.
  public let tickNanoseconds: UInt64
  private let origin: UInt64
  private var links: WheelLinks
  private var payloads: [Payload?] = []

  /// A wheel of `slotCount` ticks, whose first tick begins `now`. Both sizes are cut to at least 1.
  public init(tickNanoseconds: UInt64 = 50_000_000, slotCount: Int = 512, now: UInt64) {
    self.tickNanoseconds = max(tickNanoseconds, 1)
    origin = now
    links = WheelLinks(slotCount: min(max(slotCount, 1), 1 << 20))
  }

  /// Entries that wait.
  public var count: Int { links.count }
  /// Whether nothing waits.
  public var isEmpty: Bool { links.count == 0 }

  /// Lets `payload` expire at `deadline` (nanoseconds, same clock as `now`); one in the past expires with the next tick.
  public func add(_ payload: Payload, at deadline: UInt64) -> Entry {
    let index = links.insert(at: tick(notBefore: deadline))
    if Int(index) == payloads.count {
      payloads.append(payload)
    } else {
      payloads[Int(index)] = payload
    }
    return Entry(index: index, generation: links.nodes[Int(index)].generation)
  }

  /// Gives an entry another deadline. False, and without effect, when it has expired or was cancelled.
  @discardableResult
  public func move(_ entry: Entry, to deadline: UInt64) -> Bool {
    guard links.isAlive(entry.index, entry.generation) else { return false }
    links.move(entry.index, to: tick(notBefore: deadline))
    return true
  }

  /// Forgets an entry and releases its payload. False when it has expired or was cancelled already.
  @discardableResult
  public func cancel(_ entry: Entry) -> Bool {
    guard links.isAlive(entry.index, entry.generation) else { return false }
    _ = free(entry.index)
    return true
  }

  /// Whether `entry` still waits.
  public func isWaiting(_ entry: Entry) -> Bool { links.isAlive(entry.index, entry.generation) }

  /// Turns the wheel to `now` and calls `expired` for each deadline that passed.
  ///
  /// `expired` may add, move and cancel. What is cancelled or moved while it was due, but not yet called, is not called.
  /// Within one call, order is by tick unless the wheel slept for longer than its horizon.
  public func advance(to now: UInt64, _ expired: (Payload) -> Void) {
    if now > origin { links.advance(to: (now - origin) / tickNanoseconds) }
    while links.firstDue != WheelLinks.nowhere {
      guard let payload = free(links.firstDue) else { continue }
      expired(payload)
    }
  }

  /// When `advance` should be called next, at or after `now`; nil when nothing waits.
  ///
  /// It may turn out that all that hung there was moved: such a wake-up is the price of moving in one store.
  public func nextWake(after now: UInt64) -> UInt64? {
    if links.firstDue != WheelLinks.nowhere { return now }
    guard let tick = links.nextOccupiedTick() else { return nil }
    let (distance, tooFar) = tick.multipliedReportingOverflow(by: tickNanoseconds)
    let (time, overflow) = origin.addingReportingOverflow(distance)
    return tooFar || overflow ? .max : max(time, now)
  }

  /// The first tick that begins at or after `deadline`.
  private func tick(notBefore deadline: UInt64) -> UInt64 {
    guard deadline > origin else { return 0 }
    let (whole, rest) = (deadline - origin).quotientAndRemainder(dividingBy: tickNanoseconds)
    return rest == 0 || whole == .max ? whole : whole + 1
  }

  private func free(_ index: UInt32) -> Payload? {
    links.remove(index)
    defer { payloads[Int(index)] = nil }
    return payloads[Int(index)]
  }
}

@available(*, unavailable)
extension TimerWheel: Sendable {}
