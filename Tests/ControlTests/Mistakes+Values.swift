// Mistakes an operator makes, with the exact words about them: single values and the sections that only hold values: client, paths, relay, shutdown, log, workers.

let valuesMistakes: [Mistake] = [
  Mistake(
    "a word for seconds",
    """
    client:
      head_seconds: ten

    """,
    [
      """
      t.yaml:6:3: client.head_seconds: found "ten", expected a number of seconds greater than 0; write e.g. \
      head_seconds: 10
      """
    ]),
  Mistake(
    "no seconds at all",
    """
    client:
      head_seconds: 0

    """,
    [
      """
      t.yaml:6:3: client.head_seconds: found "0", expected a number of seconds greater than 0; write e.g. \
      head_seconds: 10
      """
    ]),
  Mistake(
    "negative seconds",
    """
    client:
      head_seconds: -1

    """,
    [
      """
      t.yaml:6:3: client.head_seconds: found "-1", expected a number of seconds greater than 0; write e.g. \
      head_seconds: 10
      """
    ]),
  Mistake(
    "an exponent",
    """
    client:
      head_seconds: 1e3

    """,
    [
      """
      t.yaml:6:3: client.head_seconds: found "1e3", expected a number of seconds greater than 0; write e.g. \
      head_seconds: 10
      """
    ]),
  Mistake(
    "too many seconds",
    """
    client:
      head_seconds: 99999999999999999999999999

    """,
    [
      """
      t.yaml:6:3: client.head_seconds: found "99999999999999999999999999", expected from 0.001 to 86400 \
      seconds; write e.g. head_seconds: 10
      """
    ]),
  Mistake(
    "too few seconds",
    """
    client:
      head_seconds: 0.0001

    """,
    [
      """
      t.yaml:6:3: client.head_seconds: found "0.0001", expected from 0.001 to 86400 seconds; write e.g. \
      head_seconds: 10
      """
    ]),
  Mistake(
    "a list for seconds",
    """
    client:
      head_seconds: [1]

    """,
    [
      """
      t.yaml:6:3: client.head_seconds: found a list, expected a number of seconds greater than 0; write e.g. \
      head_seconds: 10
      """
    ]),
  Mistake(
    "negative drain", "shutdown: { drain_seconds: -1 }\n",
    [
      """
      t.yaml:5:13: shutdown.drain_seconds: found "-1", expected a number of seconds, 0 or greater; write e.g. \
      drain_seconds: 30
      """
    ]),
  Mistake(
    "a decimal unit", "client: { body_bytes_max: 64MB }\n",
    [
      """
      t.yaml:5:11: client.body_bytes_max: found "64MB", expected a size from 1KiB to 1024GiB; write e.g. \
      body_bytes_max: 64MiB
      """
    ]),
  Mistake(
    "a size out of range", "client: { head_bytes_max: 1 }\n",
    [
      """
      t.yaml:5:11: client.head_bytes_max: found "1", expected a size from 1KiB to 1MiB; write e.g. \
      head_bytes_max: 64KiB
      """
    ]),
  Mistake(
    "an enormous size", "client: { body_bytes_max: 99999999999999999999GiB }\n",
    [
      """
      t.yaml:5:11: client.body_bytes_max: found "99999999999999999999GiB", expected a size from 1KiB to \
      1024GiB; write e.g. body_bytes_max: 64MiB
      """
    ]),
  Mistake(
    "a fraction for a whole number", "client: { connections_max: 1.5 }\n",
    [
      """
      t.yaml:5:11: client.connections_max: found "1.5", expected a whole number from 0 to 10000000; write e.g. \
      connections_max: 0
      """
    ]),
  Mistake(
    "a yes for true", without: "auth", "auth: { open: yes }\n",
    [
      """
      t.yaml:4:9: auth.open: found "yes", expected true or false
      """
    ]),
  Mistake(
    "an unknown word", "log: { level: infos }\n",
    [
      """
      t.yaml:5:8: log.level: found "infos", expected info, warning or error; did you mean info?
      """
    ]),
  Mistake(
    "streams that are to be counted sometimes", "usage: { streams: when_limit }\n",
    [
      """
      t.yaml:5:10: usage.streams: found "when_limit", expected when_limited, always or never; did you mean when_limited?
      """
    ]),
  Mistake(
    "an unknown log target", "log: { access: sdtout }\n",
    [
      """
      t.yaml:5:8: log.access: found "sdtout", expected stdout, stderr, off or a file's path with a slash; \
      write e.g. access: stdout or access: ./access.log
      """
    ]),
  Mistake(
    "a value for a section", "client: 10\n",
    [
      "t.yaml:5:1: client: found a single value, expected a mapping; write keys with values, indented below it"
    ]),
  Mistake(
    "a list for a section", "client: [10]\n",
    [
      "t.yaml:5:1: client: found a list, expected a mapping; write keys with values, indented below it"
    ]),
  Mistake(
    "a value for a list", "paths: { prefixes: /v1 }\n",
    [
      """
      t.yaml:5:10: paths.prefixes: found a single value, expected a list; write each item on a line of its own \
      that begins with a dash
      """
    ]),
  Mistake(
    "no workers", "workers: 0\n",
    [
      """
      t.yaml:5:1: workers: found "0", expected auto or a whole number from 1 to 1024; write e.g. workers: auto
      """
    ]),
  Mistake(
    "workers by word", "workers: many\n",
    [
      """
      t.yaml:5:1: workers: found "many", expected auto or a whole number from 1 to 1024; write e.g. workers: \
      auto
      """
    ]),
  Mistake(
    "workers by list", "workers: [1]\n",
    [
      """
      t.yaml:5:1: workers: found a list, expected auto or a whole number from 1 to 1024; write e.g. workers: \
      auto
      """
    ]),
  Mistake(
    "an unset variable",
    """
    client:
      head_seconds: ${HEAD}

    """,
    [
      """
      t.yaml:6:3: client.head_seconds: the environment variable HEAD is not set; set it, or give a default: \
      ${HEAD:-default}
      """
    ]),
  Mistake(
    "half a variable",
    """
    client:
      head_seconds: ${HEAD

    """,
    [
      """
      t.yaml:6:3: client.head_seconds: found "${" without a name and "}"; write ${NAME}, ${NAME:-default}, or \
      $${ for the characters themselves
      """
    ]),
  Mistake(
    "a variable of the wrong kind, not shown", environment: ["HEAD": "sk-very-secret"],
    """
    client:
      head_seconds: ${HEAD}

    """,
    [
      """
      t.yaml:6:3: client.head_seconds: found "${HEAD}" (from the environment), expected a number of seconds \
      greater than 0; write e.g. head_seconds: 10
      """
    ]),
  Mistake(
    "a prefix without a slash", "paths: { prefixes: [v1] }\n",
    [
      """
      t.yaml:5:21: paths.prefixes[0]: found "v1", expected a path that begins with a slash, without ?, #, %, \
      // and dot segments; write e.g. /v1
      """
    ]),
  Mistake(
    "a prefix twice", "paths: { prefixes: [/v1, /v1/] }\n",
    [
      """
      t.yaml:5:26: paths.prefixes[1]: found "/v1/", expected each prefix once; remove this one
      """
    ]),
  Mistake(
    "no prefix", "paths: { prefixes: [] }\n",
    [
      "t.yaml:5:10: paths.prefixes: found an empty list, expected at least one path; write e.g. prefixes: [/v1]"
    ]),
  Mistake(
    "an empty item",
    """
    paths: { prefixes: [/v1, ] }
    limits:
      exempt:
        -

    """,
    [
      "t.yaml:8:6: limits.exempt[0]: found nothing, expected a value; remove this item or fill it in"
    ]),
  Mistake(
    "a bad range",
    """
    client: { trusted_proxies: [10.0.0.0/33, 10.0.0.1/8, nobody, "::1/129"] }

    """,
    [
      """
      t.yaml:5:29: client.trusted_proxies[0]: found "10.0.0.0/33", expected an IP address or a range of them \
      whose bits beyond the prefix are 0; write e.g. 10.0.0.0/8 or 2001:db8::/32
      """,
      """
      t.yaml:5:42: client.trusted_proxies[1]: found "10.0.0.1/8", expected an IP address or a range of them \
      whose bits beyond the prefix are 0; write e.g. 10.0.0.0/8 or 2001:db8::/32
      """,
      """
      t.yaml:5:54: client.trusted_proxies[2]: found "nobody", expected an IP address or a range of them whose \
      bits beyond the prefix are 0; write e.g. 10.0.0.0/8 or 2001:db8::/32
      """,
      """
      t.yaml:5:62: client.trusted_proxies[3]: found "::1/129", expected an IP address or a range of them whose \
      bits beyond the prefix are 0; write e.g. 10.0.0.0/8 or 2001:db8::/32
      """,
    ]),
  Mistake(
    "marks too near",
    """
    relay:
      high_bytes: 8KiB
      low_bytes: 8KiB

    """,
    [
      """
      t.yaml:6:3: relay.high_bytes: high mark must be at least twice the low mark (found 8KiB and 8KiB); raise \
      relay.high_bytes or lower relay.low_bytes
      """
    ]),
  Mistake(
    "a low mark above the default high mark", "relay: { low_bytes: 40KiB }\n",
    [
      """
      t.yaml:5:10: relay.low_bytes: high mark must be at least twice the low mark (found 64KiB and 40KiB); \
      raise relay.high_bytes or lower relay.low_bytes
      """
    ]),
]
