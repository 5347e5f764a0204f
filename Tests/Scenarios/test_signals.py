"""Item 14: SIGTERM and SIGINT drain, SIGHUP swaps the snapshot, a bad file changes nothing."""

import signal
import socket
import time

import pytest

from harness.backends import Echoes, NeverAnswers, StallsAfterEvents, StreamsEvents, StreamsOnDemand
from harness.client import Client, assert_ends_as_a_cut_stream
from harness.gateway import merged
from harness.waiting import never, until

ENDING = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


def refuses(gateway):
    try:
        Client(gateway.address, timeout=1).close()
        return False
    except OSError:
        return True


@ENDING
def test_an_idle_gateway_ends_at_once_with_0(start, backend, number):
    gateway = start(backend(Echoes), shutdown={"drain_seconds": 30})
    gateway.client().get("/health")
    began = time.monotonic()
    gateway.signal(number)
    assert gateway.wait() == 0 and time.monotonic() - began < 2


def test_a_signal_right_after_the_start_ends_it_cleanly(start, backend):
    for _ in range(5):
        gateway = start(backend(Echoes))
        gateway.signal(signal.SIGTERM)
        assert gateway.wait() == 0


def test_kept_connections_without_a_request_do_not_hold_up_the_end(start, backend):
    gateway = start(backend(Echoes), shutdown={"drain_seconds": 30})
    clients = [gateway.client() for _ in range(5)]
    for client in clients[1:]:
        assert client.get("/v1/files").status == 200
    began = time.monotonic()
    gateway.signal(signal.SIGTERM)
    assert gateway.wait() == 0 and time.monotonic() - began < 2
    assert all(client.closed(1) for client in clients)


def test_a_request_that_came_before_the_signal_is_answered(start, backend):
    gateway = start(backend(Echoes), workers=1, shutdown={"drain_seconds": 10}, limits={"per_ip": "off"})
    clients = [gateway.client() for _ in range(60)]
    for client in clients:
        assert client.get("/health").status == 200
    gateway.signal(signal.SIGSTOP)
    gateway.signal(signal.SIGTERM)
    for client in clients:
        client.send(client.head("GET", "/health"))
    gateway.signal(signal.SIGCONT)
    answers = [client.response() for client in clients]
    assert all(answer.status in (200, 503) for answer in answers), answers
    assert gateway.wait() == 0


def test_a_refusal_on_its_way_is_not_reset_by_the_signal(start, backend):
    gateway = start(backend(Echoes), client={"body_bytes_max": 4096}, shutdown={"drain_seconds": 10})
    client = gateway.client()
    client.send(client.head("POST", "/v1/chat/completions", {"Content-Type": "application/json"}, 1 << 20))
    assert client.response().status == 413
    gateway.signal(signal.SIGTERM)
    until("the listener to close", lambda: refuses(gateway))
    for _ in range(3):
        client.send(b"x" * 50_000)
        never("a reset", lambda: client.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0.1)
    client.close()
    assert gateway.wait() == 0


@ENDING
def test_a_stream_finishes_within_the_drain(start, backend, number):
    streams = backend(StreamsEvents, count=10, gap=0.1)
    gateway = start(streams, shutdown={"drain_seconds": 10})
    client = gateway.client().chat(stream=True)
    client.response_head()
    client.event()
    gateway.signal(number)
    until("the listener to close", lambda: refuses(gateway))
    rest = client.rest()
    assert rest.endswith(b"0\r\n\r\n") and b"[DONE]" in rest
    assert gateway.wait() == 0


def test_a_plain_answer_finishes_within_the_drain_and_says_close(start, backend):
    class Thinks(Echoes):
        def answer(self, connection, request):
            self.over.wait(0.7)
            return super().answer(connection, request)

    thinks = backend(Thinks)
    gateway = start(thinks, shutdown={"drain_seconds": 10})
    client = gateway.client().chat()
    thinks.saw()
    gateway.signal(signal.SIGTERM)
    answer = client.response()
    assert answer.status == 200 and (answer.header("connection") or "").lower() == "close"
    assert client.closed(2)
    assert gateway.wait() == 0


def test_a_stream_beyond_the_drain_is_ended_honestly(start, backend):
    stalls = backend(StallsAfterEvents, 2)
    gateway = start(stalls, shutdown={"drain_seconds": 0.5})
    client = gateway.client().chat(stream=True)
    answer = client.response_head()
    began = time.monotonic()
    gateway.signal(signal.SIGTERM)
    client.read_body(answer)
    assert_ends_as_a_cut_stream(answer)
    assert 0.3 < time.monotonic() - began < 3
    assert gateway.wait() == 0
    stalls.peer_closed()


def test_a_request_beyond_the_drain_is_answered_503(start, backend):
    stalls = backend(NeverAnswers)
    gateway = start(stalls, shutdown={"drain_seconds": 0.5})
    client = gateway.client().chat()
    stalls.saw()
    gateway.signal(signal.SIGTERM)
    answer = client.response()
    assert answer.status == 503 and answer.json()["error"]["type"] in ("server_error", "service_unavailable_error")
    assert gateway.wait() == 0


