"""Item 5: bytes travel as they are, at once, and no faster than the slower side takes them."""

import hashlib
import json
import os
import time

import pytest

from harness.backends import (
    SSE_HEAD,
    AnswersEarly,
    Answers,
    CloseDelimited,
    DripsOneByte,
    Echoes,
    FloodsForever,
    NeverReads,
    StallsAfterHead,
    StreamsEvents,
    StreamsOnDemand,
    chunk,
    event,
)
from harness.waiting import stands_still, until


def test_a_stream_arrives_event_by_event_and_ends_with_done(start, backend):
    gateway = start(backend(StreamsEvents, count=20))
    answer = gateway.client().chat(stream=True).response()
    assert answer.status == 200 and not answer.cut
    assert answer.header("content-type") == "text/event-stream; charset=utf-8"
    assert answer.body == b"".join(event(i) for i in range(20)) + b"data: [DONE]\n\n"


def test_each_event_is_delivered_before_the_next_one_is_sent(start, backend):
    streams = backend(StreamsOnDemand)
    client = start(streams).client().chat(stream=True)
    assert client.response_head().status == 200
    for index in range(5):
        streams.release()
        assert f"word-{index} " in client.event()
    streams.finish()


def test_the_head_of_a_stream_is_delivered_before_its_first_event(start, backend):
    client = start(backend(StallsAfterHead)).client().chat(stream=True)
    assert client.response_head().header("content-type").startswith("text/event-stream")


def test_a_slow_stream_is_not_gathered(start, backend):
    client = start(backend(StreamsEvents, count=6, gap=0.1)).client().chat(stream=True)
    client.response_head()
    arrivals = []
    for _ in range(6):
        client.event()
        arrivals.append(time.monotonic())
    gaps = [b - a for a, b in zip(arrivals, arrivals[1:])]
    assert min(gaps) > 0.05, gaps


@pytest.mark.parametrize("size", [0, 1, 255, 4096, 65535, 65536, 65537, 1_000_000, 9_000_000])
def test_a_plain_body_of_any_size_arrives_whole(start, backend, size):
    body = os.urandom(size)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: %d\r\n\r\n" % size
    answer = start(backend(Answers, head + body)).client().get("/v1/files/x/content")
    assert answer.framing == "length" and answer.body == body


def test_a_chunked_body_arrives_whole_whatever_its_chunks(start, backend):
    pieces = [os.urandom(n) for n in (1, 2, 15, 16, 17, 4096, 70_000, 1, 200_000)]
    raw = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"".join(chunk(p) for p in pieces) + b"0\r\n\r\n"
    answer = start(backend(Answers, raw)).client().get("/v1/files/x/content")
    assert not answer.cut and answer.body == b"".join(pieces)


def test_a_close_delimited_body_arrives_whole_and_ends_properly(start, backend):
    body = os.urandom(300_000)
    gateway = start(backend(CloseDelimited, body=body, content_type=b"application/octet-stream", pieces=7))
    answer = gateway.client().get("/v1/files/x/content")
    assert not answer.cut and answer.body == body


def test_an_answer_dripped_byte_by_byte_is_the_same_answer(start, backend):
    raw = SSE_HEAD + chunk(event(0)) + chunk(event(1)) + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"
    gateway = start(backend(DripsOneByte, raw))
    answer = gateway.client().chat(stream=True).response()
    assert not answer.cut and answer.body == event(0) + event(1) + b"data: [DONE]\n\n"


def test_a_request_dripped_byte_by_byte_is_the_same_request(start, backend):
    gateway = start(backend(Echoes))
    body = json.dumps({"model": "m", "messages": []}).encode()
    client = gateway.client()
    raw = client.head("POST", "/v1/chat/completions", {"Content-Type": "application/json"}, len(body)) + body
    for at in range(len(raw)):
        client.send(raw[at : at + 1])
    seen = client.response().json()
    assert seen["sha256"] == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("size", [1, 65_536, 5_000_000])
def test_an_upload_of_known_length_arrives_whole(start, backend, size):
    body = os.urandom(size)
    gateway = start(backend(Echoes))
    seen = gateway.client().post("/v1/files", body, {"Content-Type": "application/octet-stream"}).json()
    assert seen["bytes"] == size and seen["sha256"] == hashlib.sha256(body).hexdigest()


