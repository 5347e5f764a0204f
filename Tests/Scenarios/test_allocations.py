"""Item 5 and design, "Bytes": relaying an event allocates nothing and copies nothing in user space.

A shim counts every allocation and every copy of 64 bytes or more in the whole process, between event 500 and event
2,000 of one stream. The bound leaves room for what happens per second, not per event.
"""

import os
import struct
import subprocess

import pytest

from harness.backends import Answers, StreamsOnDemand
from harness.counting import SOURCE, Counts, build

BEFORE, COUNTED = 500, 1500


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    return build(tmp_path_factory.mktemp("counting"))


@pytest.fixture
def counts(shim, tmp_path):
    return Counts(tmp_path / "counts", shim)


def relay(client, streams, count, gap):
    streams.release(count, gap)
    for _ in range(count):
        client.event()


@pytest.mark.parametrize("gap", [0.0, 0.001], ids=["in bursts", "one by one"])
def test_an_event_is_relayed_without_an_allocation_a_copy_or_a_lock(start, backend, counts, gap):
    streams = backend(StreamsOnDemand)
    gateway = start(streams, environment=counts.environment)
    start_up = counts.read()
    assert start_up["allocations"] > 0 and start_up["locks"] > 0, "the shim counts"
    client = gateway.client().chat(stream=True)
    client.response_head()
    relay(client, streams, BEFORE, gap)
    before = counts.read()
    relay(client, streams, COUNTED, gap)
    after = counts.read()
    per_event = {name: (after[name] - before[name]) / COUNTED for name in after}
    assert per_event["allocations"] < 0.01, per_event
    assert per_event["copies"] < 0.01, per_event
    assert per_event["locks"] < 0.01, per_event
    streams.finish()
    client.take_through(b"0\r\n\r\n")


def test_a_request_costs_a_bounded_number_of_allocations(start, backend, counts):
    """Not zero by design, yet it may not creep up unseen: a hundred a request is already too many."""
    answers = backend(Answers, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
    gateway = start(answers, environment=counts.environment, log={"access": "off"})
    client = gateway.client()

    def ask(count):
        for _ in range(count):
            assert client.chat().response().status == 200

    ask(200)
    before = counts.read()
    ask(500)
    per_request = (counts.read()["allocations"] - before["allocations"]) / 500
    assert per_request < 100, per_request


def test_the_shim_sees_a_copy(shim, tmp_path):
    """A counter that cannot count would make every test above pass."""
    path = tmp_path / "counts"
    path.write_bytes(b"\0" * 4096)
    environment = {**os.environ, "SLUICE_COUNTS": str(path), "LD_PRELOAD": str(shim)}
    subprocess.run(["sort", "/etc/services" if os.path.exists("/etc/services") else str(SOURCE)], env=environment, check=True, capture_output=True, timeout=20)
    numbers = struct.unpack("<4Q", path.read_bytes()[:32])
    assert numbers[0] > 0 and numbers[2] > 0, numbers
