// Mistakes an operator makes, with the exact words about them: listeners, auth and limits.

let accessMistakes: [Mistake] = [
  Mistake(
    "no listeners", without: "listeners", "",
    [
      """
      t.yaml:1:1: listeners: missing; write e.g. listeners: [{ address: "127.0.0.1:8080" }]
      """
    ]),
  Mistake(
    "an empty list of listeners", without: "listeners", "listeners: []\n",
    [
      """
      t.yaml:4:1: listeners: found an empty list, expected at least one listener; write e.g. listeners: [{ \
      address: "127.0.0.1:8080" }]
      """
    ]),
  Mistake(
    "a listener without an address", without: "listeners", "listeners: [{ backlog: 10 }]\n",
    [
      "t.yaml:4:13: listeners[0].address: missing; write e.g. address: 127.0.0.1:8080"
    ]),
  Mistake(
    "a listener that is a word", without: "listeners",
    """
    listeners: ["127.0.0.1:80"]

    """,
    [
      """
      t.yaml:4:13: listeners[0]: found a single value, expected a mapping; write keys with values, indented \
      below it
      """
    ]),
  Mistake(
    "a host name for a listener", without: "listeners",
    """
    listeners: [{ address: "localhost:8080" }]

    """,
    [
      """
      t.yaml:4:15: listeners[0].address: found "localhost:8080", expected an IP address with a port (IPv6 in [ \
      ]), :port, or unix:/path; write e.g. address: 127.0.0.1:8080
      """
    ]),
  Mistake(
    "a port too large", without: "listeners",
    """
    listeners: [{ address: "127.0.0.1:65536" }]

    """,
    [
      """
      t.yaml:4:15: listeners[0].address: found "127.0.0.1:65536", expected an IP address with a port (IPv6 in \
      [ ]), :port, or unix:/path; write e.g. address: 127.0.0.1:8080
      """
    ]),
  Mistake(
    "no port", without: "listeners", "listeners: [{ address: 127.0.0.1 }]\n",
    [
      """
      t.yaml:4:15: listeners[0].address: found "127.0.0.1", expected an IP address with a port (IPv6 in [ ]), \
      :port, or unix:/path; write e.g. address: 127.0.0.1:8080
      """
    ]),
  Mistake(
    "IPv6 without brackets", without: "listeners",
    """
    listeners: [{ address: "::1:8080" }]

    """,
    [
      """
      t.yaml:4:15: listeners[0].address: found "::1:8080", expected an IP address with a port (IPv6 in [ ]), \
      :port, or unix:/path; write e.g. address: 127.0.0.1:8080
      """
    ]),
  Mistake(
    "two listeners at one address", without: "listeners",
    """
    listeners:
      - address: "[::1]:80"
      - address: "[0:0::1]:80"

    """,
    [
      """
      t.yaml:6:5: listeners[1].address: found [::1]:80, which takes the place of [::1]:80 above; keep one of \
      them
      """
    ]),
  Mistake(
    "a listener everywhere and one at every IPv4 address", without: "listeners",
    """
    listeners:
      - address: :80
      - address: 0.0.0.0:80

    """,
    [
      "t.yaml:6:5: listeners[1].address: found 0.0.0.0:80, which takes the place of :80 above; keep one of them"
    ]),
  Mistake(
    "certificates that are not there", without: "listeners",
    """
    listeners:
      - address: :443
        tls:
          certificate: /nowhere/chain.pem

    """,
    [
      "t.yaml:6:5: listeners[0].tls.key: missing; write the name of a PEM file",
      """
      t.yaml:7:7: listeners[0].tls.certificate: found "/nowhere/chain.pem", expected a file that can be read: \
      no such file or directory
      """,
    ]),
  Mistake(
    "a directory as a certificate", without: "listeners",
    """
    listeners:
      - address: :443
        tls: { certificate: /, key: / }

    """,
    [
      """
      t.yaml:6:12: listeners[0].tls.certificate: found "/", expected a file that can be read: not a file
      """,
      """
      t.yaml:6:28: listeners[0].tls.key: found "/", expected a file that can be read: not a file
      """,
    ]),
  Mistake(
    "no auth", without: "auth", "",
    [
      "t.yaml:1:1: auth: missing; give keys, or write open: true to let everybody in"
    ]),
  Mistake(
    "an empty auth", without: "auth", "auth:\n",
    [
      "t.yaml:4:1: auth: missing; give keys, or write open: true to let everybody in"
    ]),
  Mistake(
    "auth without keys", without: "auth", "auth: { open: false }\n",
    [
      "t.yaml:4:1: auth: found no keys and no open: true; give keys, or write open: true to let everybody in"
    ]),
  Mistake(
    "open with keys", without: "auth",
    """
    auth:
      open: true
      keys: [{ name: a, value: sk-a }]

    """,
    [
      "t.yaml:5:3: auth.open: found open: true together with keys; keep one of them"
    ]),
  Mistake(
    "a store without a file", without: "auth", "auth: { store: {} }\n",
    [
      "t.yaml:4:9: auth.store.path: missing; write e.g. path: /var/lib/sluice/keys.db"
    ]),
  Mistake(
    "a store that is a word", without: "auth", "auth: { store: keys.db }\n",
    [
      """
      t.yaml:4:9: auth.store: found a single value, expected a mapping; write keys with values, indented below it
      """
    ]),
  Mistake(
    "a store with a list for a file", without: "auth", "auth: { store: { path: [a], mode: 7 } }\n",
    [
      "t.yaml:4:18: auth.store.path: found a list, expected the name of a file",
      "t.yaml:4:29: auth.store.mode: unknown key; known here: path",
    ]),
  Mistake(
    "an empty list of keys", without: "auth", "auth: { keys: [] }\n",
    [
      """
      t.yaml:4:9: auth.keys: found an empty list, expected at least one key; write open: true to let everybody \
      in
      """
    ]),
  Mistake(
    "both credentials", without: "auth",
    """
    auth:
      keys:
        - name: a
          value: sk-secret
          sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa

    """,
    [
      "t.yaml:7:7: auth.keys[0].value: found both sha256 and value; keep one of them"
    ]),
  Mistake(
    "no credential", without: "auth",
    """
    auth:
      keys:
        - name: a

    """,
    [
      "t.yaml:6:7: auth.keys[0].sha256: missing; give sha256 (sluice keys hash prints it) or value"
    ]),
  Mistake(
    "a credential that is an empty variable", without: "auth",
    """
    auth:
      keys:
        - name: a
          value: ${KEY:-}

    """,
    [
      "t.yaml:6:7: auth.keys[0].sha256: missing; give sha256 (sluice keys hash prints it) or value"
    ]),
  Mistake(
    "a credential that is empty", without: "auth",
    """
    auth:
      keys:
        - name: a
          value: ""

    """,
    [
      """
      t.yaml:7:7: auth.keys[0].value: found a value that is not shown here, expected 1 to 4096 visible ASCII \
      characters without spaces
      """
    ]),
  Mistake(
    "a credential with a space, not shown", without: "auth",
    """
    auth:
      keys:
        - name: a
          value: sk secret

    """,
    [
      """
      t.yaml:7:7: auth.keys[0].value: found a value that is not shown here, expected 1 to 4096 visible ASCII \
      characters without spaces
      """
    ]),
  Mistake(
    "a short hash, not shown", without: "auth",
    """
    auth:
      keys:
        - name: a
          sha256: sk-secret

    """,
    [
      """
      t.yaml:7:7: auth.keys[0].sha256: found a value that is not shown here, expected 64 hexadecimal digits; \
      sluice keys hash prints them
      """
    ]),
  Mistake(
    "a key without a mapping, not shown", without: "auth", "auth: { keys: [sk-secret] }\n",
    [
      """
      t.yaml:4:16: auth.keys[0]: found a single value, expected a mapping; write keys with values, indented \
      below it
      """
    ]),
  Mistake(
    "a key as a key, not shown", without: "auth", "auth: { keys: [{ sk-secret: alice }] }\n",
    [
      "t.yaml:4:16: auth.keys[0].name: missing; write e.g. name: alice",
      "t.yaml:4:16: auth.keys[0].sha256: missing; give sha256 (sluice keys hash prints it) or value",
      "t.yaml:4:18: auth.keys[0]: unknown key; known here: account, models, name, permissions, sha256, value",
    ]),
  Mistake(
    "a name twice", without: "auth",
    """
    auth:
      keys:
        - name: a
          value: sk-1
        - name: a
          value: sk-2

    """,
    [
      """
      t.yaml:8:7: auth.keys[1].name: found "a", which the key at 6:7 has already; choose another
      """
    ]),
  Mistake(
    "a key twice", without: "auth",
    """
    auth:
      keys:
        - name: a
          value: sk-1
        - name: b
          value: sk-1

    """,
    [
      "t.yaml:9:7: auth.keys[1].value: found the key that stands at 6:7 already; keep one of them"
    ]),
  Mistake(
    "an unset variable for a key", without: "auth",
    """
    auth:
      keys:
        - name: a
          value: ${SLUICE_CI_KEY}

    """,
    [
      """
      t.yaml:7:7: auth.keys[0].value: the environment variable SLUICE_CI_KEY is not set; set it before the \
      start
      """
    ]),
  Mistake(
    "a word for a limit", "limits: { per_ip: on }\n",
    [
      """
      t.yaml:5:11: limits.per_ip: found "on", expected off or a mapping with requests, seconds, burst; write \
      e.g. per_ip: { requests: 100, seconds: 60 }
      """
    ]),
  Mistake(
    "a list for a limit", "limits: { per_ip: [] }\n",
    [
      """
      t.yaml:5:11: limits.per_ip: found a list, expected off or a mapping with requests, seconds, burst; write \
      e.g. per_ip: { requests: 100, seconds: 60 }
      """
    ]),
  Mistake(
    "a limit of nothing", "limits: { per_ip: { requests: 0, seconds: 0, burst: 0 } }\n",
    [
      """
      t.yaml:5:21: limits.per_ip.requests: found "0", expected a whole number from 1 to 100000; write e.g. \
      requests: 100
      """,
      """
      t.yaml:5:34: limits.per_ip.seconds: found "0", expected a number of seconds greater than 0; write e.g. \
      seconds: 60
      """,
      """
      t.yaml:5:46: limits.per_ip.burst: found "0", expected a whole number from 1 to 100000; write e.g. burst: \
      100
      """,
    ]),
  Mistake(
    "rules that count nothing, or two things",
    """
    limits:
      rules:
        none: { of: key }
        both: { requests: 1, tokens: 2 }

    """,
    [
      """
      t.yaml:7:5: limits.rules.none.requests: missing; write e.g. requests: 20, tokens: 40000 or concurrent: 4
      """,
      """
      t.yaml:8:26: limits.rules.both.tokens: found requests and tokens in one rule; make a rule for each
      """,
    ]),
  Mistake(
    "a small table", "limits: { table_entries: 10 }\n",
    [
      """
      t.yaml:5:11: limits.table_entries: found "10", expected a whole number from 1024 to 16777216; write e.g. \
      table_entries: 65536
      """
    ]),
]
