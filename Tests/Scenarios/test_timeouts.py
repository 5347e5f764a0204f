"""Item 13: every wait has its own bound, and a total never cuts a flowing stream."""

import time

import pytest

from harness.backends import (
    SSE_HEAD,
    DripsOneByte,
    Echoes,
    FloodsForever,
    FullBacklog,
    NeverAnswers,
    NeverReads,
    NeverShakesHands,
    StallsAfterEvents,
    StallsAfterHead,
    StallsInPlainAnswer,
    StreamsEvents,
)
from harness.client import assert_ends_as_a_cut_stream, assert_envelope


def timed(deed):
    began = time.monotonic()
    return deed(), time.monotonic() - began


def test_connecting_has_a_bound(start, backend):
    gateway = start(backend(FullBacklog), timeouts={"connect_seconds": 0.4})
    answer, took = timed(lambda: gateway.client().chat().response())
    assert_envelope(answer, answer.status, "server_error", ("backend_timeout", "backend_unreachable"))
    assert answer.status in (502, 504) and 0.3 < took < 2


def test_the_tls_handshake_has_a_bound(start, backend):
    gateway = start(backend(NeverShakesHands), timeouts={"tls_seconds": 0.4})
    answer, took = timed(lambda: gateway.client().chat().response())
    assert answer.status in (502, 504) and 0.3 < took < 2


def test_the_first_byte_has_a_bound(start, backend):
    never_answers = backend(NeverAnswers)
    gateway = start(never_answers, timeouts={"first_byte_seconds": 0.4})
    answer, took = timed(lambda: gateway.client().chat().response())
    assert_envelope(answer, 504, "server_error", "backend_timeout")
    assert 0.3 < took < 2
    never_answers.peer_closed()


def test_the_first_byte_s_bound_is_over_with_the_first_byte(start, backend):
    gateway = start(backend(StreamsEvents, count=5, gap=0.3), timeouts={"first_byte_seconds": 0.5})
    assert not gateway.client().chat(stream=True).response().cut


@pytest.mark.parametrize("kind", [StallsAfterEvents, StallsAfterHead])
def test_a_stream_that_stalls_ends_with_an_error_event(start, backend, kind):
    stalls = backend(kind)
    gateway = start(stalls, timeouts={"between_bytes_seconds": 0.4})
    answer, took = timed(lambda: gateway.client().chat(stream=True).response())
    assert_ends_as_a_cut_stream(answer)
    assert 0.3 < took < 2
    stalls.peer_closed()


def test_a_plain_answer_that_stalls_is_cut(start, backend):
    gateway = start(backend(StallsInPlainAnswer), timeouts={"between_bytes_seconds": 0.4})
    answer, took = timed(lambda: gateway.client().chat().response())
    assert answer.cut and 0.3 < took < 2


def test_a_stream_that_flows_slowly_is_not_stalled(start, backend):
    gateway = start(backend(StreamsEvents, count=6, gap=0.3), timeouts={"between_bytes_seconds": 0.6})
    answer, took = timed(lambda: gateway.client().chat(stream=True).response())
    assert not answer.cut and took > 1.4


def test_the_total_cuts_a_plain_answer(start, backend):
    body = b"x" * 400
    raw = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 400\r\n\r\n" + body
    gateway = start(backend(DripsOneByte, raw, gap=0.01), timeouts={"total_seconds": 0.7})
    answer, took = timed(lambda: gateway.client().chat().response())
    assert (answer.cut or answer.status == 504) and 0.5 < took < 2.5


def test_the_total_never_cuts_a_flowing_stream(start, backend):
    gateway = start(backend(StreamsEvents, count=8, gap=0.2), timeouts={"total_seconds": 0.5})
    answer, took = timed(lambda: gateway.client().chat(stream=True).response())
    assert not answer.cut and answer.events()[-1] == "[DONE]" and took > 1.3


def test_a_cluster_s_bound_comes_before_the_general_one(start, backend):
    gateway = start(
        backend(NeverAnswers), timeouts={"first_byte_seconds": 30}, clusters={"local": {"timeouts": {"first_byte_seconds": 0.3}}}
    )
    answer, took = timed(lambda: gateway.client().chat().response())
    assert answer.status == 504 and took < 2


