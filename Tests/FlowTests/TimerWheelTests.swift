import Flow
import Testing

@Suite("TimerWheel")
struct TimerWheelTests {
  static let tick: UInt64 = 10
  static let slots = 8
  static let origin: UInt64 = 1000

  func wheel() -> TimerWheel<Int> { TimerWheel(tickNanoseconds: Self.tick, slotCount: Self.slots, now: Self.origin) }

  func expired(_ wheel: TimerWheel<Int>, at now: UInt64) -> [Int] {
    var payloads: [Int] = []
    wheel.advance(to: now) { payloads.append($0) }
    return payloads
  }

  @Test(
    "never early, late by less than a tick",
    arguments: [
      // deadline, the last time it still waits, the first time it is gone
      (1000, 1009, 1010), (1001, 1009, 1010), (1010, 1009, 1010), (1011, 1019, 1020), (1079, 1079, 1080),
      (1080, 1079, 1080), (1081, 1089, 1090), (1085, 1089, 1090), (5003, 5009, 5010), (0, 1009, 1010),
    ] as [(UInt64, UInt64, UInt64)])
  func punctual(deadline: UInt64, waits: UInt64, gone: UInt64) {
    let wheel = wheel()
    _ = wheel.add(7, at: deadline)
    for now in stride(from: Self.origin, through: waits, by: 1) { #expect(expired(wheel, at: now).isEmpty) }
    #expect(expired(wheel, at: gone) == [7])
    #expect(wheel.isEmpty)
    let asleep = self.wheel()
    _ = asleep.add(7, at: deadline)
    #expect(expired(asleep, at: waits).isEmpty)
    #expect(expired(asleep, at: gone) == [7])
  }

  @Test("a deadline in the past expires with the next tick, even when the wheel has turned far")
  func past() {
    let wheel = wheel()
    #expect(expired(wheel, at: 4321).isEmpty)
    _ = wheel.add(1, at: 17)
    #expect(expired(wheel, at: 4321).isEmpty)
    #expect(expired(wheel, at: 4330) == [1])
  }

  @Test("a deadline that moves later is carried on, one that moves earlier comes in time")
  func moves() {
    let wheel = wheel()
    let later = wheel.add(1, at: 1030)
    let earlier = wheel.add(2, at: 1070)
    let farAndBack = wheel.add(3, at: 1050)
    #expect(wheel.move(later, to: 1500))
    #expect(wheel.move(earlier, to: 1020))
    #expect(wheel.move(farAndBack, to: 9000) && wheel.move(farAndBack, to: 1060))
    #expect(expired(wheel, at: 1020) == [2])
    #expect(expired(wheel, at: 1059).isEmpty)
    #expect(expired(wheel, at: 1060) == [3])
    #expect(expired(wheel, at: 1499).isEmpty)
    #expect(expired(wheel, at: 1500) == [1])
  }

  @Test("an entry that expired or was cancelled matches nothing, though its place is used again")
  func stale() {
    let wheel = wheel()
    let first = wheel.add(1, at: 1010)
    let second = wheel.add(2, at: 1010)
    #expect(wheel.cancel(second) && !wheel.cancel(second) && !wheel.move(second, to: 1))
    #expect(expired(wheel, at: 1010) == [1])
    let reused = [wheel.add(3, at: 1100), wheel.add(4, at: 1100)]
    for entry in [first, second] {
      #expect(!wheel.isWaiting(entry) && !wheel.cancel(entry) && !wheel.move(entry, to: 1020))
    }
    #expect(reused.allSatisfy { wheel.isWaiting($0) } && wheel.count == 2)
    #expect(expired(wheel, at: 1100) == [3, 4])
  }

  @Test("an entry of a larger wheel matches nothing in a smaller one")
  func foreign() {
    let (large, small) = (wheel(), wheel())
    let entries = (0..<10).map { large.add($0, at: 2000) }
    #expect(entries.allSatisfy { !small.cancel($0) && !small.move($0, to: 1) })
  }

  @Test("what expires may cancel, move and add while others of the same tick are due")
  func reentrant() {
    let wheel = wheel()
    var fired: [Int] = []
    var entries: [TimerWheel<Int>.Entry] = []
    for payload in 0..<4 { entries.append(wheel.add(payload, at: 1010)) }
    let act: (Int) -> Void = { payload in
      fired.append(payload)
      guard payload == 0 else { return }
      wheel.cancel(entries[1])
      wheel.move(entries[2], to: 1050)
      _ = wheel.add(9, at: 0)
      #expect(wheel.nextWake(after: 1010) == 1010, "entry 3 is still due")
    }
    wheel.advance(to: 1010, act)
    #expect(fired == [0, 3])
    wheel.advance(to: 1020, act)
    #expect(fired == [0, 3, 9])
    wheel.advance(to: 1050, act)
    #expect(fired == [0, 3, 9, 2])
    #expect(wheel.isEmpty)
  }

  @Test("time that stands still or runs backwards does nothing")
  func backwards() {
    let wheel = wheel()
    _ = wheel.add(1, at: 1030)
    #expect(expired(wheel, at: 1020).isEmpty)
    for now in [1020, 1000, 0] as [UInt64] { #expect(expired(wheel, at: now).isEmpty) }
    #expect(expired(wheel, at: 1030) == [1])
  }

  @Test("the next wake is the next tick that holds an entry")
  func nextWake() {
    let wheel = wheel()
    #expect(wheel.nextWake(after: 1000) == nil)
    let far = wheel.add(1, at: .max)
    #expect(wheel.nextWake(after: 1000) == 1080, "beyond the horizon: one turn ahead")
    let near = wheel.add(2, at: 1031)
    #expect(wheel.nextWake(after: 1000) == 1040)
    #expect(wheel.nextWake(after: 1044) == 1044, "the wheel is behind: now")
    wheel.cancel(near)
    #expect(wheel.nextWake(after: 1000) == 1080)
    wheel.cancel(far)
    #expect(wheel.nextWake(after: 1000) == nil)
  }

  @Test("a payload is let go when its entry is cancelled or has expired")
  func release() {
    final class Token {}
    let wheel = TimerWheel<Token>(tickNanoseconds: 10, slotCount: 8, now: 0)
    weak var cancelled: Token?
    weak var expired: Token?
    do {
      let tokens = (Token(), Token())
      (cancelled, expired) = tokens
      let entry = wheel.add(tokens.0, at: 10)
      _ = wheel.add(tokens.1, at: 10)
      wheel.cancel(entry)
    }
    #expect(cancelled == nil && expired != nil)
    wheel.advance(to: 10) { _ in }
    #expect(expired == nil)
  }

  @Test("a wheel agrees with a plain list of deadlines", arguments: Simulation.seeds)
  func simulation(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    for round in 0..<20 {
      let tick = UInt64(random.number(1...50))
      var now = random.next(below: 1 << 40)
      let origin = now
      let slots = random.number(1...130)
      let wheel = TimerWheel<Int>(tickNanoseconds: tick, slotCount: slots, now: now)
      var model: [Int: (entry: TimerWheel<Int>.Entry, due: UInt64)] = [:]
      var gone: [TimerWheel<Int>.Entry] = []
      /// The time at which the wheel may say it: the first tick not before the deadline, and after the last one seen.
      func due(_ deadline: UInt64) -> UInt64 {
        let seen = origin + (now - origin) / tick * tick
        let ticks = deadline > origin ? (deadline - origin + tick - 1) / tick : 0
        return max(origin + ticks * tick, seen + tick)
      }
      for step in 0..<400 {
        let range = tick * UInt64(slots) * (random.chance(oneIn: 4) ? 5 : 1)
        let deadline = now + random.next(below: range + 1)
        switch random.number(0...9) {
        case 0...3: model[step] = (wheel.add(step, at: deadline), due(deadline))
        case 4...5:
          guard let (payload, timer) = model.randomElement(using: &random) else { continue }
          #expect(wheel.move(timer.entry, to: deadline))
          model[payload] = (timer.entry, due(deadline))
        case 6:
          guard let (payload, timer) = model.randomElement(using: &random) else { continue }
          #expect(wheel.cancel(timer.entry))
          model[payload] = nil
          gone.append(timer.entry)
        default:
          now += random.next(below: random.chance(oneIn: 10) ? range * 2 + 1 : tick * 3)
          let wake = wheel.nextWake(after: now)
          let expected = model.filter { $0.value.due <= now }
          if let first = model.values.map(\.due).min() { #expect(wake.map { $0 <= max(first, now) } == true) }
          let fired = expired(wheel, at: now)
          #expect(fired.sorted() == expected.keys.sorted(), "seed \(seed), round \(round), step \(step)")
          for payload in fired { model.removeValue(forKey: payload).map { gone.append($0.entry) } }
        }
        #expect(wheel.count == model.count)
      }
      #expect(gone.allSatisfy { !wheel.isWaiting($0) }, "seed \(seed), round \(round)")
    }
  }
}