def test_a_second_signal_ends_it_now(start, backend):
    stalls = backend(StallsAfterEvents, 2)
    gateway = start(stalls, shutdown={"drain_seconds": 30})
    client = gateway.client().chat(stream=True)
    client.response_head()
    gateway.signal(signal.SIGTERM)
    until("the listener to close", lambda: refuses(gateway))
    began = time.monotonic()
    gateway.signal(signal.SIGTERM)
    gateway.wait(5)
    assert time.monotonic() - began < 3


def test_readiness_flips_while_draining(start, backend):
    streams = backend(StreamsOnDemand)
    gateway = start(streams, shutdown={"drain_seconds": 10})
    stream = gateway.client().chat(stream=True)
    stream.response_head()
    probe = gateway.client()
    assert probe.get("/ready").status == 200
    # A probe that is under way while the signal comes: its head is incomplete, so the connection is not idle.
    probe.send(b"GET /ready HTTP/1.1\r\nHost: a\r\n")
    never("anything but waiting", lambda: False, 0.1)
    gateway.signal(signal.SIGTERM)
    until("the listener to close", lambda: refuses(gateway))
    probe.send(b"\r\n")
    assert probe.response().status == 503
    streams.finish()
    assert gateway.wait() == 0


# SIGHUP


def reload(gateway, config=None, text=None):
    """Writes a file, sends SIGHUP and awaits that the gateway speaks of it."""
    before = len(gateway.errors)
    gateway.write(config, text)
    gateway.signal(signal.SIGHUP)
    until("the gateway to speak of the reload", lambda: len(gateway.errors) > before)
    return "\n".join(gateway.errors[before:])


def test_a_reload_takes_new_models_and_keys(start, backend):
    gateway = start(backend(Echoes))
    client = gateway.client()
    assert client.chat(model="new").response().status == 404
    changes = {"models": {"new": {"cluster": "local"}}, "auth": {"keys": [{"name": "other", "value": "sk-other"}]}}
    reload(gateway, merged(gateway.config, changes))
    until("the new key", lambda: gateway.client(key="sk-other").chat(model="new").response().status == 200)
    assert gateway.client().chat(model="new").response().status == 401, "the old key is gone"


def test_a_reload_moves_new_requests_to_new_backends_and_leaves_open_streams(start, backend):
    old, new = backend(StreamsOnDemand), backend(Echoes)
    gateway = start(old)
    stream = gateway.client().chat(stream=True)
    stream.response_head()
    reload(gateway, merged(gateway.config, {"clusters": {"local": {"endpoints": [new.url]}}}))
    assert gateway.client().chat().response().json()["method"] == "POST"
    for index in range(3):
        old.release()
        assert f"word-{index} " in stream.event()
    old.finish()
    assert b"[DONE]" in stream.take_through(b"0\r\n\r\n")
    assert len(new.requests) == 1


@pytest.mark.parametrize(
    "text",
    ["", "not: [valid", "listeners: 5\n", "unknown_key: 1\n", "\x00\x01\x02", "- a\n- b\n", "&a [*a]\n", "a: " * 500],
)
def test_a_bad_file_changes_nothing_and_is_told(start, backend, text):
    gateway = start(backend(Echoes))
    good = gateway.file.read_text()
    told = reload(gateway, text=text)
    assert "sluice.yaml" in told
    assert gateway.client().chat().response().status == 200
    gateway.write(text=good)


def test_a_missing_file_changes_nothing(start, backend):
    gateway = start(backend(Echoes))
    before = len(gateway.errors)
    gateway.file.unlink()
    gateway.signal(signal.SIGHUP)
    until("the gateway to speak of it", lambda: len(gateway.errors) > before)
    assert gateway.client().chat().response().status == 200


def test_many_reloads_under_load_lose_no_request(start, backend):
    gateway = start(backend(StreamsEvents, count=5, gap=0.005), workers=2)
    clients = [gateway.client() for _ in range(8)]
    for round in range(12):
        for client in clients:
            client.chat(stream=True)
        gateway.signal(signal.SIGHUP)
        for client in clients:
            answer = client.response()
            assert answer.status == 200 and not answer.cut and answer.events()[-1] == "[DONE]"


def test_a_reload_does_not_give_anybody_a_fresh_limit(start, backend):
    gateway = start(backend(Echoes), limits={"per_ip": {"requests": 3, "seconds": 6000, "burst": 3}})
    client = gateway.client()
    assert [client.get("/v1/files").status for _ in range(4)] == [200, 200, 200, 429]
    reload(gateway)
    assert gateway.client().get("/v1/files").status == 429


def test_reloads_do_not_leak_descriptors(start, backend):
    gateway = start(backend(Echoes), workers=2)
    client = gateway.client()
    client.chat().response()
    before = gateway.descriptor_count()
    for _ in range(10):
        reload(gateway)
        assert client.chat().response().status == 200
    until("the descriptors to settle", lambda: gateway.descriptor_count() <= before + 4)
