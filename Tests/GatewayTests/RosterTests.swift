import Testing

@testable import Gateway

@Suite("Rosters")
struct RosterTests {
  final class Member: Enrolled {
    var place = -1
  }

  @Test("every member knows its place, whoever leaves")
  func places() {
    for leaving in 0..<5 {
      var roster = Roster<Member>()
      let members = (0..<5).map { _ in Member() }
      for member in members { roster.add(member) }
      roster.remove(members[leaving])
      #expect(roster.count == 4)
      #expect(members[leaving].place == -1)
      for (place, member) in roster.members.enumerated() { #expect(member.place == place) }
      #expect(!roster.members.contains { $0 === members[leaving] })
    }
  }

  @Test("removing what is not there changes nothing")
  func strangers() {
    var roster = Roster<Member>()
    let (one, two) = (Member(), Member())
    roster.remove(one)
    roster.add(one)
    roster.remove(two)
    two.place = 0
    roster.remove(two)
    two.place = 7
    roster.remove(two)
    #expect(roster.count == 1 && roster.members[0] === one)
    roster.remove(one)
    roster.remove(one)
    #expect(roster.count == 0)
  }

  @Test("members that come and go in any order are the ones that a set would hold")
  func sequence() {
    var roster = Roster<Member>()
    var expected: Set<ObjectIdentifier> = []
    let members = (0..<20).map { _ in Member() }
    var state: UInt64 = 7
    for _ in 0..<2000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1
      let member = members[Int(state >> 40) % members.count]
      if expected.remove(ObjectIdentifier(member)) != nil {
        roster.remove(member)
      } else {
        expected.insert(ObjectIdentifier(member))
        roster.add(member)
      }
      #expect(Set(roster.members.map { ObjectIdentifier($0) }) == expected)
    }
  }
}
