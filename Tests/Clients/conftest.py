"""Client tests run with `make clients`: the real openai package and curl against the gateway."""

from harness.fixtures import backend, certificates, start  # noqa: F401
