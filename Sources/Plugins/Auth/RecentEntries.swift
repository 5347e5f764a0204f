// A table of what was asked for of late, of bounded size.

/// Two halves: what is asked for moves to the young one. When that is full it becomes the old one, and what was not asked for
/// meanwhile is forgotten.
public struct RecentEntries<Entry> {
  private var young: [UInt64: Entry] = [:]
  private var old: [UInt64: Entry] = [:]
  private let halfMax: Int

  /// - Parameter max: entries at one time; at least 2.
  public init(max: Int) { halfMax = Swift.max(1, max / 2) }

  /// How many there are, those counted twice that are in both halves.
  public var count: Int { young.count + old.count }

  /// The entry of `tag`, if it is one that `isGood`; another one is forgotten.
  public mutating func find(_ tag: UInt64, where isGood: (Entry) -> Bool) -> Entry? {
    if let entry = young[tag], isGood(entry) { return entry }
    guard let entry = old[tag], isGood(entry) else {
      young[tag] = nil
      old[tag] = nil
      return nil
    }
    put(entry, tag)
    return entry
  }

  public mutating func put(_ entry: Entry, _ tag: UInt64) {
    if young.count >= halfMax, young[tag] == nil { (old, young) = (young, [:]) }
    young[tag] = entry
  }

  public mutating func removeAll() {
    young.removeAll(keepingCapacity: true)
    old.removeAll()
  }
}
