// The members of something, each knowing its own place: adding, removing and walking cost nothing but themselves.

/// Something that a roster can keep.
protocol Enrolled: AnyObject {
  /// Place in the roster; -1 outside.
  var place: Int { get set }
}

/// A set of objects without hashing. Order is not kept.
struct Roster<Member: Enrolled> {
  private(set) var members: [Member] = []

  var count: Int { members.count }

  mutating func add(_ member: Member) {
    member.place = members.count
    members.append(member)
  }

  /// Removes `member`; nothing happens when it is not here.
  mutating func remove(_ member: Member) {
    let place = member.place
    guard place >= 0, place < members.count, members[place] === member else { return }
    let last = members.removeLast()
    if last !== member {
      members[place] = last
      last.place = place
    }
    member.place = -1
  }
}
