"""What holds from one request of a connection to the next: pipelining, pauses, refusals, and what a reload may not mix up."""

import json
import os
import signal
import socket
import struct
import time

import pytest

from harness.backends import Backend, Echoes, NeverAnswers, NeverReads, chunk
from harness.client import assert_envelope
from harness.gateway import free_port, merged
from harness.waiting import never, until

GET = b"GET /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-tests-0123456789abcdef\r\n\r\n"


def reload(gateway, config):
    gateway.write(config)
    before = sum("reloaded" in line for line in gateway.errors)
    gateway.signal(signal.SIGHUP)
    until("the reload", lambda: sum("reloaded" in line for line in gateway.errors) > before)


def cpu_seconds(gateway):
    fields = open(f"/proc/{gateway.process.pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Floods(Backend):
    """Answers with `count` bytes of known length."""

    def __init__(self, count, **rest):
        self.count = count
        super().__init__(**rest)

    def answer(self, connection, request):
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: %d\r\n\r\n" % self.count
        return connection.send(head + b"x" * self.count)


def test_a_malformed_second_request_is_answered_and_ends_the_connection(start, backend):
    gateway = start(backend(Echoes))
    client = gateway.client()
    assert client.get("/v1/files").status == 200
    client.send(b"GET / NONSENSE\r\n\r\n")
    assert client.response().status == 400
    assert client.closed(5)
    gateway.logged(status=400)


def test_a_second_head_that_does_not_end_is_answered_and_ends_the_connection(start, backend):
    gateway = start(backend(Echoes), client={"head_seconds": 0.3})
    client = gateway.client()
    assert client.get("/v1/files").status == 200
    client.send(b"GET / HTTP/1.1\r\nHost:")
    answer = client.response()
    assert answer.status == 408 and answer.header("x-request-id")
    assert client.closed(5)


def test_an_answer_goes_on_while_the_client_pipelines_much(start, backend):
    size = 24 << 20
    gateway = start(backend(Floods, size))
    client = gateway.client(receive_buffer=4096)
    client.send(GET)
    until("the answer to fill the client's socket", lambda: select_readable(client), 5)
    time.sleep(0.3)
    client.socket.settimeout(2)
    client.try_send(GET * 1500)
    client.socket.settimeout(10)
    assert len(client.response().body) == size


def select_readable(client):
    import select

    return select.select([client.socket], [], [], 0)[0]


class FloodsFramed(Backend):
    """The same 12 MB in one framing or another, written in pieces of all sizes."""

    DATA = bytes(range(256)) * (12 << 12)
    HEADS = {
        "length": b"content-length: %d\r\n" % len(DATA),
        "chunks": b"transfer-encoding: chunked\r\n",
        "close": b"connection: close\r\n",
    }

    def __init__(self, framing, **rest):
        self.framing = framing
        super().__init__(**rest)

    def answer(self, connection, request):
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n" + self.HEADS[self.framing] + b"\r\n")
        at, size = 0, 1
        while at < len(self.DATA):
            piece = self.DATA[at : at + size]
            if not connection.send(chunk(piece) if self.framing == "chunks" else piece):
                return False
            at += len(piece)
            size = size * 7 % 100_003
        if self.framing == "chunks":
            connection.send(b"0\r\n\r\n")
        return self.framing != "close"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("framing", ["length", "chunks", "close"])
@pytest.mark.parametrize("secured", [False, True], ids=["plain", "tls"])
def test_every_framing_survives_a_reader_that_stops_and_goes(start, backend, certificates, framing, version, secured):
    changes = {}
    if secured:
        changes["listeners"] = [{"address": f"127.0.0.1:{free_port()}", "tls": certificates.pair("good")}]
    gateway = start(backend(FloodsFramed, framing), **changes)
    client = gateway.client(receive_buffer=8192, **({"tls": certificates.client_context()} if secured else {}))
    client.request("GET", "/v1/files", version=version)
    time.sleep(0.3)
    answer = client.response()
    assert not answer.cut and answer.body == FloodsFramed.DATA


def two_clusters(port, backend):
    return {
        "workers": 1,
        "listeners": [{"address": f"127.0.0.1:{port}"}],
        "auth": {"keys": [{"name": "tests", "value": "sk-tests-0123456789abcdef"}]},
        "limits": {"per_ip": "off"},
        "shutdown": {"drain_seconds": 0.5},
        "log": {"access": "stdout"},
        "clusters": {
            "one": {"endpoints": [f"{backend.url}/one"], "api_key": "key-one"},
            "two": {"endpoints": [f"{backend.url}/two"], "api_key": "key-two"},
        },
        "models": {"m": {"cluster": "one"}, "n": {"cluster": "two"}},
    }


def test_a_reload_keeps_apart_what_clusters_send_to_one_address(start, backend):
    echoes = backend(Echoes)
    config = two_clusters(free_port(), echoes)
    gateway = start(config=config)
    for _ in range(3):
        for model, name in (("m", "one"), ("n", "two")):
            seen = gateway.client().chat(model=model).response().json()
            assert seen["target"] == f"/{name}/chat/completions"
            assert dict((k.lower(), v) for k, v in seen["headers"])["authorization"] == f"Bearer key-{name}"
        reload(gateway, config)


def test_a_request_from_before_a_reload_does_not_bring_the_old_key_back(start, backend):
    echoes = backend(Echoes)
    config = two_clusters(free_port(), echoes)
    gateway = start(config=config)
    body = json.dumps({"model": "m", "messages": []}).encode()
    old = gateway.client()
    old.send(old.head("POST", "/v1/chat/completions", [("Content-Type", "application/json")], len(body)) + body[:5])
    assert gateway.client().chat(model="m").response().status == 200
    reload(gateway, merged(config, {"clusters": {"one": {"api_key": "key-new"}}}))
    old.send(body[5:])
    assert old.response().status == 200
    for _ in range(2):
        seen = gateway.client().chat(model="m").response().json()
        assert dict((k.lower(), v) for k, v in seen["headers"])["authorization"] == "Bearer key-new"


class TakesLittle(NeverReads):
    """Never reads, behind a connection of small segments, so that little fits in between."""

    def __init__(self, **rest):
        super().__init__(receive_buffer=2048, **rest)
        self.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)


