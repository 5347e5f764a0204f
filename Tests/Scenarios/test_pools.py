"""Item 12: connections to backends are kept, newest first, and a stale one never becomes an error or a second POST."""

import time

import pytest

from harness.backends import Answers, ClosesKeepAliveAfterAnswer, ClosesWithoutAnswer, DiesOnReuse, Echoes, StreamsEvents
from harness.waiting import never, until

CLOSES = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"


def test_one_backend_connection_serves_one_request_after_another(start, backend):
    echoes = backend(Echoes)
    gateway = start(echoes)
    for _ in range(10):
        assert gateway.client().chat().response().status == 200
    assert len(echoes.connections) == 1


def test_a_stream_s_connection_is_reused_after_its_end(start, backend):
    streams = backend(StreamsEvents, count=3)
    client = start(streams).client()
    for _ in range(5):
        assert client.chat(stream=True).response().events()[-1] == "[DONE]"
    assert len(streams.connections) == 1


def test_the_newest_connection_is_taken_first(start, backend):
    echoes = backend(StreamsEvents, count=3, gap=0.05)
    gateway = start(echoes, clusters={"local": {"pool": {"idle_seconds": 1}}})
    clients = [gateway.client() for _ in range(4)]
    for client in clients:
        client.chat(stream=True)
    for client in clients:
        client.response()
    assert len(echoes.connections) == 4
    counts = lambda: [len(c.requests) for c in echoes.connections]
    for _ in range(6):
        clients[0].chat(stream=True).response()
    assert sorted(counts()) == [1, 1, 1, 7]


def test_idle_connections_are_closed_in_time(start, backend):
    echoes = backend(Echoes)
    gateway = start(echoes, clusters={"local": {"pool": {"idle_seconds": 0.4}}})
    gateway.client().chat().response()
    began = time.monotonic()
    closed = echoes.peer_closed(seconds=4)
    assert 0.2 < closed - began < 2.5


def test_no_more_idle_connections_are_kept_than_told(start, backend):
    streams = backend(StreamsEvents, count=2, gap=0.1)
    gateway = start(streams, clusters={"local": {"pool": {"idle_max": 2}}})
    clients = [gateway.client().chat(stream=True) for _ in range(6)]
    for client in clients:
        client.response()
    until("all but two to be closed", lambda: sum(c.closed_by_peer_at is None for c in streams.connections) == 2)
    never("more of them are closed", lambda: sum(c.closed_by_peer_at is None for c in streams.connections) < 2)


def test_a_pool_of_none_keeps_none(start, backend):
    echoes = backend(Echoes)
    gateway = start(echoes, clusters={"local": {"pool": {"idle_max": 0}}})
    for _ in range(3):
        assert gateway.client().chat().response().status == 200
    assert len(echoes.connections) == 3


def test_a_backend_that_closes_after_every_answer_is_never_an_error(start, backend):
    closes = backend(ClosesKeepAliveAfterAnswer)
    client = start(closes).client()
    statuses = [client.chat().response().status for _ in range(200)]
    assert statuses == [200] * 200
    assert len(closes.requests) == 200


def test_a_backend_that_says_close_is_believed(start, backend):
    closes = backend(Answers, CLOSES)
    client = start(closes).client()
    for _ in range(20):
        answer = client.chat().response()
        assert answer.status == 200 and (answer.header("connection") or "").lower() != "close", "that was about the other connection"
    assert len(closes.connections) == 20


def test_a_reused_connection_that_dies_before_a_byte_is_retried_once_unseen(start, backend):
    dies = backend(DiesOnReuse)
    client = start(dies).client()
    statuses = [client.chat().response().status for _ in range(20)]
    assert statuses == [200] * 20


def test_a_body_is_sent_again_whole_on_the_retry(start, backend):
    dies = backend(DiesOnReuse)
    client = start(dies).client()
    client.chat().response()
    client.chat(prompt="x" * 100_000).response()
    bodies = [r.body for r in dies.requests if r.complete and len(r.body) > 1000]
    assert bodies and all(body == bodies[0] for body in bodies)


def test_a_fresh_connection_that_dies_is_not_retried(start, backend):
    closes = backend(ClosesWithoutAnswer)
    gateway = start(closes)
    assert gateway.client().chat().response().status == 502
    never("the request comes a second time", lambda: len(closes.requests) > 1)
    assert gateway.logged(status=502)["attempts"] == 1


def test_a_connection_that_dies_after_a_byte_is_not_retried(start, backend):
    dies = backend(DiesOnReuse, dying=b"HTTP/1.1 2")
    client = start(dies).client()
    assert client.chat().response().status == 200
    assert client.chat().response().status == 502
    assert len(dies.requests) == 2, "a POST is never sent twice once a byte of an answer came"


@pytest.mark.parametrize("workers", [1, 2])
def test_every_worker_keeps_its_own_pool(start, backend, workers):
    echoes = backend(Echoes)
    gateway = start(echoes, workers=workers)
    for _ in range(30):
        assert gateway.client().chat().response().status == 200
    assert len(echoes.connections) <= workers


def test_reuse_is_in_the_access_log(start, backend):
    gateway = start(backend(Echoes))
    client = gateway.client()
    client.get("/v1/files/one")
    client.get("/v1/files/two")
    assert gateway.logged(path="/v1/files/one")["reused"] is False
    assert gateway.logged(path="/v1/files/two")["reused"] is True


def test_a_reused_connection_that_dies_late_is_a_502_and_no_second_request(start, backend):
    """The backend may have worked on the request, and have died of it: only a connection that dies at once was stale."""

    class DiesLate(DiesOnReuse):
        def answer(self, connection, request):
            if len(connection.requests) > 1:
                self.over.wait(1.3)
            return super().answer(connection, request)

    dies = backend(DiesLate)
    client = start(dies).client()
    assert client.chat().response().status == 200
    assert client.chat().response().status == 502
    assert len(dies.requests) == 2
