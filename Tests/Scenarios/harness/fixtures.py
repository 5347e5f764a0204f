"""The fixtures of both suites. A conftest imports them by name."""

import pytest

from .certificates import Certificates
from .gateway import Gateway, basic_config, free_port


@pytest.fixture
def start(tmp_path):
    """`start(backend, section={...})` runs a gateway before that backend, with the basic configuration changed so.

    At the end of the test each one is stopped by SIGTERM and must end cleanly.
    """
    running = []

    def start(backend=None, config=None, environment=None, descriptors=None, address=None, ready=True, **changes):
        directory = tmp_path / f"gateway{len(running)}"
        directory.mkdir()
        config = config or basic_config(free_port(), backend, **changes)
        gateway = Gateway(directory, config, environment, descriptors, address)
        running.append(gateway)
        return gateway.start(ready)

    yield start
    failures = []
    for gateway in running:
        try:
            gateway.stop()
        except AssertionError as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)


@pytest.fixture
def backend():
    """`backend(Kind, ...)` starts a scripted backend that ends with the test."""
    running = []

    def backend(kind, *arguments, **rest):
        one = kind(*arguments, **rest)
        running.append(one)
        return one

    yield backend
    for one in running:
        one.stop()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))
