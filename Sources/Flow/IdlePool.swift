// Keep-alive connections that wait for their next request. Owned by one endpoint on one core; it opens and closes
// nothing: whatever it pushes out is handed to the caller, who closes it.

/// Idle connections of one endpoint on one core: newest first, at most `idleMax` of them, none older than
/// `idleNanosecondsMax`.
///
/// Newest first keeps a few connections busy and lets the rest grow old and go, so that the pool follows the load.
public struct IdlePool<Element: AnyObject> {
  /// Connections kept at most. 0 keeps none.
  public let idleMax: Int
  /// How long a connection may wait, in nanoseconds. Below the backend's own limit, or requests race its FIN.
  public let idleNanosecondsMax: UInt64

  private struct Resting {
    let element: Element
    let since: UInt64
  }
  /// Oldest first.
  private var resting: [Resting] = []

  public init(idleMax: Int, idleNanosecondsMax: UInt64) {
    self.idleMax = max(idleMax, 0)
    self.idleNanosecondsMax = idleNanosecondsMax
  }

  /// Connections that wait.
  public var count: Int { resting.count }
  public var isEmpty: Bool { resting.isEmpty }

  /// When the oldest one has waited long enough; nil when none waits.
  public var nextExpiry: UInt64? {
    guard let oldest = resting.first else { return nil }
    let (time, overflow) = oldest.since.addingReportingOverflow(idleNanosecondsMax)
    return overflow ? .max : time
  }

  /// Keeps `element`. Returns the one that has to be closed for it: the oldest when the pool is full, `element` itself
  /// when the pool keeps none.
  public mutating func put(_ element: Element, now: UInt64) -> Element? {
    guard idleMax > 0 else { return element }
    let pushedOut = resting.count >= idleMax ? resting.removeFirst().element : nil
    resting.append(Resting(element: element, since: now))
    return pushedOut
  }

  /// The newest connection that is not too old. One that is too old stays until `expire` hands it out for closing.
  public mutating func take(now: UInt64) -> Element? {
    guard let newest = resting.last, !isTooOld(newest, now) else { return nil }
    resting.removeLast()
    return newest.element
  }

  /// Takes `element` out, because its socket became readable: the backend closed it, or speaks out of turn.
  public mutating func remove(_ element: Element) -> Bool {
    guard let place = resting.lastIndex(where: { $0.element === element }) else { return false }
    resting.remove(at: place)
    return true
  }

  /// Takes out every connection that has waited too long, oldest first, for closing.
  public mutating func expire(now: UInt64) -> [Element] {
    // Usually nothing is too old, and then nothing is allocated.
    guard let oldest = resting.first, isTooOld(oldest, now) else { return [] }
    let end = resting.firstIndex { !isTooOld($0, now) } ?? resting.count
    let old = resting[..<end].map(\.element)
    resting.removeFirst(end)
    return old
  }

  /// Takes out everything, for closing: drain, or an endpoint that left the configuration.
  public mutating func removeAll() -> [Element] {
    defer { resting = [] }
    return resting.map(\.element)
  }

  /// At the limit counts as too old, and a clock reading from before `since` as no time at all.
  private func isTooOld(_ entry: Resting, _ now: UInt64) -> Bool {
    now >= entry.since && now - entry.since >= idleNanosecondsMax
  }
}
