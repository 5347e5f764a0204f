"""Scenario tests run with `make scenarios`, or one by one: .venv/bin/python -m pytest Tests/Scenarios -k name"""

from harness.fixtures import backend, certificates, start  # noqa: F401


def pytest_make_parametrize_id(config, val, argname):
    """Long values get short names: the name of a test becomes a variable of the gateway's environment."""
    if isinstance(val, (str, bytes)) and len(val) > 60:
        return f"{str(val[:30])}...{len(val)}"
    return None