def test_a_head_that_does_not_end_is_given_up(start, backend):
    gateway = start(backend(Echoes), client={"head_seconds": 0.5})
    client = gateway.client()
    began = time.monotonic()
    for byte in b"GET /v1/files HTTP/1.1\r\nHost: a\r\nX-Slow: " + b"x" * 1000:
        if not client.try_send(bytes([byte])) or time.monotonic() - began > 5:
            break
        client.socket.settimeout(0.02)
        try:
            if not client.fill():
                break
        except TimeoutError:
            pass
    assert 0.3 < time.monotonic() - began < 3, "drips do not extend the time for the head"
    assert client.buffer == b"" or client.response_head().status == 408


def test_a_connection_that_says_nothing_is_given_up(start, backend):
    gateway = start(backend(Echoes), client={"head_seconds": 0.4})
    client, began = gateway.client(), time.monotonic()
    assert client.closed(4) and 0.2 < time.monotonic() - began < 3


def test_a_kept_connection_is_closed_when_idle(start, backend):
    gateway = start(backend(Echoes), client={"idle_seconds": 0.4})
    client = gateway.client()
    assert client.get("/v1/files").status == 200
    began = time.monotonic()
    assert client.rest() == b"" and 0.2 < time.monotonic() - began < 3


def test_a_kept_connection_that_is_used_is_not_idle(start, backend):
    gateway = start(backend(StreamsEvents, count=4, gap=0.25), client={"idle_seconds": 0.5, "head_seconds": 0.5})
    client = gateway.client()
    for _ in range(2):
        assert not client.chat(stream=True).response().cut


@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/files"])
def test_a_request_body_that_stalls_is_given_up(start, backend, target):
    echoes = backend(Echoes)
    gateway = start(echoes, client={"body_seconds": 0.4})
    client = gateway.client()
    client.send(client.head("POST", target, {"Content-Type": "application/json"}, 1000) + b'{"model":"m"')
    began = time.monotonic()
    answer = client.response()
    assert answer.status == 408 and 0.2 < time.monotonic() - began < 3
    assert client.closed(3)
    assert all(not request.complete for request in echoes.requests)


def test_a_request_body_that_flows_slowly_is_not_given_up(start, backend):
    gateway = start(backend(Echoes), client={"body_seconds": 0.5})
    client = gateway.client()
    body = b'{"model":"m"}'
    client.send(client.head("POST", "/v1/chat/completions", {"Content-Type": "application/json"}, len(body)))
    for byte in body:
        client.send(bytes([byte]))
        client.socket.settimeout(0.1)
        try:
            client.fill()
        except TimeoutError:
            pass
    client.socket.settimeout(5)
    assert client.response().status == 200


def test_a_client_that_takes_nothing_is_given_up(start, backend):
    floods = backend(FloodsForever)
    gateway = start(floods, client={"write_stall_seconds": 0.6})
    client = gateway.client(receive_buffer=4096).chat(stream=True)
    client.response_head()
    floods.peer_closed(seconds=8)


def test_a_client_that_takes_a_little_now_and_then_is_not_given_up(start, backend):
    floods = backend(FloodsForever)
    gateway = start(floods, client={"write_stall_seconds": 1.0})
    client = gateway.client(receive_buffer=4096).chat(stream=True)
    client.response_head()
    connection, began = floods.saw_connection(), time.monotonic()
    while time.monotonic() - began < 2.5:
        for _ in range(400):
            client.event()
        assert connection.closed_by_peer_at is None


def test_a_backend_that_takes_nothing_is_given_up(start, backend):
    gateway = start(backend(NeverReads, receive_buffer=4096), timeouts={"write_stall_seconds": 0.6})
    client = gateway.client()
    client.send(client.head("POST", "/v1/files", {"Content-Type": "application/octet-stream"}, 100_000_000))
    client.socket.settimeout(0.3)
    try:
        while client.try_send(b"x" * 65_536):
            pass
    except TimeoutError:
        pass
    client.socket.settimeout(5)
    assert client.response().status in (502, 504)


def test_the_defaults_suit_models(start, backend):
    """A first token after a few seconds is normal; no default may be near that."""
    raw = SSE_HEAD + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"

    class Thinks(DripsOneByte):
        def answer(self, connection, request):
            self.over.wait(6)
            return connection.send(self.raw)

    answer = start(backend(Thinks, raw)).client(timeout=20).chat(stream=True).response()
    assert answer.status == 200 and not answer.cut
