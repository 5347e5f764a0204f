import Flow
import Testing

@Suite("Relay")
struct RelayTests {
  static let marks = Watermarks(high: 100, low: 40)

  enum Event: Sendable {
    case wrote(Int, accepted: Int)
    case drained(Int)
    case ended
    case closed
  }

  struct Script: Sendable, CustomTestStringConvertible {
    let claim: String
    let steps: [(event: Event, action: Relay.Action, pending: Int)]
    var testDescription: String { claim }

    init(_ claim: String, _ steps: [(Event, Relay.Action, Int)]) {
      self.claim = claim
      self.steps = steps.map { (event: $0.0, action: $0.1, pending: $0.2) }
    }
  }

  static let scripts: [Script] = [
    Script("what the sink takes at once never waits", [(.wrote(500, accepted: 500), .none, 0)]),
    Script("one byte below the high mark keeps reading", [(.wrote(99, accepted: 0), .none, 99)]),
    Script("the high mark itself pauses", [(.wrote(100, accepted: 0), .pauseReading, 100)]),
    Script(
      "pausing is said once, however much comes after it",
      [
        (.wrote(150, accepted: 0), .pauseReading, 150), (.wrote(50, accepted: 0), .none, 200),
        (.drained(60), .none, 140),
      ]),
    Script(
      "one byte above the low mark stays paused, the low mark itself resumes",
      [(.wrote(100, accepted: 0), .pauseReading, 100), (.drained(59), .none, 41), (.drained(1), .resumeReading, 40)]),
    Script(
      "a write that empties the queue resumes too",
      [(.wrote(100, accepted: 0), .pauseReading, 100), (.wrote(10, accepted: 110), .resumeReading, 0)]),
    Script(
      "a relay pauses again after it resumed",
      [
        (.wrote(120, accepted: 0), .pauseReading, 120), (.drained(120), .resumeReading, 0),
        (.wrote(100, accepted: 0), .pauseReading, 100),
      ]),
    Script("an end with nothing waiting finishes at once", [(.ended, .finish, 0), (.ended, .none, 0)]),
    Script(
      "an end with bytes waiting finishes with the last of them",
      [
        (.wrote(30, accepted: 10), .none, 20), (.ended, .none, 20), (.drained(19), .none, 1), (.drained(1), .finish, 0),
        (.drained(1), .none, 0),
      ]),
    Script(
      "an end while paused drains without resuming",
      [
        (.wrote(100, accepted: 0), .pauseReading, 100), (.ended, .none, 100), (.drained(99), .none, 1),
        (.drained(1), .finish, 0),
      ]
    ),
    Script(
      "an end said twice changes nothing", [(.wrote(5, accepted: 0), .none, 5), (.ended, .none, 5), (.ended, .none, 5)]),
    Script(
      "the gateway's own last bytes count while ending",
      [
        (.wrote(5, accepted: 0), .none, 5), (.ended, .none, 5), (.wrote(7, accepted: 5), .none, 7),
        (.drained(7), .finish, 0),
      ]
    ),
    Script(
      "nothing leaves closed",
      [
        (.wrote(120, accepted: 0), .pauseReading, 120), (.closed, .none, 0), (.drained(120), .none, 0),
        (.wrote(500, accepted: 0), .none, 0), (.ended, .none, 0), (.closed, .none, 0),
      ]),
    Script(
      "a sink that claims more than there was leaves zero, not less",
      [(.wrote(10, accepted: 50), .none, 0), (.wrote(10, accepted: 0), .none, 10)]),
    Script("negative counts count as nothing", [(.wrote(-5, accepted: -7), .none, 0), (.drained(-1), .none, 0)]),
    Script(
      "a sum beyond Int.max stays paused instead of trapping",
      [(.wrote(.max, accepted: 0), .pauseReading, .max), (.wrote(.max, accepted: 0), .none, .max)]),
  ]

  static func run(_ event: Event, on relay: inout Relay) -> Relay.Action {
    switch event {
    case .wrote(let count, let accepted): return relay.wrote(count, accepted: accepted, marks: marks)
    case .drained(let accepted): return relay.drained(accepted, marks: marks)
    case .ended: return relay.sourceEnded()
    case .closed:
      relay.close()
      return .none
    }
  }

  @Test("each event has its action", arguments: scripts)
  func script(_ script: Script) {
    var relay = Relay()
    for (number, step) in script.steps.enumerated() {
      let action = Self.run(step.event, on: &relay)
      #expect(action == step.action, "\(script.claim): step \(number)")
      let pending = relay.pending
      #expect(pending == step.pending, "\(script.claim): step \(number)")
    }
  }

  @Test("the flags name the state")
  func flags() {
    var relay = Relay()
    func flags(_ relay: borrowing Relay) -> [Bool] { [relay.isPaused, relay.isEnding, relay.isClosed] }
    #expect(flags(relay) == [false, false, false])
    _ = relay.wrote(100, accepted: 0, marks: Self.marks)
    #expect(flags(relay) == [true, false, false])
    _ = relay.sourceEnded()
    #expect(flags(relay) == [false, true, false])
    _ = relay.drained(100, marks: Self.marks)
    #expect(flags(relay) == [false, false, true])
  }

  @Test("marks that make no sense are cut to some that do")
  func cutMarks() {
    #expect(Watermarks(high: 0, low: 0) == Watermarks(high: 1, low: 0))
    #expect(Watermarks(high: 10, low: 10).low == 9)
    #expect(Watermarks(high: -5, low: -5) == Watermarks(high: 1, low: 0))
  }

  @Test("a random sink gets every byte, and no more than high and one read ever wait", arguments: Simulation.seeds)
  func simulation(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    for round in 0..<60 {
      let marks = Watermarks(high: random.number(1...300), low: random.number(0...299))
      let readMax = random.number(1...200)
      var relay = Relay()
      var (left, sent, delivered, finishes) = (random.number(0...5000), 0, 0, 0)
      var (isReading, hasEnded) = (true, false)
      var steps = 0
      while finishes == 0, steps < 100_000 {
        steps += 1
        let waiting = sent - delivered
        let action: Relay.Action
        if isReading, !hasEnded, !random.chance(oneIn: 3) {
          if left == 0 {
            hasEnded = true
            action = relay.sourceEnded()
          } else {
            let count = random.number(1...min(readMax, left))
            let accepted = random.number(0...(waiting + count))
            left -= count
            sent += count
            delivered += accepted
            action = relay.wrote(count, accepted: accepted, marks: marks)
          }
        } else {
          guard waiting > 0 else { continue }
          let accepted = random.number(1...waiting)
          delivered += accepted
          action = relay.drained(accepted, marks: marks)
        }
        switch action {
        case .none: break
        case .pauseReading:
          #expect(isReading, "seed \(seed), round \(round)")
          isReading = false
        case .resumeReading:
          #expect(!isReading, "seed \(seed), round \(round)")
          isReading = true
        case .finish: finishes += 1
        }
        let pending = relay.pending
        #expect(pending == sent - delivered, "seed \(seed), round \(round)")
        #expect(pending < marks.high + readMax, "seed \(seed), round \(round)")
        if !hasEnded { #expect(isReading == (pending < marks.high) || pending > marks.low, "seed \(seed)") }
      }
      #expect(finishes == 1 && left == 0 && sent == delivered, "seed \(seed), round \(round)")
    }
  }
}
