import Testing

@Suite("The reader of code")
struct CodeTests {
  @Test(
    "comments and literals are gone, interpolations stay",
    arguments: [
      ("a // b! \nc", "a \nc"), ("a /* b /* c! */ d */ e", "a  e"), (#"f("x! \(y) // z")"#, #"f("(y)")"#),
      ("\"\"\"\n a! \"b\" \n\"\"\" c", "\"\n\n\" c"), (##"#"a" \(b) \#(c)"# d"##, #""(c)" d"#),
      (#"g("\"!", h)"#, #"g("", h)"#), (#"i("\(j("k!"))")"#, #"i("(j(""))")"#), ("\"http://x\" l!", "\"\" l!"),
    ])
  func blanked(source: String, code: String) {
    #expect(Code.withoutCommentsAndLiterals(source) == code)
  }

  @Test(
    "forced values are found, negations and inequalities are not",
    arguments: [
      ("x!", true), ("x!.y", true), ("f()!", true), ("a[0]!", true), ("try! f()", true), ("y as! Int", true),
      ("var z: Int!", true), ("x?.y!", true), (#""\(x!)""#, true), ("{ $0 }!", true), ("let a: [Int]!", true),
      ("!x", false), ("a != b", false), ("a!=b", false), ("f(!x)", false), ("#if !os(Linux)", false),
      ("// x!", false), (#""x!""#, false), ("a && !b", false), ("a !== b", false), ("a!==b", false),
    ])
  func forced(source: String, isForced: Bool) {
    #expect(Code.forcedLines(in: source) == (isForced ? [1] : []))
  }

  @Test(
    "imports are found in all their forms",
    arguments: [
      ("import A", ["A"]), ("  public import A", ["A"]), ("@testable import A", ["A"]),
      ("@_exported import A", ["A"]), ("@_spi(Some) private import A", ["A"]), ("import struct A.B", ["A"]),
      ("import A.B", ["A"]), ("// import A", []), ("\"import A\"", []), ("let important = 1", []),
      ("#if canImport(A)\nimport A\n#endif", ["A"]), ("import A; import B", ["A", "B"]), ("import A // why", ["A"]),
    ])
  func imports(source: String, modules: [String]) {
    #expect(Import.all(in: Tree.File(path: "x.swift", text: source)).map(\.module) == modules)
  }
}
