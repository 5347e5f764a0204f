"""What is counted: steps of a pair, each with its unit, and how many steps make a window.

Requests are those of an SDK: a bearer key, and the model as the last member of the body, so that all of it is looked at.
"""

from dataclasses import dataclass
from typing import Callable

from harness.gateway import KEY

from .pair import Pair

ANSWER_BYTES = 1024
EVENT_BYTES = 250
BATCH = 8

# How a request's body ends at the backend, and how an answer's ends at the client.
END = b'"model":"m"}'
ANSWER_END = b'yy"}'


def request(body_bytes, stream=False):
    """A chat request with a body of exactly `body_bytes` bytes."""
    before = b'{"messages":[{"role":"user","content":"'
    behind = b'"}],%b%b' % (b'"stream":true,' if stream else b"", END)
    body = before + b"x" * (body_bytes - len(before) - len(behind)) + behind
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: gateway.test\r\nAccept-Encoding: gzip, deflate\r\n"
        "Connection: keep-alive\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
        f"User-Agent: OpenAI/Python 3.52.0\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def answer():
    before = b'{"id":"chatcmpl-0123456789abcdef","object":"chat.completion","pad":"'
    body = before + b"y" * (ANSWER_BYTES - len(before) - 2) + b'"}'
    head = b"HTTP/1.1 200 OK\r\ndate: Sat, 21 Nov 2026 11:22:33 GMT\r\nserver: uvicorn\r\ncontent-type: application/json\r\n"
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ndate: Sat, 21 Nov 2026 11:22:33 GMT\r\nserver: uvicorn\r\n"
    b"content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
LAST_CHUNK = b"0\r\n\r\n"


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


def event():
    """One chunk with one event of EVENT_BYTES bytes, as vLLM writes it."""
    before = (
        b'data: {"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1700000000,"model":"m",'
        b'"choices":[{"index":0,"delta":{"content":"'
    )
    behind = b'"},"logprobs":null,"finish_reason":null}]}\n\n'
    return chunk(before + b"z" * (EVENT_BYTES - len(before) - len(behind)) + behind)


DONE = chunk(b"data: [DONE]\n\n")
SMALL = (request(1 << 10), END, answer(), ANSWER_END)
LARGE = (request(64 << 10), END, answer(), ANSWER_END)
STREAM = (request(1 << 10, stream=True), END, STREAM_HEAD, b"\r\n\r\n")
EVENT = event()


def begin_stream(pair):
    pair.ask(*STREAM)


def end_stream(pair):
    pair.pass_on(DONE)
    pair.pass_on(LAST_CHUNK)


def whole_stream(pair):
    """Head, one event, [DONE] and the last chunk, each by itself."""
    begin_stream(pair)
    pair.pass_on(EVENT)
    end_stream(pair)


def nothing(pair):
    pass


@dataclass(frozen=True)
class Workload:
    """`steps` calls of `step` make a window of `steps * units` units; `begin` and `end` stand around all windows."""

    unit: str
    step: Callable[[Pair], None]
    steps: int
    units: int = 1
    begin: Callable[[Pair], None] = nothing
    end: Callable[[Pair], None] = nothing


# Units of this name are relayed in a stream that is under way; the others are requests, each with its line in the log.
EVENTS = ("event", f"event of {BATCH} in one write")

WORKLOADS = (
    Workload("request of 1 KiB", lambda pair: pair.ask(*SMALL), 150),
    Workload("request of 64 KiB", lambda pair: pair.ask(*LARGE), 100),
    Workload(EVENTS[0], lambda pair: pair.pass_on(EVENT), 1000, 1, begin_stream, end_stream),
    Workload(EVENTS[1], lambda pair: pair.pass_on(EVENT * BATCH), 500, BATCH, begin_stream, end_stream),
    Workload("connection with a request", lambda pair: pair.ask_anew(*SMALL), 100),
    Workload("stream", whole_stream, 100),
)