def test_an_upload_that_begins_with_much_waits_for_a_slow_backend(start, backend):
    gateway = start(backend(TakesLittle))
    client = gateway.client(timeout=1)
    piece = chunk(b"u" * 32768)
    client.send(client.head("POST", "/v1/files", [("Content-Type", "application/octet-stream"), ("Transfer-Encoding", "chunked")]) + piece * 2)
    before = gateway.resident_bytes()
    sent = 0
    try:
        while sent < 64 << 20:
            client.send(piece)
            sent += len(piece)
    except TimeoutError:
        pass
    assert sent < 32 << 20, sent
    assert gateway.resident_bytes() - before < 8 << 20


def test_small_pieces_of_an_upload_do_not_hold_a_buffer_each(start, backend):
    gateway = start(backend(TakesLittle))
    client = gateway.client(timeout=1)
    client.send(client.head("POST", "/v1/files", [("Content-Type", "application/octet-stream"), ("Transfer-Encoding", "chunked")]))
    before = gateway.resident_bytes()
    piece = chunk(b"u" * 60)
    big = chunk(b"u" * 30000)
    try:
        for _ in range(40):
            client.send(big)
            time.sleep(0.002)
        for _ in range(3000):
            client.send(piece)
            time.sleep(0.0003)
    except TimeoutError:
        pass
    grown = gateway.resident_bytes() - before
    print("grown", grown)
    assert grown < 4 << 20


def test_a_slow_http_1_0_client_costs_no_buffer_per_event(start, backend):
    class Drips(Backend):
        def answer(self, connection, request):
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n")
            for _ in range(80):
                connection.send(chunk(b"y" * 60000))
            for _ in range(2000):
                if not connection.send(chunk(b"z" * 60)):
                    return False
                time.sleep(0.0003)
            connection.wait_for_close()

    gateway = start(backend(Drips))
    before = gateway.resident_bytes()
    client = gateway.client(receive_buffer=4096)
    client.send(b"GET /v1/files HTTP/1.0\r\nHost: x\r\nAuthorization: Bearer sk-tests-0123456789abcdef\r\n\r\n")
    time.sleep(3)
    grown = gateway.resident_bytes() - before
    print("grown", grown)
    assert grown < 4 << 20


class RefusesEarly(Backend):
    """Answers 413 as soon as the head is there, and resets without reading the body."""

    def serve(self, connection):
        connection.read_head()
        connection.send(b"HTTP/1.1 413 Too Large\r\ncontent-type: text/plain\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbig")
        time.sleep(0.1)


