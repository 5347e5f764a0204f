"""Item 5: whoever leaves, the other side is told at once and truthfully."""

import time

import pytest

from harness.backends import (
    ClosesAfterHead,
    ClosesBetweenEvents,
    ClosesMidBody,
    ClosesMidChunk,
    ClosesMidEvent,
    NeverAnswers,
    NeverReads,
    ResetsMidStream,
    StallsAfterEvents,
    StallsAfterHead,
    StallsInPlainAnswer,
    StreamsEvents,
    Echoes,
    CloseDelimited,
)
from harness.client import assert_ends_as_a_cut_stream


def leave_by_fin(client):
    client.finish()


def leave_by_close(client):
    client.close()


def leave_by_reset(client):
    client.reset()


LEAVING = pytest.mark.parametrize("leave", [leave_by_fin, leave_by_close, leave_by_reset])


@LEAVING
def test_a_client_that_leaves_before_the_first_token_closes_the_backend_connection(start, backend, leave):
    stalls = backend(NeverAnswers)
    client = start(stalls).client().chat(stream=True)
    stalls.saw()
    left = time.monotonic()
    leave(client)
    assert stalls.peer_closed() - left < 1.0


@LEAVING
def test_a_client_that_leaves_after_the_head_closes_the_backend_connection(start, backend, leave):
    stalls = backend(StallsAfterHead)
    client = start(stalls).client().chat(stream=True)
    client.response_head()
    left = time.monotonic()
    leave(client)
    assert stalls.peer_closed() - left < 1.0


@LEAVING
def test_a_client_that_leaves_in_mid_stream_closes_the_backend_connection(start, backend, leave):
    stalls = backend(StallsAfterEvents, 2)
    client = start(stalls).client().chat(stream=True)
    client.response_head()
    client.event()
    client.event()
    left = time.monotonic()
    leave(client)
    assert stalls.peer_closed() - left < 1.0


@LEAVING
def test_a_client_that_leaves_while_a_plain_answer_is_awaited_closes_the_backend_connection(start, backend, leave):
    stalls = backend(NeverAnswers)
    client = start(stalls).client().chat()
    stalls.saw()
    left = time.monotonic()
    leave(client)
    assert stalls.peer_closed() - left < 1.0


@LEAVING
def test_a_client_that_leaves_in_mid_body_closes_the_backend_connection(start, backend, leave):
    stalls = backend(StallsInPlainAnswer)
    client = start(stalls).client().chat()
    client.response_head()
    leave(client)
    stalls.peer_closed()


@LEAVING
def test_a_client_that_leaves_in_mid_upload_closes_the_backend_connection(start, backend, leave):
    reads = backend(Echoes)
    client = start(reads).client()
    client.send(client.head("POST", "/v1/files", {"Content-Type": "application/octet-stream"}, length=1_000_000))
    client.send(b"x" * 100_000)
    request = reads.saw()
    leave(client)
    reads.peer_closed()
    assert not request.complete


def test_a_client_that_leaves_a_stopped_upload_closes_the_backend_connection(start, backend):
    never_reads = backend(NeverReads)
    gateway = start(never_reads)
    client = gateway.client(timeout=0.5)
    client.send(client.head("POST", "/v1/files", {"Content-Type": "application/octet-stream"}, length=100_000_000))
    with pytest.raises(TimeoutError):
        while True:
            client.socket.send(b"x" * 65_536)
    never_reads.saw_connection()
    client.reset()
    gateway.logged(path="/v1/files", seconds=5)


def test_a_client_that_leaves_in_mid_upload_never_ends_the_upload_cleanly(start, backend):
    reads = backend(Echoes)
    client = start(reads).client()
    client.send(client.head("POST", "/v1/files", {"Transfer-Encoding": "chunked", "Content-Type": "application/octet-stream"}))
    client.send(b"5\r\nhello\r\n")
    request = reads.saw()
    client.finish()
    reads.peer_closed()
    assert not request.complete


@pytest.mark.parametrize("broken", [ClosesMidEvent, ClosesBetweenEvents, ClosesMidChunk, ResetsMidStream])
def test_a_cut_stream_is_seen_as_a_cut(start, backend, broken):
    answer = start(backend(broken)).client().chat(stream=True).response()
    assert answer.cut and b"[DONE]" not in answer.body


@pytest.mark.parametrize("broken", [ClosesBetweenEvents, ResetsMidStream])
def test_a_stream_cut_between_events_ends_with_an_error_event(start, backend, broken):
    answer = start(backend(broken)).client().chat(stream=True).response()
    error = assert_ends_as_a_cut_stream(answer)
    assert error["type"] and error["message"]


def test_a_stream_cut_before_its_first_event_ends_with_an_error_event(start, backend):
    assert_ends_as_a_cut_stream(start(backend(ClosesAfterHead)).client().chat(stream=True).response())


def test_a_stream_cut_within_an_event_keeps_the_error_event_apart_from_the_half(start, backend):
    answer = start(backend(ClosesMidEvent)).client().chat(stream=True).response()
    assert answer.cut
    whole = answer.body.replace(b"\r\n", b"\n").split(b"\n\n")
    errors = [part for part in whole if b'"error"' in part]
    # An error event there has to be one of its own; a client that sees only the cut is told the truth, too.
    for part in errors:
        assert part.lstrip(b"\n").startswith(b'data: {"error"'), answer.body


def test_a_close_delimited_stream_is_over_when_the_backend_closes(start, backend):
    body = b'data: {"a":1}\n\ndata: [DONE]\n\n'
    gateway = start(backend(CloseDelimited, body=body, content_type=b"text/event-stream"))
    answer = gateway.client().chat(stream=True).response()
    assert answer.body == body and not answer.cut


def test_a_cut_plain_body_of_known_length_is_seen_as_a_cut(start, backend):
    answer = start(backend(ClosesMidBody)).client().chat().response()
    assert answer.cut and answer.body == b'{"half":'


def test_a_cut_is_in_the_access_log(start, backend):
    gateway = start(backend(ClosesBetweenEvents))
    gateway.client().chat(stream=True).response()
    record = gateway.logged(path="/v1/chat/completions")
    assert record["outcome"] not in ("ok", "complete", "completed", "done", None)


def test_a_client_gone_before_the_answer_is_in_the_access_log(start, backend):
    stalls = backend(NeverAnswers)
    gateway = start(stalls)
    client = gateway.client().chat(stream=True)
    stalls.saw()
    client.close()
    record = gateway.logged(path="/v1/chat/completions")
    assert record["outcome"] not in ("ok", "complete", "completed", "done", None)


def test_the_others_lose_nothing_when_one_leaves(start, backend):
    gateway = start(backend(StreamsEvents, count=30, gap=0.01))
    clients = [gateway.client().chat(stream=True) for _ in range(20)]
    for client in clients[::2]:
        client.response_head()
        client.reset()
    for client in clients[1::2]:
        answer = client.response()
        assert not answer.cut and answer.events()[-1] == "[DONE]" and len(answer.events()) == 31
