"""Item 4: HTTP/1.1 both ways."""

import json

import pytest

from harness.backends import Answers, CloseDelimited, Echoes, Sends1xx, SendsTrailers, StreamsEvents, NeverAnswers, event
from harness.client import Cut

JSON = {"Content-Type": "application/json"}
BODY = b'{"model":"m","messages":[]}'


def test_a_connection_serves_many_requests(start, backend):
    echoes = backend(Echoes)
    client = start(echoes).client()
    for index in range(50):
        assert client.post("/v1/chat/completions", BODY, JSON).status == 200
    assert len(echoes.connections) == 1, "the backend connection is kept, too"


def test_pipelined_requests_are_answered_in_order(start, backend):
    client = start(backend(Echoes)).client()
    burst = b"".join(client.head("GET", f"/v1/files/{index}") for index in range(20))
    client.send(burst)
    assert [client.response().json()["target"] for _ in range(20)] == [f"/v1/files/{index}" for index in range(20)]


def test_pipelined_requests_with_bodies_keep_their_boundaries(start, backend):
    client = start(backend(Echoes)).client()
    raw = b""
    bodies = [json.dumps({"model": "m", "n": "x" * n}).encode() for n in (0, 1, 5000, 100_000, 7)]
    for body in bodies:
        raw += client.head("POST", "/v1/chat/completions", JSON, len(body)) + body
    client.send(raw)
    assert [client.response().json()["bytes"] for _ in bodies] == [len(body) for body in bodies]


def test_a_request_pipelined_behind_a_stream_waits_for_its_end(start, backend):
    client = start(backend(StreamsEvents, count=5, gap=0.02)).client()
    client.chat(stream=True)
    client.chat(stream=True)
    for _ in range(2):
        answer = client.response()
        assert not answer.cut and answer.events()[-1] == "[DONE]"


def test_connection_close_is_honoured(start, backend):
    client = start(backend(Echoes)).client()
    answer = client.get("/v1/files", {"Connection": "close"})
    assert answer.status == 200 and answer.header("connection") == "close"
    assert client.closed(2)


def test_an_http_1_0_client_gets_a_body_it_can_read_and_the_close(start, backend):
    client = start(backend(StreamsEvents, count=3)).client()
    client.request("POST", "/v1/chat/completions", JSON, BODY, version="1.0")
    answer = client.response()
    assert answer.status == 200 and answer.framing == "close", "chunked is not for HTTP/1.0"
    assert answer.body == b"".join(event(i) for i in range(3)) + b"data: [DONE]\n\n"


def test_an_http_1_0_client_may_keep_the_connection_when_it_asks(start, backend):
    client = start(backend(Echoes)).client()
    client.request("GET", "/v1/files", {"Connection": "keep-alive"}, version="1.0")
    answer = client.response()
    assert answer.status == 200 and answer.framing == "length"
    if (answer.header("connection") or "").lower() == "keep-alive":
        assert client.get("/v1/files").status == 200
    else:
        assert client.closed(2)


def test_an_http_1_0_request_without_a_host_is_served(start, backend):
    client = start(backend(Echoes)).client()
    assert client.request("GET", "/v1/files", host=None, version="1.0").response().status == 200


def test_head_has_no_body_and_keeps_the_connection(start, backend):
    client = start(backend(Echoes)).client()
    client.request("HEAD", "/v1/files")
    answer = client.response(of="HEAD")
    assert answer.status == 200 and int(answer.header("content-length")) > 0
    assert client.get("/v1/files").json()["method"] == "GET"


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_keeps_both_connections(start, backend, status):
    answers = backend(Answers, f"HTTP/1.1 {status} Nothing\r\nx-mark: 1\r\n\r\n")
    client = start(answers).client()
    for _ in range(3):
        answer = client.get("/v1/files")
        assert answer.status == status and answer.header("x-mark") == "1"
        assert answer.header("transfer-encoding") is None
    assert len(answers.connections) == 1


def test_interim_answers_of_the_backend_do_not_take_the_place_of_the_final_one(start, backend):
    client = start(backend(Sends1xx)).client()
    for _ in range(2):
        answer = client.post("/v1/chat/completions", BODY, JSON)
        assert answer.status == 200 and answer.body == b"{}"


def test_expect_100_continue_is_answered_before_the_body(start, backend):
    gateway = start(backend(Echoes))
    client = gateway.client()
    client.send(client.head("POST", "/v1/chat/completions", {**JSON, "Expect": "100-continue"}, len(BODY)))
    interim = client.response_head()
    assert interim.status == 100
    answer = client.send(BODY).response()
    assert answer.status == 200 and answer.json()["bytes"] == len(BODY)


