"""Large plain bodies that nobody reads go from socket to socket through a pipe, and behave as all others do."""

import os
import re

import pytest

from harness.backends import Answers, Backend
from harness.client import Cut
from harness.waiting import stands_still, until

SIZE = 8_000_000
PATH = "/v1/files/x/content"


def head(size=SIZE, type_="application/octet-stream"):
    return b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n" % (type_.encode(), size)


class InPieces(Backend):
    """Sends more than all buffers on the way hold (kernels let one grow to 32 MB), piece by piece; `connections[i].bytes_sent` says how far it came."""

    body = os.urandom(1_000_000) * 48

    def answer(self, connection, request):
        answer = head(len(self.body)) + self.body
        return all(connection.send(answer[at : at + 65536]) for at in range(0, len(answer), 65536))


class BreaksOff(Backend):
    """Sends half of a large body of announced length and closes."""

    def answer(self, connection, request):
        connection.send(head() + b"x" * (SIZE // 2))
        return False


def spliced(gateway):
    gateway.signal(15)
    gateway.wait()
    return int(re.search(r"(\d+) spliced", until("the last line", lambda: re.search(r"\d+ spliced.*", gateway.text())).group(0)).group(1))


def test_a_large_body_is_spliced_and_arrives_whole_and_the_connections_go_on(start, backend):
    body = os.urandom(SIZE)
    answers = backend(Answers, head() + body)
    gateway = start(answers)
    client = gateway.client(timeout=30)
    for _ in range(3):
        answer = client.get(PATH)
        assert answer.framing == "length" and answer.body == body
    assert len(answers.connections) == 1, "the backend's connection was used again"
    assert spliced(gateway) > SIZE


def test_the_log_counts_spliced_bytes_and_none_is_copied(start, backend):
    gateway = start(backend(Answers, head() + b"x" * SIZE))
    gateway.client(timeout=30).get(PATH)
    record = gateway.logged(path=PATH)
    assert record["bytes_out"] > SIZE and record["bytes_copied"] == 0 and record["outcome"] == "done"


def test_a_slow_reader_of_a_spliced_body_stops_the_backend_and_loses_nothing(start, backend):
    answers = backend(InPieces)
    gateway = start(answers)
    before = gateway.resident_bytes()
    client = gateway.client(receive_buffer=65536, timeout=30)
    client.request("GET", PATH)
    response = client.response_head()
    until("the backend to be stopped by the slow reader", lambda: stands_still(answers.connections[0]), 20)
    assert answers.connections[0].bytes_sent < len(answers.body)
    assert gateway.resident_bytes() - before < 4 << 20
    client.read_body(response)
    assert response.body == answers.body


class ThenThinks(InPieces):
    """Sends the large body to the first request, and to later ones a small one, 1.2 seconds after they came."""

    body = os.urandom(1_000_000) * 24

    def answer(self, connection, request):
        if len(self.requests) == 1:
            return super().answer(connection, request)
        self.over.wait(1.2)
        return connection.send(head(2) + b"ok")


def test_a_slow_reader_of_a_spliced_body_is_not_timed_out_in_its_next_request(start, backend):
    """The stall's time was armed once more behind the last bytes, and then cut whatever came next."""
    gateway = start(backend(ThenThinks), client={"write_stall_seconds": 0.6})
    client = gateway.client(receive_buffer=65536, timeout=30)
    client.request("GET", PATH)
    client.read_body(client.response_head())
    assert client.get(PATH).body == b"ok"


@pytest.mark.parametrize("leave", ["close", "reset"])
def test_a_client_that_leaves_a_spliced_body_frees_the_backend(start, backend, leave):
    answers = backend(Answers, head(400_000_000) + b"x" * 40_000_000)
    gateway = start(answers)
    client = gateway.client(receive_buffer=4096)
    client.request("GET", PATH)
    client.response_head()
    for _ in range(50):
        client.fill()
    getattr(client, leave)()
    answers.peer_closed()
    assert gateway.client().get("/health").status == 200


def test_descriptors_of_pipes_do_not_pile_up(start, backend):
    gateway = start(backend(Answers, head(400_000_000) + b"x" * 4_000_000))
    before = gateway.descriptor_count()
    for _ in range(20):
        client = gateway.client(receive_buffer=4096)
        client.request("GET", PATH)
        client.response_head()
        client.fill()
        client.reset()
    until("all descriptors to be closed but those of kept pipes", lambda: gateway.descriptor_count() <= before + 16)


def test_a_backend_that_breaks_off_a_spliced_body_is_told_as_a_cut(start, backend):
    gateway = start(backend(BreaksOff))
    client = gateway.client(timeout=30)
    client.request("GET", PATH)
    response = client.response_head()
    try:
        client.read_body(response)
        assert response.cut
    except Cut:
        pass
    assert gateway.logged(outcome="upstream_cut")["bytes_out"] >= SIZE // 2


def test_a_large_body_that_ends_with_its_connection_is_relayed_as_before(start, backend):
    body = os.urandom(SIZE)
    gateway = start(backend(Answers, b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + body, keep=False))
    answer = gateway.client(timeout=30).get(PATH)
    assert answer.body == body
    assert spliced(gateway) == 0
