// Mistakes an operator makes, with the exact words about them: what is wrong with a file as a whole: its YAML, its keys.

let fileMistakes: [Mistake] = [
  Mistake(
    "an empty file", alone: true, "",
    [
      "t.yaml:1:1: found nothing; write at least listeners, auth and clusters (conf/minimal.yaml shows how)"
    ]),
  Mistake(
    "only a comment", alone: true, "# nothing\n",
    [
      "t.yaml:1:1: found nothing; write at least listeners, auth and clusters (conf/minimal.yaml shows how)"
    ]),
  Mistake(
    "a list", alone: true, "- a\n",
    [
      """
      t.yaml:1:1: found a list, expected keys with values; write at least listeners, auth and clusters \
      (conf/minimal.yaml shows how)
      """
    ]),
  Mistake(
    "a word", alone: true, "hello\n",
    [
      """
      t.yaml:1:1: found a single value, expected keys with values; write at least listeners, auth and clusters \
      (conf/minimal.yaml shows how)
      """
    ]),
  Mistake(
    "a mapping that does not end", "client: { head_seconds: 10\n",
    [
      """
      t.yaml:6:1: not YAML: did not find expected ',' or '}' (while parsing a flow mapping that begins at \
      5:9); look at the colons and the indentation here and on the line above
      """
    ]),
  Mistake(
    "a tab as indentation",
    """
    client:
    \u{9}head_seconds: 10

    """,
    [
      """
      t.yaml:6:1: not YAML: found character that cannot start any token (while scanning for the next token \
      that begins at 6:1); indent with spaces, not with tabs
      """
    ]),
  Mistake(
    "a variable in braces without quotes", alone: true, "auth: { keys: [ { name: ci, value: ${KEY} } ] }\n",
    [
      """
      t.yaml:1:37: not YAML: did not find expected ',' or '}' (while parsing a flow mapping that begins at \
      1:17); inside { } and [ ] write "${NAME}" in quotes
      """
    ]),
  Mistake(
    "two documents", alone: true,
    """
    ---
    a: 1
    ---
    b: 2

    """,
    [
      "t.yaml:3:1: found a second document, expected one in a file"
    ]),
  Mistake(
    "a control character", "client: { head_seconds: \u{1} }\n",
    [
      "t.yaml:5:25: not YAML: control characters are not allowed"
    ]),
  Mistake(
    "an alias without an anchor", "client: *nobody\n",
    [
      "t.yaml:5:9: not YAML: found undefined alias"
    ]),
  Mistake(
    "a tag", "client: !python/object { head_seconds: 10 }\n",
    [
      "t.yaml:5:1: client: found a tag (!...), expected a plain value"
    ]),
  Mistake(
    "a merge key",
    """
    x: &x { head_seconds: 1 }
    client: { <<: *x }

    """,
    [
      """
      t.yaml:5:1: x: unknown key; known here: auth, client, clusters, cors, default_cluster, \
      demo_backend, deployments, dns, limits, listeners, log, models, paths, plugins, relay, shutdown, timeouts, \
      unknown_models, usage, workers
      """,
      "t.yaml:6:11: client.<<: unknown key; merge keys are not read, write the keys out",
    ]),
  Mistake(
    "a key that is a list",
    """
    ? [a, b]
    : 1

    """,
    [
      "t.yaml:5:3: found a list or a mapping as a key, expected a word"
    ]),
  Mistake(
    "an unknown key", "clinet: { head_seconds: 1 }\n",
    [
      "t.yaml:5:1: clinet: unknown key; did you mean client?"
    ]),
  Mistake(
    "an unknown key below",
    """
    client:
      haed_seconds: 10

    """,
    [
      "t.yaml:6:3: client.haed_seconds: unknown key; did you mean head_seconds?"
    ]),
  Mistake(
    "a key in the wrong section", "head_seconds: 10\n",
    [
      "t.yaml:5:1: head_seconds: unknown key; there is client.head_seconds, look at the indentation"
    ]),
  Mistake(
    "a key like no other", "zzz: 10\n",
    [
      """
      t.yaml:5:1: zzz: unknown key; known here: auth, client, clusters, cors, default_cluster, \
      demo_backend, deployments, dns, limits, listeners, log, models, paths, plugins, relay, shutdown, timeouts, \
      unknown_models, usage, workers
      """
    ]),
  Mistake(
    "an unknown key below, like no other", "relay: { color: red }\n",
    [
      "t.yaml:5:10: relay.color: unknown key; known here: high_bytes, low_bytes"
    ]),
  Mistake(
    "a key that stands twice, and what is wrong below",
    """
    client:
      head_seconds: 10
      body_seconds: 5
      head_seconds: 20
    relay: { low_bytes: x }

    """,
    [
      """
      t.yaml:8:3: found "head_seconds" again, it stands at 6:3 already; keep one of them
      """,
      """
      t.yaml:9:10: relay.low_bytes: found "x", expected a size from 1 to 32MiB; write e.g. low_bytes: 16KiB
      """,
    ]),
  Mistake(
    "a section that stands twice",
    """
    relay:
      high_bytes: 64KiB
    relay:
      low_bytes: 1KiB

    """,
    [
      """
      t.yaml:7:1: found "relay" again, it stands at 5:1 already; keep one of them
      """
    ]),
  Mistake(
    "a key that stands twice in braces", "relay: { low_bytes: 1, low_bytes: 2 }\n",
    [
      """
      t.yaml:5:10: found "low_bytes" more than once in one mapping; keep one of them
      """
    ]),
]
