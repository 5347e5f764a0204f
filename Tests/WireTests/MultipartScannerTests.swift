// Forms: the model field is found wherever it stands, files are passed over, and what servers disagree on is refused.

import Testing

@testable import Wire

private let contentType = "multipart/form-data; boundary=XyZ"

private func scanForm(_ bytes: [UInt8], _ lengths: [Int], _ type: String = contentType) -> MultipartScanner? {
  guard var scanner = Array(type.utf8).withUnsafeBytes(MultipartScanner.init(contentType:)) else { return nil }
  for piece in pieces(bytes, lengths) { piece.withUnsafeBytes { scanner.scan($0) } }
  scanner.finish()
  return scanner
}

private struct FormFound: Equatable {
  var outcome: ScanOutcome
  var model: String?
  var range: String?
  var stream: Bool?
}

private func found(_ scanner: MultipartScanner?, in bytes: [UInt8]) -> FormFound? {
  scanner.map { scanner in
    guard scanner.outcome == .object else { return FormFound(outcome: scanner.outcome) }
    return FormFound(
      outcome: scanner.outcome, model: scanner.modelText, range: scanner.modelRange.map { text(bytes[$0]) },
      stream: scanner.stream)
  }
}

private func formEveryWay(
  _ form: String, _ type: String = contentType, _ location: SourceLocation = #_sourceLocation
) -> FormFound? {
  let bytes = Array(form.utf8)
  let whole = found(scanForm(bytes, [bytes.count], type), in: bytes)
  for lengths in deliveries(of: bytes.count) {
    let split = found(scanForm(bytes, lengths, type), in: bytes)
    #expect(split == whole, "delivered as \(lengths.prefix(2))", sourceLocation: location)
    if split != whole { break }
  }
  return whole
}

private func part(_ name: String, _ content: String, _ more: String = "") -> String {
  "--XyZ\r\nContent-Disposition: form-data; name=\"\(name)\"\(more)\r\n\r\n\(content)\r\n"
}

@Suite("Forms")
struct MultipartScannerTests {
  @Test("the model is found behind a file, and its range is its content")
  func fileFirst() {
    let file = "RIFF\r\n--Xy\r\n--XyA not a delimiter\r\n-\r\n\r\r\n--\rname=\"model\"\r\n\r\nwrong\r\n"
    let found = formEveryWay(
      part("file", file, "; filename=\"a;b\\\"c.wav\"\r\nContent-Type: audio/wav") + part("model", "whisper-1")
        + part("stream", "True") + "--XyZ--\r\nepilogue \r\n--XyZ\r\n")
    #expect(found == FormFound(outcome: .object, model: "whisper-1", range: "whisper-1", stream: true))
  }

  @Test("a form without the field has no model, and an empty one is empty")
  func absent() {
    #expect(formEveryWay(part("models", "a") + "--XyZ--") == FormFound(outcome: .object))
    #expect(formEveryWay(part("file", "") + "--XyZ--") == FormFound(outcome: .object))
    #expect(formEveryWay("--XyZ--\r\n") == FormFound(outcome: .object))
    #expect(formEveryWay(part("model", "") + "--XyZ--") == FormFound(outcome: .object, model: "", range: ""))
    #expect(formEveryWay(part("model", "\r") + "--XyZ--")?.model == "\r")
    #expect(formEveryWay(part("model", "\r\n--Xy") + "--XyZ--")?.model == "\r\n--Xy")
    #expect(formEveryWay(part("model", "--XyYZ") + "--XyZ--")?.model == "--XyYZ")
  }

  @Test(
    "names are read as MIME writes them",
    arguments: [
      ("Content-Disposition: form-data; name=model", "m"), ("content-disposition:form-data;name=\"model\"", "m"),
      ("CONTENT-DISPOSITION:  Form-Data ; NAME=\"model\" ; x=y;", "m"),
      ("Content-Disposition: form-data; x=\"; name=\\\"other\\\"\"; name=\"model\"", "m"),
      ("Content-Disposition: form-data; name=\"mo\\del\"", nil),
      ("Content-Disposition: form-data; name=\"Model\"", nil),
      ("Content-Disposition: form-data; name=\"model \"", nil),
      ("Content-Disposition: form-data; name=\"mod%65l\"", nil),
      ("Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=\"model\"", "m"),
      ("Content-Disposition: form-data; name=\"model\"\r\nContent-Transfer-Encoding: 8bit", "m"),
    ])
  func names(_ header: String, _ model: String?) {
    let found = formEveryWay("--XyZ\r\n\(header)\r\n\r\nm\r\n--XyZ--\r\n")
    #expect(found?.outcome == .object)
    #expect(found?.model == model)
  }

