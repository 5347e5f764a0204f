// Mistakes an operator makes, with the exact words about them: models, default_cluster, unknown_models, demo_backend, dns.

let routingMistakes: [Mistake] = [
  Mistake(
    "a model whose cluster does not exist",
    """
    models:
      m: { cluster: locla }

    """,
    [
      """
      t.yaml:6:8: models.m.cluster: found "locla", expected the name of a cluster; did you mean local?
      """
    ]),
  Mistake(
    "a model whose cluster is like no other",
    """
    models:
      m: { cluster: openai }

    """,
    [
      """
      t.yaml:6:8: models.m.cluster: found "openai", expected the name of a cluster; there is local
      """
    ]),
  Mistake(
    "a model without a cluster",
    """
    models:
      m: { name: x }

    """,
    [
      "t.yaml:6:3: models.m.cluster: missing; name the cluster that serves it"
    ]),
  Mistake(
    "a model that is empty",
    """
    models:
      m:

    """,
    [
      "t.yaml:6:3: models.m.cluster: missing; name the cluster that serves it"
    ]),
  Mistake(
    "a model that is a word",
    """
    models:
      m: local

    """,
    [
      "t.yaml:6:3: models.m: found a single value, expected a mapping; write keys with values, indented below it"
    ]),
  Mistake(
    "a model twice",
    """
    models:
      m: { cluster: local }
      "m": { cluster: local }

    """,
    [
      """
      t.yaml:7:3: found "m" again, it stands at 6:3 already; keep one of them
      """
    ]),
  Mistake(
    "a model twice by a variable", environment: ["M": "m"],
    """
    models:
      m: { cluster: local }
      ${M}: { cluster: local }

    """,
    [
      "t.yaml:7:3: models.m: found a model of this name a second time; keep one of them"
    ]),
  Mistake(
    "a date for created",
    """
    models:
      m: { cluster: local, created: 2024-01-01 }

    """,
    [
      """
      t.yaml:6:24: models.m.created: found "2024-01-01", expected a whole number from 0 to 253402300799; write \
      e.g. created: 0
      """
    ]),
  Mistake(
    "no default cluster and no models", without: "default_cluster", "",
    [
      """
      t.yaml:1:1: default_cluster: missing; without models it says where requests go; write e.g. \
      default_cluster: local
      """
    ]),
  Mistake(
    "a default cluster that does not exist", without: "default_cluster", "default_cluster: lcal\n",
    [
      """
      t.yaml:4:1: default_cluster: found "lcal", expected the name of a cluster; did you mean local?
      """
    ]),
  Mistake(
    "forward without a default cluster", without: "default_cluster",
    """
    models:
      m: { cluster: local }
    unknown_models: forward

    """,
    [
      """
      t.yaml:6:1: unknown_models: found "forward" without a default_cluster; write e.g. default_cluster: local
      """
    ]),
  Mistake(
    "reject without models", "unknown_models: reject\n",
    [
      """
      t.yaml:5:1: unknown_models: found "reject" without models, which refuses every model; list models, or \
      write forward
      """
    ]),
  Mistake(
    "an unknown word for unknown models", "unknown_models: forwards\n",
    [
      """
      t.yaml:5:1: unknown_models: found "forwards", expected reject or forward; did you mean forward?
      """
    ]),
  Mistake(
    "a demo backend at the listener's address",
    """
    demo_backend: { address: "127.0.0.1:8080" }

    """,
    [
      """
      t.yaml:5:1: demo_backend: found address 127.0.0.1:8080, which the listener 127.0.0.1:8080 has; change \
      one of them
      """
    ]),
  Mistake(
    "a demo backend without models", "demo_backend: { models: [] }\n",
    [
      """
      t.yaml:5:17: demo_backend.models: found an empty list, expected at least one name; write e.g. models: \
      [demo]
      """
    ]),
  Mistake(
    "a demo backend with a model twice", "demo_backend: { models: [a, a] }\n",
    [
      "t.yaml:5:29: demo_backend.models[1]: found this model a second time; keep one of them"
    ]),
  Mistake(
    "a demo backend that is slow", "demo_backend: { word_milliseconds: 1000000 }\n",
    [
      """
      t.yaml:5:17: demo_backend.word_milliseconds: found "1000000", expected a whole number from 0 to 60000; \
      write e.g. word_milliseconds: 30
      """
    ]),
  Mistake(
    "no time between look-ups", "dns: { refresh_seconds: 0 }\n",
    [
      """
      t.yaml:5:8: dns.refresh_seconds: found "0", expected a number of seconds greater than 0; write e.g. \
      refresh_seconds: 30
      """
    ]),
]