def test_what_a_backend_said_before_it_refused_the_rest_is_passed_on(start, backend):
    gateway = start(backend(RefusesEarly, receive_buffer=4096))
    body = json.dumps({"model": "m", "messages": [], "pad": "p" * (8 << 20)}).encode()
    for _ in range(5):
        client = gateway.client(timeout=10)
        answer = client.post("/v1/chat/completions", body, [("Content-Type", "application/json")])
        assert answer.status == 413 and answer.body == b"big", answer


def test_a_streamed_upload_leaves_its_connection_to_the_next_request(start, backend):
    echoes = backend(Echoes)
    gateway = start(echoes)
    client = gateway.client()
    for _ in range(2):
        client.send(client.head("POST", "/v1/files", [("Content-Type", "application/octet-stream"), ("Transfer-Encoding", "chunked")]))
        client.send(chunk(b"abc") + b"0\r\n\r\n")
        assert client.response().json()["bytes"] == 3
    assert client.get("/v1/files").json()["connection"] == 1


def test_a_body_for_an_unknown_path_is_not_held(start, backend):
    gateway = start(backend(Echoes))
    client = gateway.client(key=None)
    client.send(client.head("POST", "/nowhere", [("Content-Type", "application/json")], 40 << 20))
    assert_envelope(client.response(), 404, "invalid_request_error", None)


def test_the_total_time_counts_while_a_plain_answer_is_awaited(start, backend):
    gateway = start(backend(NeverAnswers), timeouts={"total_seconds": 0.5})
    began = time.monotonic()
    assert gateway.client().chat().response().status == 504
    assert time.monotonic() - began < 3


def test_an_encoded_slash_does_not_hide_a_dot_segment(start, backend):
    gateway = start(backend(Echoes))
    for path in ("/v1/..%2fadmin", "/v1/%2e%2e%5Cadmin", "/v1/a%2F..%2F..%2Fadmin", "/v1/x%2f%2e%2E"):
        assert gateway.client().get(path).status == 404, path
    assert gateway.client().get("/v1/files/a%2Fb..c").status == 200


def test_an_empty_line_before_a_request_may_come_in_two_pieces(start, backend):
    gateway = start(backend(Echoes))
    client = gateway.client()
    assert client.get("/v1/files").status == 200
    for piece in (b"\r", b"\n", b"\r\n"):
        client.send(piece)
        time.sleep(0.05)
    assert client.get("/v1/files").status == 200


def test_single_byte_chunks_do_not_multiply_the_memory_of_a_held_body(start, backend):
    gateway = start(backend(NeverAnswers))
    client = gateway.client(timeout=20)
    client.send(client.head("POST", "/v1/chat/completions", [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")]))
    before = gateway.resident_bytes()
    count = 1 << 19
    piece = b"1\r\nx\r\n" * 8192
    client.send(chunk(b'{"model":"m","p":"'))
    for _ in range(count // 8192):
        client.send(piece)
    time.sleep(0.5)
    grown = gateway.resident_bytes() - before
    print("grown", grown)
    assert grown < 8 << 20


def test_an_answer_before_the_upload_failed_does_not_spin(start, backend):
    class AnswersThenResets(Backend):
        def serve(self, connection):
            connection.read_head()
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n" % (64 << 20))
            connection.send(b"x" * (12 << 20))
            self.over.wait(0.2)
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    gateway = start(backend(AnswersThenResets, receive_buffer=4096))
    client = gateway.client(receive_buffer=4096, timeout=3)
    body = json.dumps({"model": "m", "messages": [], "pad": "p" * (8 << 20)}).encode()
    client.try_send(client.head("POST", "/v1/chat/completions", [("Content-Type", "application/json")], len(body)) + body)
    time.sleep(1.0)
    before = cpu_seconds(gateway)
    time.sleep(1.0)
    assert cpu_seconds(gateway) - before < 0.3


def test_an_address_that_swallows_packets_leaves_time_to_the_next(start, backend):
    names = [address[4][0] for address in socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)]
    if names[:2] != ["::1", "127.0.0.1"]:
        pytest.skip("localhost has one address here")
    echoes = backend(Echoes)
    # A listener whose backlog is full drops what knocks.
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as deaf:
        deaf.bind(("::1", echoes.port))
        deaf.listen(0)
        knocking = [socket.socket(socket.AF_INET6, socket.SOCK_STREAM) for _ in range(4)]
        for one in knocking:
            one.setblocking(False)
            one.connect_ex(("::1", echoes.port))
        gateway = start(f"http://localhost:{echoes.port}", timeouts={"connect_seconds": 1})
        assert gateway.client().chat().response().status == 200
        for one in knocking:
            one.close()