def test_a_chunked_upload_arrives_whole(start, backend):
    gateway = start(backend(Echoes))
    pieces = [os.urandom(n) for n in (1, 70_000, 3, 250_000)]
    client = gateway.client()
    client.send(client.head("POST", "/v1/files", {"Transfer-Encoding": "chunked", "Content-Type": "application/octet-stream"}))
    for piece in pieces:
        client.send(chunk(piece))
    seen = client.send(b"0\r\n\r\n").response().json()
    assert seen["sha256"] == hashlib.sha256(b"".join(pieces)).hexdigest()


def test_a_chunked_json_request_is_routed_by_its_model(start, backend):
    gateway = start(backend(Echoes))
    client = gateway.client()
    client.send(client.head("POST", "/v1/chat/completions", {"Transfer-Encoding": "chunked", "Content-Type": "application/json"}))
    body = b'{"messages":[],"model":"m"}'
    for at in range(0, len(body), 5):
        client.send(chunk(body[at : at + 5]))
    seen = client.send(b"0\r\n\r\n").response().json()
    assert seen["sha256"] == hashlib.sha256(body).hexdigest()


def test_a_slow_reader_stops_the_backend_and_the_gateway_keeps_its_size(start, backend):
    floods = backend(FloodsForever)
    gateway = start(floods)
    before = gateway.resident_bytes()
    client = gateway.client(receive_buffer=4096).chat(stream=True)
    client.response_head()
    connection = floods.saw_connection()
    until("the flooding backend to be stopped by the slow reader", lambda: stands_still(connection), 20)
    assert gateway.resident_bytes() - before < 8 << 20
    stopped_at = connection.bytes_sent
    # It goes on when the reader does, and loses nothing.
    index = 0
    while connection.bytes_sent == stopped_at:
        assert f"word-{index % 64} " in client.event()
        index += 1
        assert index < 100_000, "the backend was not resumed"


def test_a_paused_client_that_leaves_is_noticed(start, backend):
    floods = backend(FloodsForever)
    gateway = start(floods)
    client = gateway.client(receive_buffer=4096).chat(stream=True)
    client.response_head()
    connection = floods.saw_connection()
    until("the flood to fill the sockets", lambda: connection.bytes_sent > 500_000)
    client.reset()
    floods.peer_closed()


def test_a_backend_that_does_not_read_stops_the_upload(start, backend):
    never_reads = backend(NeverReads, receive_buffer=4096)
    gateway = start(never_reads)
    before = gateway.resident_bytes()
    client = gateway.client(timeout=0.5)
    client.send(client.head("POST", "/v1/files", {"Content-Type": "application/octet-stream"}, length=200_000_000))
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 200_000_000:
            sent += client.socket.send(b"x" * 65_536)
    assert sent < 40_000_000
    assert gateway.resident_bytes() - before < 8 << 20


def test_an_answer_before_the_upload_is_over_reaches_the_client(start, backend):
    body = b'{"error":{"message":"too big","type":"invalid_request_error","param":null,"code":null}}'
    raw = b"HTTP/1.1 413 Payload Too Large\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
    gateway = start(backend(AnswersEarly, raw + body, read_rest=True))
    client = gateway.client()
    client.send(client.head("POST", "/v1/files", {"Content-Type": "application/octet-stream"}, length=50_000_000))
    for _ in range(16):
        client.try_send(b"x" * 65_536)
    answer = client.response()
    assert answer.status == 413 and answer.body == body


def test_two_hundred_streams_at_once_do_not_mix(start, backend):
    gateway = start(backend(StreamsEvents, count=10, gap=0.01), workers=2)
    clients = [gateway.client().chat(stream=True) for _ in range(200)]
    wanted = b"".join(event(i) for i in range(10)) + b"data: [DONE]\n\n"
    for client in clients:
        answer = client.response()
        assert answer.body == wanted and not answer.cut
        client.close()


def test_one_stalled_reader_among_many_streams_of_a_turn_loses_nothing_and_delays_nobody(start, backend):
    """Pieces of many streams that are read in one turn share the room they were read into."""
    count = 4000
    gateway = start(backend(StreamsEvents, count=count), workers=1)
    stalled = [gateway.client(receive_buffer=4096, timeout=30).chat(stream=True) for _ in range(3)]
    clients = [gateway.client(timeout=30).chat(stream=True) for _ in range(12)]
    wanted = b"".join(event(i) for i in range(count)) + b"data: [DONE]\n\n"
    for client in clients + stalled:
        answer = client.response()
        assert answer.body == wanted and not answer.cut
