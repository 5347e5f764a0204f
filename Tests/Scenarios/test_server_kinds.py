"""Answers framed as the usual model servers frame them: what stands before the events, how they are cut into chunks, what
they send between tokens. Each passes as it came, and the connection serves the next request."""

import json

import pytest

from harness.backends import LAST_CHUNK, Backend, chunk
from harness.rows import row

DATE = "date: Sat, 21 Nov 2026 12:00:00 GMT\r\n"
EVENTS = [b'data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"%d"}}]}\n\n' % n for n in range(3)]
DONE = b"data: [DONE]\n\n"


class Kind:
    """One server's habits: `plain` and `stream` are heads without their framing, `chunks` its way to send events."""

    def __init__(self, plain, stream, chunks):
        self.plain, self.stream, self.chunks = plain, stream, chunks


KINDS = {
    # uvicorn: lower-case fields, a chunk for each event.
    "vllm": Kind(
        DATE + "server: uvicorn\r\ncontent-type: application/json\r\n",
        DATE + "server: uvicorn\r\ncontent-type: text/event-stream; charset=utf-8\r\n",
        [*EVENTS, DONE],
    ),
    "sglang": Kind(
        DATE + "server: uvicorn\r\ncontent-type: application/json\r\n",
        DATE + "server: uvicorn\r\ncontent-type: text/event-stream; charset=utf-8\r\n",
        [EVENTS[0], EVENTS[1] + EVENTS[2], DONE],
    ),
    # hyper with axum's events: `data:` with a space, comments that keep the line alive, fields of CORS.
    "tgi": Kind(
        "content-type: application/json\r\nx-compute-type: cpu\r\nx-total-time: 12\r\nx-generated-tokens: 3\r\n" + DATE,
        "content-type: text/event-stream\r\ncache-control: no-cache\r\nx-accel-buffering: no\r\n"
        "vary: origin, access-control-request-method, access-control-request-headers\r\naccess-control-allow-origin: *\r\n" + DATE,
        [EVENTS[0], b":\n\n", EVENTS[1], b":\n\n", EVENTS[2], DONE],
    ),
    # Go's net/http.
    "ollama": Kind(
        "Content-Type: application/json\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\n",
        "Content-Type: text/event-stream\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\n",
        [*EVENTS, DONE],
    ),
    # Go's fasthttp: events cut where its buffer ends.
    "localai": Kind(
        "Server: LocalAI\r\nContent-Type: application/json\r\nX-Correlation-ID: 4f\r\n",
        "Server: LocalAI\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nConnection: keep-alive\r\n",
        [b"".join(EVENTS)[:50], b"".join(EVENTS)[50:], DONE],
    ),
    # cpp-httplib: Keep-Alive, and an allowed origin that is empty.
    "llamacpp": Kind(
        "Keep-Alive: timeout=5, max=100\r\nContent-Type: application/json; charset=utf-8\r\nServer: llama.cpp\r\nAccess-Control-Allow-Origin: \r\n",
        "Keep-Alive: timeout=5, max=100\r\nContent-Type: text/event-stream\r\nServer: llama.cpp\r\nAccess-Control-Allow-Origin: \r\n",
        [*EVENTS, DONE],
    ),
}


class Server(Backend):
    def __init__(self, kind, **rest):
        self.kind = KINDS[kind]
        super().__init__(**rest)

    def answer(self, connection, request):
        if json.loads(request.body).get("stream"):
            connection.send(b"HTTP/1.1 200 OK\r\n" + self.kind.stream.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
            return all(connection.send(chunk(piece)) for piece in self.kind.chunks) and connection.send(LAST_CHUNK)
        body = b'{"id":"c","object":"chat.completion","choices":[]}'
        return connection.send(b"HTTP/1.1 200 OK\r\n" + self.kind.plain.encode() + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))


@row("GW-40")
@pytest.mark.parametrize("kind", KINDS)
def test_a_server_of_each_kind_can_stand_behind_the_gateway(start, backend, kind):
    server = backend(Server, kind)
    gateway = start(server, clusters={"local": {"endpoints": [server.url], "kind": kind}})
    client = gateway.client()
    for _ in range(2):
        stream = client.chat(stream=True).response()
        assert stream.status == 200 and stream.header("content-type").startswith("text/event-stream")
        assert stream.body == b"".join(KINDS[kind].chunks)
        plain = client.chat().response()
        assert plain.status == 200 and plain.json()["object"] == "chat.completion"
    assert len(server.requests) == 4 and len(server.connections) == 1
    assert all(record["bytes_copied"] == 0 for record in gateway.access())
