// Mistakes an operator makes, with the exact words about them: tokens, and a service that is asked.

private func jwt(_ claim: String, _ text: String, _ expected: String...) -> Mistake {
  Mistake(
    claim, without: "auth", "auth:\n  jwt:\n" + text.split(separator: "\n").map { "    \($0)\n" }.joined(), expected)
}

private func external(_ claim: String, _ text: String, _ expected: String...) -> Mistake {
  Mistake(claim, without: "auth", "auth: { external: \(text) }\n", expected)
}

private let long = "hidden-hidden-hidden-hidden-hidden"

let tokenMistakes: [Mistake] = [
  jwt(
    "tokens without keys", "issuer: https://a",
    "t.yaml:5:3: auth.jwt.jwks_url: missing; give one of secret, public_key_file, jwks_file and jwks_url"),
  jwt(
    "two sources of keys", "secret: \(long)\njwks_url: https://a/keys",
    "t.yaml:7:5: auth.jwt.jwks_url: found both secret and jwks_url; keep one of them"),
  jwt(
    "a short secret, not shown", "secret: hidden",
    "t.yaml:6:5: auth.jwt.secret: found a value that is not shown here, expected a secret of at least 32 bytes"),
  jwt(
    "a secret that is not set", "secret: ${JWT_SECRET}",
    """
    t.yaml:6:5: auth.jwt.secret: the environment variable JWT_SECRET is not set; set it before the start
    """),
  jwt(
    "an algorithm that does not fit the secret", "secret: \(long)\nalgorithms: [HS256, RS256]",
    "t.yaml:7:25: auth.jwt.algorithms[1]: found \"RS256\", expected HS256, which secret is for"),
  jwt(
    "a secret's algorithm for public keys", "jwks_url: https://a/keys\nalgorithms: [HS256]",
    "t.yaml:7:18: auth.jwt.algorithms[0]: found \"HS256\", expected RS256 or ES256, which jwks_url is for"),
  jwt(
    "no algorithm at all", "jwks_url: https://a/keys\nalgorithms: [none]",
    "t.yaml:7:18: auth.jwt.algorithms[0]: found \"none\", expected RS256 or ES256, which jwks_url is for"),
  jwt(
    "an empty list of algorithms", "jwks_url: https://a/keys\nalgorithms: []",
    """
    t.yaml:7:5: auth.jwt.algorithms: found an empty list, expected at least one algorithm; leave it out for all that fit
    """),
  jwt(
    "a key that is not there", "public_key_file: /nowhere/key.pem",
    """
    t.yaml:6:5: auth.jwt.public_key_file: found "/nowhere/key.pem", expected a file that can be read: \
    no such file or directory
    """),
  jwt(
    "a key that is none", "public_key_file: /proc/self/status",
    """
    t.yaml:6:5: auth.jwt.public_key_file: found "/proc/self/status", expected a file with a public key in PEM, \
    RSA of at least 2048 bits or P-256
    """),
  jwt(
    "a set of keys that is none", "jwks_file: /proc/self/status",
    """
    t.yaml:6:5: auth.jwt.jwks_file: found "/proc/self/status", expected a file with a JSON object with a list of keys
    """),
  jwt(
    "a URL that is none", "jwks_url: login.example",
    """
    t.yaml:6:5: auth.jwt.jwks_url: found "login.example", expected http://host:port, https://host or \
    http+unix:/path/to.sock; write e.g. http://127.0.0.1:8000
    """),
  jwt(
    "times for keys that are not asked for", "secret: \(long)\nrefresh_seconds: 10",
    """
    t.yaml:7:5: auth.jwt.refresh_seconds: found beside secret, which is not asked for again; it is for jwks_url, remove it
    """),
  jwt(
    "an unknown claim", "jwks_url: https://a/keys\nclaims: { subject: sub }",
    """
    t.yaml:7:15: auth.jwt.claims.subject: unknown key; known here: account, models, name, permissions
    """),
  Mistake(
    "open with tokens", without: "auth", "auth: { open: true, jwt: { jwks_url: https://a/keys } }\n",
    [
      "t.yaml:4:9: auth.open: found open: true together with those who may come in; keep one of them"
    ]),
  external(
    "a service without a URL", "{ timeout_seconds: 1 }",
    "t.yaml:4:9: auth.external.url: missing; write e.g. url: http://127.0.0.1:9000/check"),
  external(
    "a service that may take too long", "{ url: http://a/b, timeout_seconds: 11 }",
    """
    t.yaml:4:38: auth.external.timeout_seconds: found "11", expected from 0.001 to 10 seconds; write e.g. \
    timeout_seconds: 2
    """),
  external(
    "a header that is none", "{ url: http://a/b, headers: [a b, X-Forwarded-For] }",
    """
    t.yaml:4:48: auth.external.headers[0]: found "a b", expected a header name (letters, digits, dashes); write e.g. cookie
    """,
    """
    t.yaml:4:53: auth.external.headers[1]: found "X-Forwarded-For", expected a header of the client's; the gateway \
    writes this one itself
    """),
]