  @Test(
    "what servers would read differently is refused",
    arguments: [
      "", "preamble\r\n--XyZ--", "--XyZ", "--XyZ\r\n", part("model", "a"), part("model", "a") + "--XyZ-",
      part("model", "a") + part("model", "b") + "--XyZ--", part("model", "a") + part("model", "a") + "--XyZ--",
      part("model", "a", "; filename=\"a\"") + "--XyZ--", part("model", "a", "; name=\"x\"") + "--XyZ--",
      part("x", "a", "; name=\"model\"") + "--XyZ--", part("x", "a", "; name*=utf-8''model") + "--XyZ--",
      part("model", "a", "\r\nContent-Transfer-Encoding: base64") + "--XyZ--",
      part("model", "a", "\r\nContent-Disposition: form-data; name=\"x\"") + "--XyZ--",
      part("model", "a", "\r\n folded: x") + "--XyZ--", part("model", "a", "\r\nX : y") + "--XyZ--",
      part("model", "a", "\r\nno colon") + "--XyZ--", part("model", "a", "\nX: y") + "--XyZ--",
      part("model", "a", "\rX: y") + "--XyZ--", part("x", "a", "\0") + "--XyZ--",
      "--XyZ\r\n\r\na\r\n--XyZ--", "--XyZ\r\nContent-Type: text/plain\r\n\r\na\r\n--XyZ--",
      "--XyZ\r\nContent-Disposition: attachment; name=\"model\"\r\n\r\na\r\n--XyZ--",
      "--XyZ\r\nContent-Disposition: form-data; name=\"model\r\n\r\na\r\n--XyZ--",
      "--XyZ\r\nContent-Disposition: form-data\r\n\r\na\r\n--XyZ--",
      "--XyZ\nContent-Disposition: form-data; name=\"model\"\n\na\n--XyZ--",
      "--XyZA\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\na\r\n--XyZ--",
      part("x", "a\r\n--XyZA") + "--XyZ--", part("x", "a\r\n--XyZ-A") + "--XyZ--", part("x", "--XyZ") + "--XyZ--",
      "--XyZ\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n--XyZ--",
    ])
  func refused(_ form: String) {
    guard case .failed = formEveryWay(form)?.outcome else {
      Issue.record("accepted")
      return
    }
  }

  @Test("blanks behind a delimiter are no part of it")
  func padding() {
    #expect(
      formEveryWay("\r\n--XyZ \t\r\nContent-Disposition: form-data; name=model\r\n\r\nm\r\n--XyZ--")?.model == "m")
  }

  @Test(
    "a boundary is a parameter of multipart/form-data and of nothing else",
    arguments: [
      ("multipart/form-data; boundary=XyZ", true), ("Multipart/Form-Data;BOUNDARY=\"XyZ\"", true),
      ("multipart/form-data; charset=utf-8; boundary=XyZ;", true),
      ("multipart/form-data ; x=\";boundary=no\" ; boundary=XyZ", true),
      ("multipart/form-data", false), ("multipart/form-data; boundary=", false),
      ("multipart/form-data; boundary=\"\"", false),
      ("multipart/form-data; boundary=XyZ; boundary=XyZ", false), ("multipart/mixed; boundary=XyZ", false),
      ("multipart/form-data boundary=XyZ", false), ("multipart/form-data; boundary=\"XyZ", false),
      ("multipart/form-data; boundary=\"XyZ \"", false), ("multipart/form-data; boundary=\"X\r\nZ\"", false),
      ("multipart/form-data; boundary=\(String(repeating: "a", count: 71))", false), ("application/json", false),
      ("", false),
    ])
  func boundaries(_ type: String, _ legal: Bool) {
    let form = part("model", "m") + "--XyZ--"
    let found = formEveryWay(form, type)
    #expect((found != nil) == legal)
    if legal { #expect(found?.model == "m") }
  }

  @Test("boundaries may have seventy characters and the odd ones among them")
  func oddBoundary() {
    let boundary = "'()+_,-./:=? " + String(repeating: "-", count: 57)
    let form = "--\(boundary)\r\nContent-Disposition: form-data; name=model\r\n\r\nm\r\n--\(boundary)--"
    #expect(formEveryWay(form, "multipart/form-data; boundary=\"\(boundary)\"")?.model == "m")
  }

  @Test("names and part headers have bounds")
  func bounds() {
    let name = String(repeating: "m", count: 1024)
    let fits = Array((part("model", name) + "--XyZ--").utf8)
    #expect(scanForm(fits, [fits.count])?.modelText == name)
    let long = Array((part("model", name + "m") + "--XyZ--").utf8)
    #expect(scanForm(long, [long.count])?.outcome == .failed(.modelTooLong))
    #expect(scanForm(long, Array(repeating: 1, count: long.count))?.outcome == .failed(.modelTooLong))
    let head = Array((part("x", "a", "\r\nX: " + String(repeating: "y", count: 5000)) + "--XyZ--").utf8)
    guard case .failed(.malformed) = scanForm(head, [head.count])?.outcome else {
      Issue.record("accepted")
      return
    }
    let notText =
      Array("--XyZ\r\nContent-Disposition: form-data; name=model\r\n\r\n".utf8) + [0xff] + Array("\r\n--XyZ--".utf8)
    #expect(scanForm(notText, [notText.count])?.outcome == .failed(.malformed(at: 53)))
  }

  @Test("damaged forms never trap and are read in one way")
  func damaged() {
    let form = Array(
      (part("file", "a\r\n--Xy\r\n", "; filename=f") + part("model", "m-1") + part("stream", "1") + "--XyZ--\r\n").utf8)
    for seed in UInt64(0)..<500 {
      var random = Seeded(seed: seed)
      let bytes = random.mutate(form, Array("\r\n\r\n--XyZ;=\": \\\0".utf8))
      let whole = found(scanForm(bytes, [bytes.count]), in: bytes)
      #expect(found(scanForm(bytes, random.cuts(bytes.count)), in: bytes) == whole, "seed \(seed)")
      if let whole, whole.outcome == .object { #expect(whole.model == whole.range, "seed \(seed)") }
    }
  }
}
