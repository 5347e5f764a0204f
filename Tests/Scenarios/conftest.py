"""Scenario tests run with `make scenarios`, or one by one: .venv/bin/python -m pytest Tests/Scenarios -k name"""

from harness.fixtures import backend, certificates, start  # noqa: F401
