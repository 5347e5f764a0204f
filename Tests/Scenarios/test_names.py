"""Item 3: names of endpoints are resolved off the loop, and again when they are old.

A shim in front of the C library's look-up lets a name move while the gateway runs.
"""

import subprocess
from pathlib import Path

import pytest

from harness.backends import Echoes
from harness.waiting import until

SOURCE = Path(__file__).parent / "names" / "names.c"


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    library = tmp_path_factory.mktemp("names") / "names.so"
    subprocess.run(["cc", "-O2", "-Wall", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"], check=True, timeout=60)
    return library


@pytest.fixture
def moving(shim, tmp_path, start, backend):
    """A gateway before `moving.test`, and the file that says where that is. No connection outlives its request."""
    file = tmp_path / "moving"
    echoes = backend(Echoes)
    url = f"http://moving.test:{echoes.url.rsplit(':', 1)[1]}"
    clusters = {"local": {"endpoints": [url], "pool": {"idle_max": 0}}}
    environment = {"LD_PRELOAD": str(shim), "SLUICE_NAMES": str(file)}

    def run(address):
        file.write_text(address)
        return start(echoes, environment=environment, clusters=clusters, dns={"refresh_seconds": 0.1})

    return run, file


def test_an_endpoint_that_moves_is_followed(moving):
    run, file = moving
    gateway = run("127.0.0.1")
    assert gateway.client().chat().response().status == 200
    # Nothing listens at the second address: whoever asks there is refused.
    file.write_text("127.0.0.77")
    until("the new address to be asked", lambda: gateway.client().chat().response().status == 502)
    file.write_text("127.0.0.1")
    until("the old address to be asked again", lambda: gateway.client().chat().response().status == 200)


def test_a_name_that_cannot_be_looked_up_any_more_keeps_its_last_address(moving):
    run, file = moving
    gateway = run("127.0.0.1")
    assert gateway.client().chat().response().status == 200
    file.unlink()
    for _ in range(20):
        assert gateway.client().chat().response().status == 200


def test_a_name_that_can_be_looked_up_later_is_found_then(moving):
    run, file = moving
    gateway = run("127.0.0.1")
    file.unlink()
    assert gateway.client().chat().response().status == 502
    file.write_text("127.0.0.1")
    until("the name to be found", lambda: gateway.client().chat().response().status == 200)
