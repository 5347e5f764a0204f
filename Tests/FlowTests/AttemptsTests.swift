import Testing

@testable import Flow

@Suite("Attempts")
struct AttemptsTests {
  private func begun(_ times: Int = 1) -> Attempts {
    var attempts = Attempts()
    for _ in 0..<times { attempts.began() }
    return attempts
  }

  @Test("a reused connection that closed before a byte is replaced once, and only once")
  func replayOnce() {
    var attempts = begun()
    #expect(attempts.decide(.ifReused, isReused: true, hasAnswer: false, canAddress: true) == .retrySame)
    #expect(attempts.count == 2)
    #expect(attempts.decide(.ifReused, isReused: true, hasAnswer: false, canAddress: true) == .fail)
  }

  @Test("a fresh connection that closed before a byte is never followed by another: the request may have run")
  func freshIsFinal() {
    var attempts = begun()
    #expect(attempts.decide(.ifReused, isReused: false, hasAnswer: false, canAddress: true) == .fail)
  }

  @Test("once a byte of an answer has come, nothing is sent again", arguments: [AnotherAttempt.ifReused, .elsewhere])
  func answerIsFinal(_ allowed: AnotherAttempt) {
    var attempts = begun()
    #expect(attempts.decide(allowed, isReused: true, hasAnswer: true, canAddress: true) == .fail)
  }

  @Test("an endpoint that saw nothing is followed by another, up to a bound")
  func elsewhereIsBounded() {
    var attempts = Attempts()
    for _ in 1..<Attempts.endpointsMax {
      attempts.began()
      #expect(attempts.decide(.elsewhere, isReused: false, hasAnswer: false, canAddress: true) == .elsewhere)
    }
    attempts.began()
    #expect(attempts.decide(.elsewhere, isReused: false, hasAnswer: false, canAddress: true) == .fail)
  }

  @Test("without its head a request cannot be addressed to another endpoint")
  func headIsNeeded() {
    var attempts = begun()
    #expect(attempts.decide(.elsewhere, isReused: false, hasAnswer: false, canAddress: false) == .fail)
  }

  @Test("a failure that allows nothing is told")
  func never() {
    var attempts = begun()
    #expect(attempts.decide(.never, isReused: true, hasAnswer: false, canAddress: true) == .fail)
  }
}
