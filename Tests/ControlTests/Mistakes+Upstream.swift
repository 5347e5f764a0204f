// Mistakes an operator makes, with the exact words about them: clusters and their endpoints.

let upstreamMistakes: [Mistake] = [
  Mistake(
    "no clusters", without: "clusters", "",
    [
      """
      t.yaml:1:1: clusters: missing; write e.g. clusters: { local: { endpoints: ["http://127.0.0.1:8000"] } }
      """
    ]),
  Mistake(
    "an empty mapping of clusters", without: "clusters", "clusters: {}\n",
    [
      """
      t.yaml:4:1: clusters: found no cluster, expected at least one; write e.g. clusters: { local: { \
      endpoints: ["http://127.0.0.1:8000"] } }
      """
    ]),
  Mistake(
    "a cluster that is empty", without: "clusters", "clusters: { local: }\n",
    [
      """
      t.yaml:4:13: clusters.local.endpoints: missing; write e.g. endpoints: ["http://127.0.0.1:8000"]
      """
    ]),
  Mistake(
    "a cluster's name with a space", without: "clusters",
    """
    clusters: { "my cluster": { endpoints: ["http://a"] } }

    """,
    [
      """
      t.yaml:3:1: default_cluster: found "local", expected the name of a cluster; there is my cluster
      """,
      """
      t.yaml:4:13: clusters.my cluster: found "my cluster", expected a name of letters, digits, dots, dashes, \
      underscores
      """,
    ]),
  Mistake(
    "no endpoints", without: "clusters",
    """
    clusters:
      local:
        endpoints: []

    """,
    [
      """
      t.yaml:6:5: clusters.local.endpoints: found an empty list, expected at least one URL; write e.g. \
      endpoints: ["http://127.0.0.1:8000"]
      """
    ]),
  Mistake(
    "a URL without a scheme", without: "clusters",
    """
    clusters:
      local:
        endpoints: [127.0.0.1:8000]

    """,
    [
      """
      t.yaml:6:17: clusters.local.endpoints[0]: found "127.0.0.1:8000", expected http://host:port, \
      https://host or http+unix:/path/to.sock; write e.g. http://127.0.0.1:8000
      """
    ]),
  Mistake(
    "another scheme", without: "clusters",
    """
    clusters:
      local:
        endpoints: ["ftp://a"]

    """,
    [
      """
      t.yaml:6:17: clusters.local.endpoints[0]: found "ftp://a", expected http://host:port, https://host or \
      http+unix:/path/to.sock; write e.g. http://127.0.0.1:8000
      """
    ]),
  Mistake(
    "a port of a URL", without: "clusters",
    """
    clusters:
      local:
        endpoints: ["http://a:0", "http://a:65536", "http://a:", "http://a:b"]

    """,
    [
      """
      t.yaml:6:17: clusters.local.endpoints[0]: found "http://a:0", expected a port from 1 to 65535 after the \
      colon; write e.g. http://127.0.0.1:8000
      """,
      """
      t.yaml:6:31: clusters.local.endpoints[1]: found "http://a:65536", expected a port from 1 to 65535 after \
      the colon; write e.g. http://127.0.0.1:8000
      """,
      """
      t.yaml:6:49: clusters.local.endpoints[2]: found "http://a:", expected a port from 1 to 65535 after the \
      colon; write e.g. http://127.0.0.1:8000
      """,
      """
      t.yaml:6:62: clusters.local.endpoints[3]: found "http://a:b", expected a port from 1 to 65535 after the \
      colon; write e.g. http://127.0.0.1:8000
      """,
    ]),
  Mistake(
    "a host of a URL", without: "clusters",
    """
    clusters:
      local:
        endpoints: ["http://", "http://a b", "http://300.1.1.1", "http://[::1", "http://::1", "http://a_b!"]

    """,
    [
      """
      t.yaml:6:17: clusters.local.endpoints[0]: found "http://", expected a host name or an IP address (IPv6 \
      in [ ]) after ://
      """,
      """
      t.yaml:6:28: clusters.local.endpoints[1]: found "http://a b", expected a URL of visible ASCII characters
      """,
      """
      t.yaml:6:42: clusters.local.endpoints[2]: found "http://300.1.1.1", expected a host name or an IP \
      address (IPv6 in [ ]) after ://
      """,
      """
      t.yaml:6:62: clusters.local.endpoints[3]: found "http://[::1", expected an IPv6 address between [ and ]
      """,
      """
      t.yaml:6:77: clusters.local.endpoints[4]: found "http://::1", expected a host name or an IP address \
      (IPv6 in [ ]) after ://
      """,
      """
      t.yaml:6:91: clusters.local.endpoints[5]: found "http://a_b!", expected a host name or an IP address \
      (IPv6 in [ ]) after ://
      """,
    ]),
  Mistake(
    "a password in a URL, not shown", without: "clusters",
    """
    clusters:
      local:
        endpoints: ["http://me:sk-secret@a"]

    """,
    [
      """
      t.yaml:6:17: clusters.local.endpoints[0]: found a user name or password in the URL, expected none; write \
      the key as api_key
      """
    ]),
  Mistake(
    "a query in a URL, not shown", without: "clusters",
    """
    clusters:
      local:
        endpoints: ["http://a/v1?key=sk-secret"]

    """,
    [
      "t.yaml:6:17: clusters.local.endpoints[0]: expected a base address without ? and #; remove them"
    ]),
  Mistake(
    "a unix URL", without: "clusters",
    """
    clusters:
      local:
        endpoints: ["http+unix:model.sock", "http+unix:///model.sock"]

    """,
    [
      """
      t.yaml:6:17: clusters.local.endpoints[0]: found "http+unix:model.sock", expected an absolute path of at \
      most 107 bytes after http+unix:; write e.g. http+unix:/run/model.sock
      """,
      """
      t.yaml:6:41: clusters.local.endpoints[1]: found "http+unix:///model.sock", expected an absolute path of \
      at most 107 bytes after http+unix:; write e.g. http+unix:/run/model.sock
      """,
    ]),
  Mistake(
    "an endpoint twice", without: "clusters",
    """
    clusters:
      local:
        endpoints: ["http://a", "http://a:80/"]

    """,
    [
      "t.yaml:6:29: clusters.local.endpoints[1]: found this endpoint a second time; give it a weight: instead"
    ]),
  Mistake(
    "a weight", without: "clusters",
    """
    clusters:
      local:
        endpoints: [{ url: "http://a", weight: 0 }]

    """,
    [
      """
      t.yaml:6:36: clusters.local.endpoints[0].weight: found "0", expected a whole number from 1 to 1000; \
      write e.g. weight: 1
      """
    ]),
  Mistake(
    "an endpoint without its URL", without: "clusters",
    """
    clusters:
      local:
        endpoints: [{ weight: 1 }]

    """,
    [
      "t.yaml:6:17: clusters.local.endpoints[0].url: missing; write e.g. url: http://127.0.0.1:8000"
    ]),
  Mistake(
    "an endpoint with an unknown key", without: "clusters",
    """
    clusters:
      local:
        endpoints: [{ ulr: "http://a" }]

    """,
    [
      "t.yaml:6:17: clusters.local.endpoints[0].url: missing; write e.g. url: http://127.0.0.1:8000",
      "t.yaml:6:19: clusters.local.endpoints[0].ulr: unknown key; did you mean url?",
    ]),
  Mistake(
    "a key for the backend with a newline, not shown", without: "clusters",
    """
    clusters:
      local:
        endpoints: ["http://a"]
        api_key: "sk\\nsecret"

    """,
    [
      """
      t.yaml:7:5: clusters.local.api_key: found a value that is not shown here, expected 1 to 4096 visible \
      ASCII characters without spaces
      """
    ]),
  Mistake(
    "headers only the gateway may set", without: "clusters",
    """
    clusters:
      local:
        endpoints: ["http://a"]
        headers:
          Host: a
          content-length: 1
          X Y: 1
          X-A: "a\\r\\nB: c"
          X-B: [1]
          x-c: 1
          X-C: 2

    """,
    [
      "t.yaml:8:7: clusters.local.headers.Host: found a header that cannot be set: write host: beside headers:",
      """
      t.yaml:9:7: clusters.local.headers.content-length: found a header that cannot be set: the gateway frames \
      the body
      """,
      """
      t.yaml:10:7: clusters.local.headers.X Y: found "X Y", expected a header name (letters, digits, dashes)
      """,
      """
      t.yaml:11:7: clusters.local.headers.X-A: found a value that is not shown here, expected visible ASCII \
      characters, spaces only within
      """,
      """
      t.yaml:12:7: clusters.local.headers.X-B: found a list, expected visible ASCII characters, spaces only \
      within; remove this header or give it a value
      """,
      "t.yaml:14:7: clusters.local.headers.X-C: found this header a second time; keep one of them",
    ]),
  Mistake(
    "Authorization beside api_key", without: "clusters",
    """
    clusters:
      local:
        endpoints: ["http://a"]
        api_key: sk-a
        headers: { Authorization: Basic x }

    """,
    [
      "t.yaml:8:16: clusters.local.headers.Authorization: found Authorization beside api_key; keep one of them"
    ]),
  Mistake(
    "a host header", without: "clusters",
    """
    clusters:
      local:
        endpoints: ["http://a"]
        host: a/b

    """,
    [
      """
      t.yaml:7:5: clusters.local.host: found "a/b", expected a host name, perhaps with a port; write e.g. \
      host: model.example
      """
    ]),
  Mistake(
    "an authority file that is not there", without: "clusters",
    """
    clusters:
      local:
        endpoints: ["https://a"]
        tls: { ca_file: /nowhere.pem, verify: maybe, server_name: "a b" }

    """,
    [
      """
      t.yaml:7:12: clusters.local.tls.ca_file: found "/nowhere.pem", expected a file that can be read: no such \
      file or directory
      """,
      """
      t.yaml:7:35: clusters.local.tls.verify: found "maybe", expected true or false
      """,
      """
      t.yaml:7:50: clusters.local.tls.server_name: found "a b", expected a host name of letters, digits, dots \
      and dashes
      """,
    ]),
  Mistake(
    "a timeout", without: "clusters",
    """
    clusters:
      local:
        endpoints: ["http://a"]
        timeouts: { connect_seconds: fast, totl_seconds: 0 }

    """,
    [
      """
      t.yaml:7:17: clusters.local.timeouts.connect_seconds: found "fast", expected a number of seconds greater \
      than 0; write e.g. connect_seconds: 5
      """,
      "t.yaml:7:40: clusters.local.timeouts.totl_seconds: unknown key; did you mean total_seconds?",
    ]),
  Mistake(
    "a pool", without: "clusters",
    """
    clusters:
      local:
        endpoints: ["http://a"]
        pool: { idle_max: -1, idle_seconds: 0 }

    """,
    [
      """
      t.yaml:7:13: clusters.local.pool.idle_max: found "-1", expected a whole number from 0 to 65536; write \
      e.g. idle_max: 64
      """,
      """
      t.yaml:7:27: clusters.local.pool.idle_seconds: found "0", expected a number of seconds greater than 0; \
      write e.g. idle_seconds: 4
      """,
    ]),
  Mistake(
    "a balance", without: "clusters",
    """
    clusters:
      local:
        endpoints: ["http://a"]
        balance: weigthed

    """,
    [
      """
      t.yaml:7:5: clusters.local.balance: found "weigthed", expected weighted; did you mean weighted?
      """
    ]),
  Mistake(
    "a cluster twice by a variable", without: "clusters", environment: ["X": "local"],
    """
    clusters:
      local: { endpoints: ["http://a"] }
      ${X}: { endpoints: ["http://b"] }

    """,
    [
      "t.yaml:6:3: clusters.local: found a cluster of this name a second time; keep one of them"
    ]),
]