def test_expect_100_continue_is_answered_for_a_streamed_upload(start, backend):
    gateway = start(backend(Echoes))
    client = gateway.client()
    client.send(client.head("POST", "/v1/files", {"Content-Type": "application/octet-stream", "Expect": "100-continue"}, 5))
    assert client.response_head().status == 100
    assert client.send(b"hello").response().json()["bytes"] == 5


def test_expect_100_continue_with_a_bad_key_is_refused_without_inviting_the_body(start, backend):
    client = start(backend(Echoes)).client(key="sk-wrong")
    client.send(client.head("POST", "/v1/chat/completions", {**JSON, "Expect": "100-continue"}, len(BODY)))
    assert client.response_head().status == 401


def test_an_unknown_expectation_is_refused(start, backend):
    client = start(backend(Echoes)).client()
    client.send(client.head("POST", "/v1/chat/completions", {**JSON, "Expect": "miracles"}, len(BODY)) + BODY)
    assert client.response().status == 417


def test_trailers_of_the_backend_do_not_disturb_the_answer(start, backend):
    client = start(backend(SendsTrailers)).client()
    for _ in range(2):
        answer = client.get("/v1/files")
        assert not answer.cut and answer.body == b"{}"


def test_trailers_of_the_client_do_not_disturb_the_request(start, backend):
    client = start(backend(Echoes)).client()
    client.send(client.head("POST", "/v1/files", {"Transfer-Encoding": "chunked", "Trailer": "x-sum"}))
    assert client.send(b"5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n").response().json()["bytes"] == 5
    assert client.get("/v1/files").status == 200


@pytest.mark.parametrize("trailer", [b"authorization: Bearer smuggled", b"host: evil.test", b"content-length: 9", b"transfer-encoding: gzip"])
def test_a_trailer_never_becomes_a_header(start, backend, trailer):
    echoes = backend(Echoes)
    client = start(echoes).client()
    client.send(client.head("POST", "/v1/files", {"Transfer-Encoding": "chunked"}))
    answer = client.send(b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n\r\n").response()
    assert answer.status in (200, 400)
    name, value = trailer.decode().split(": ")
    assert not any(request.header(name) == value for request in echoes.requests)


def test_chunk_extensions_are_no_part_of_the_body(start, backend):
    client = start(backend(Echoes)).client()
    client.send(client.head("POST", "/v1/files", {"Transfer-Encoding": "chunked"}))
    assert client.send(b'5;name="v"\r\nhello\r\n0\r\n\r\n').response().json()["bytes"] == 5


def test_empty_lines_before_a_request_are_skipped(start, backend):
    client = start(backend(Echoes)).client()
    client.send(b"\r\n\r\n")
    assert client.get("/v1/files").status == 200


def test_the_absolute_form_of_a_target_is_understood(start, backend):
    client = start(backend(Echoes)).client()
    answer = client.get("http://gateway.test/v1/files?limit=2")
    assert answer.status == 200 and answer.json()["target"].endswith("/v1/files?limit=2")


def test_the_query_reaches_the_backend_as_it_is(start, backend):
    client = start(backend(Echoes)).client()
    target = "/v1/files?a=%2F&b=%20x&c=%E2%82%AC&&d"
    assert client.get(target).json()["target"] == target


def test_a_path_reaches_the_backend_undecoded(start, backend):
    client = start(backend(Echoes)).client()
    assert client.get("/v1/files/a%2Fb%20c").json()["target"] == "/v1/files/a%2Fb%20c"


def test_a_close_delimited_answer_does_not_leave_a_connection_that_lies(start, backend):
    gateway = start(backend(CloseDelimited))
    client = gateway.client()
    answer = client.get("/v1/files")
    assert answer.json() == {"ok": True}
    if answer.framing != "close":
        assert client.get("/v1/files").json() == {"ok": True}
    else:
        with pytest.raises((Cut, OSError)):
            client.get("/v1/files")


def test_methods_of_rest_are_passed(start, backend):
    client = start(backend(Echoes)).client()
    for method in ("GET", "DELETE", "PUT", "PATCH", "POST"):
        body = None if method in ("GET", "DELETE") else b"{}"
        assert client.request(method, "/v1/files/f", {}, body).response().json()["method"] == method


def test_a_pipelined_request_is_not_taken_for_the_client_leaving(start, backend):
    never_answers = backend(NeverAnswers)
    client = start(never_answers, timeouts={"first_byte_seconds": 0.5}).client()
    client.chat()
    client.send(client.head("GET", "/health"))
    assert client.response().status == 504
    assert client.response().status == 200
