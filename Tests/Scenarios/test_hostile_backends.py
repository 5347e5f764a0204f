"""Bad input from a backend: 502 with an envelope while nothing was sent, a visible cut after that, and no reuse."""

import random

import pytest

from harness.backends import (
    Answers,
    ClosesMidHead,
    ClosesWithoutAnswer,
    Echoes,
    ResetsAtAccept,
    SendsGarbage,
    StreamsEvents,
)
from harness.client import assert_envelope

OK = b"HTTP/1.1 200 OK\r\n"
GARBAGE = {
    "noise": b"\x00\xff\xfe garbage \r\n\r\n",
    "HTTP/0.9": b"<html>hello</html>\r\n\r\n",
    "HTTP/2": b"HTTP/2 200\r\ncontent-length: 2\r\n\r\n{}",
    "a status of two digits": b"HTTP/1.1 20 OK\r\ncontent-length: 2\r\n\r\n{}",
    "a status of letters": b"HTTP/1.1 abc OK\r\ncontent-length: 2\r\n\r\n{}",
    "length and chunked": OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "two lengths": OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    "a bad length": OK + b"content-length: two\r\n\r\n{}",
    "an unknown coding": OK + b"transfer-encoding: gzip\r\n\r\n{}",
    "a folded line": OK + b"x-a: 1\r\n 2\r\ncontent-length: 2\r\n\r\n{}",
    "a bare CR": OK + b"x-a: 1\r2\r\ncontent-length: 2\r\n\r\n{}",
    "a NUL": OK + b"x-a: 1\x002\r\ncontent-length: 2\r\n\r\n{}",
    "a space before the colon": OK + b"content-length : 2\r\n\r\n{}",
    "a huge head": OK + b"x-long: " + b"x" * 200_000 + b"\r\ncontent-length: 2\r\n\r\n{}",
    "an endless head": OK + b"x-long: " + b"x" * 200_000,
    "a thousand headers": OK + b"".join(b"x-%d: 1\r\n" % i for i in range(1000)) + b"content-length: 2\r\n\r\n{}",
    "101 that nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
}

@pytest.mark.parametrize("name", GARBAGE)
def test_a_backend_that_does_not_speak_http_is_a_502(start, backend, name):
    gateway = start(backend(SendsGarbage, GARBAGE[name]), timeouts={"first_byte_seconds": 3})
    client = gateway.client()
    answer = client.chat().response()
    assert_envelope(answer, 502, "server_error", "backend_bad_response")
    assert client.get("/health").status == 200, "the client's connection is fine"


def test_endless_interim_answers_are_no_answer(start, backend):
    raw = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 20_000
    gateway = start(backend(SendsGarbage, raw), timeouts={"first_byte_seconds": 1})
    assert gateway.client().chat().response().status in (502, 504)


@pytest.mark.parametrize(
    "kind, code",
    [(ClosesWithoutAnswer, "backend_unreachable"), (ClosesMidHead, "backend_bad_response"), (ResetsAtAccept, "backend_unreachable")],
)
def test_a_backend_that_closes_before_its_answer_is_a_502(start, backend, kind, code):
    client = start(backend(kind)).client()
    assert_envelope(client.chat().response(), 502, "server_error", code)
    assert client.get("/health").status == 200


def test_a_body_with_bad_chunks_is_cut(start, backend):
    raw = OK + b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\nhello\r\n"
    answer = start(backend(SendsGarbage, raw)).client().chat().response()
    assert answer.status == 502 or answer.cut, answer


def test_a_second_answer_nobody_asked_for_is_never_given_to_the_next_client(start, backend):
    body = b'{"whose":"%s"}'
    first = OK + b"content-length: 17\r\n\r\n" + body % b"first"
    stolen = OK + b"content-length: 18\r\n\r\n" + body % b"stolen"
    gateway = start(backend(Answers, first + stolen))
    client = gateway.client()
    for _ in range(5):
        answer = client.get("/v1/files")
        assert answer.body == body % b"first", answer


def test_more_body_than_announced_is_not_given_to_the_next_client(start, backend):
    gateway = start(backend(Answers, OK + b"content-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen"))
    client = gateway.client()
    for _ in range(5):
        assert client.get("/v1/files").body == b"{}"


def test_a_body_where_none_may_be_is_not_given_to_the_next_client(start, backend):
    gateway = start(backend(Answers, b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen"))
    client = gateway.client()
    for _ in range(5):
        answer = client.get("/v1/files")
        assert answer.status == 204 or answer.status == 502, answer
        assert b"stolen" not in answer.body


@pytest.mark.parametrize("seed", range(4))
def test_a_backend_s_random_bytes_harm_nobody(start, backend, seed):
    source = random.Random(seed)
    good = OK + b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n13\r\ndata: {\"index\":1}\n\n\r\n0\r\n\r\n"

    class Mutates(Echoes):
        def answer(self, connection, request):
            raw = bytearray(good)
            for _ in range(source.randint(1, 6)):
                at = source.randrange(len(raw))
                if source.random() < 0.6:
                    raw[at] = source.randrange(256)
                else:
                    del raw[at : at + source.randint(1, 12)]
            connection.send(bytes(raw))
            return False

    healthy = backend(StreamsEvents, count=3)
    gateway = start(
        backend(Mutates),
        timeouts={"first_byte_seconds": 2, "between_bytes_seconds": 2},
        clusters={"healthy": {"endpoints": [healthy.url]}},
        models={"good": {"cluster": "healthy"}},
    )
    for _ in range(50):
        client = gateway.client(timeout=10)
        answer = client.chat(stream=True).response()
        assert answer.status >= 200
        client.close()
    answer = gateway.client().chat(model="good", stream=True).response()
    assert answer.events()[-1] == "[DONE]" and not answer.cut, f"seed {seed}"
