"""Scripted backends: peers named by their misbehaviour, each connection a thread on a raw socket.

A backend records what it saw (`connections`, `requests`) and tests await that with `waiting.until`. Every wait inside a
script is bounded by the backend's own end, so a failing test leaves nothing behind.
"""

import hashlib
import json
import os
import socket
import ssl
import struct
import threading
import time

from .waiting import until

SSE_HEAD = (
    b"HTTP/1.1 200 OK\r\nserver: uvicorn\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
LAST_CHUNK = b"0\r\n\r\n"


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(index, text="word"):
    """A chat completion chunk of about 250 bytes, as vLLM writes it."""
    body = {
        "id": "chatcmpl-0123456789abcdef",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "m",
        "choices": [{"index": 0, "delta": {"content": f"{text}-{index} "}, "logprobs": None, "finish_reason": None}],
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


class Request:
    """What a backend was sent: the head as raw bytes and parsed, the body with its framing removed."""

    def __init__(self, raw):
        self.raw_head = raw
        lines = raw.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ")
        self.headers = []
        for line in lines[1:-2]:
            name, _, value = line.partition(":")
            self.headers.append((name, value.strip()))
        self.body = b""
        self.complete = False
        self.trailers = b""

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def names(self):
        return [name.lower() for name, _ in self.headers]

    def json(self):
        return json.loads(self.body)


class Connection:
    """One accepted connection as its script sees it."""

    def __init__(self, backend, sock, index):
        self.backend = backend
        self.socket = sock
        self.index = index
        self.buffer = b""
        self.requests = []
        self.bytes_sent = 0
        self.bytes_received = 0
        self.closed_by_peer_at = None
        self.accepted_at = time.monotonic()

    def fill(self):
        try:
            data = self.socket.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.note_peer_closed()
            return False
        self.buffer += data
        self.bytes_received += len(data)
        return True

    def note_peer_closed(self):
        if self.closed_by_peer_at is None:
            self.closed_by_peer_at = time.monotonic()
            self.backend.notice()

    def read_head(self):
        """The next request's head, or None when the peer closed instead."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.fill():
                return None
        at = self.buffer.index(b"\r\n\r\n") + 4
        request = Request(self.buffer[:at])
        self.buffer = self.buffer[at:]
        self.requests.append(request)
        with self.backend.changed:
            self.backend.requests.append(request)
            self.backend.changed.notify_all()
        return request

    def read_body(self, request):
        if request.header("transfer-encoding"):
            ok = self.read_chunks(request)
        else:
            length = int(request.header("content-length") or 0)
            ok = True
            while len(self.buffer) < length and ok:
                ok = self.fill()
            request.body, self.buffer = self.buffer[:length], self.buffer[length:]
        request.complete = ok
        self.backend.notice()
        return ok

    def line(self):
        while b"\r\n" not in self.buffer:
            if not self.fill():
                return None
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def read_chunks(self, request):
        while True:
            line = self.line()
            if line is None:
                return False
            size = int(line.split(b";")[0], 16)
            if size == 0:
                while (line := self.line()) != b"":
                    if line is None:
                        return False
                    request.trailers += line + b"\r\n"
                return True
            while len(self.buffer) < size + 2:
                if not self.fill():
                    request.body += self.buffer
                    return False
            request.body += self.buffer[:size]
            self.buffer = self.buffer[size + 2 :]

    def read_request(self):
        request = self.read_head()
        if request is None or not self.read_body(request):
            return None
        return request

    def send(self, data):
        """False when the peer is gone."""
        try:
            self.socket.sendall(data)
        except OSError:
            self.note_peer_closed()
            return False
        self.bytes_sent += len(data)
        return True

    def wait_for_close(self):
        """Reads until the peer closes; noticed while nothing is being sent."""
        while self.fill():
            pass

    def reset(self):
        raw = self.socket
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()

    def close(self):
        try:
            self.socket.close()
        except OSError:
            pass


class Backend:
    """Accepts, and runs `serve` for each connection on a thread of its own."""

    def __init__(self, family="ipv4", path=None, tls=None, backlog=1024, receive_buffer=None, port=0):
        self.tls = tls
        self.path = path
        self.changed = threading.Condition()
        self.connections = []
        self.requests = []
        self.over = threading.Event()
        if path:
            self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.listener.bind(str(path))
        else:
            host = "::1" if family == "ipv6" else "127.0.0.1"
            self.listener = socket.socket(socket.AF_INET6 if family == "ipv6" else socket.AF_INET, socket.SOCK_STREAM)
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if receive_buffer:
                self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            self.listener.bind((host, port))
            self.host, self.port = self.listener.getsockname()[:2]
        self.listener.listen(backlog)
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def authority(self):
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self):
        if self.path:
            return f"http+unix:{self.path}"
        return f"{'https' if self.tls else 'http'}://{self.authority}"

    def notice(self):
        with self.changed:
            self.changed.notify_all()

    def accept(self):
        while not self.over.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.changed:
                connection = Connection(self, sock, len(self.connections))
                self.connections.append(connection)
                self.changed.notify_all()
            threading.Thread(target=self.run, args=(connection,), daemon=True).start()

    def run(self, connection):
        try:
            if self.tls:
                connection.socket = self.tls.wrap_socket(connection.socket, server_side=True)
            elif not self.path:
                connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.serve(connection)
        except (OSError, ssl.SSLError):
            connection.note_peer_closed()
        finally:
            connection.close()

    def serve(self, connection):
        while (request := connection.read_request()) is not None:
            if self.answer(connection, request) is False:
                return

    def answer(self, connection, request):
        """Answers one request; False ends the connection."""
        raise NotImplementedError

    def stop(self):
        self.over.set()
        self.notice()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for connection in list(self.connections):
            try:
                connection.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()
        if self.path and os.path.exists(self.path):
            os.unlink(self.path)

    # What tests await

    def saw(self, count=1, seconds=5.0):
        """The request number `count`, once its head has come."""
        return until(f"{count} requests at the backend", lambda: len(self.requests) >= count, seconds) and self.requests[count - 1]

    def saw_connection(self, count=1, seconds=5.0):
        until(f"{count} connections at the backend", lambda: len(self.connections) >= count, seconds)
        return self.connections[count - 1]

    def peer_closed(self, connection=0, seconds=2.0):
        """When the gateway closed this connection, awaited."""
        until("the backend connection to be closed", lambda: self.connections[connection].closed_by_peer_at, seconds)
        return self.connections[connection].closed_by_peer_at


# Well-behaved


class Echoes(Backend):
    """Answers with JSON of what it saw: method, target, headers, size and hash of the body."""

    def answer(self, connection, request):
        seen = {
            "method": request.method,
            "target": request.target,
            "headers": request.headers,
            "bytes": len(request.body),
            "sha256": hashlib.sha256(request.body).hexdigest(),
            "connection": connection.index,
        }
        body = json.dumps(seen).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        return connection.send(head + (b"" if request.method == "HEAD" else body))


class Answers(Backend):
    """Answers every request with the same bytes."""

    def __init__(self, raw, keep=True, **rest):
        self.raw = raw.encode() if isinstance(raw, str) else raw
        self.keep = keep
        super().__init__(**rest)

    def answer(self, connection, request):
        return connection.send(self.raw) and self.keep


class StreamsEvents(Backend):
    """Streams `count` events, chunked like uvicorn, `gap` seconds apart, then [DONE]."""

    def __init__(self, count=5, gap=0.0, make=event, done=True, **rest):
        self.count, self.gap, self.make, self.done = count, gap, make, done
        super().__init__(**rest)

    def answer(self, connection, request):
        if not connection.send(SSE_HEAD):
            return False
        for index in range(self.count):
            if index and self.gap and self.over.wait(self.gap):
                return False
            if not connection.send(chunk(self.make(index))):
                return False
        if self.done and not connection.send(chunk(b"data: [DONE]\n\n")):
            return False
        return connection.send(LAST_CHUNK)


class StreamsOnDemand(Backend):
    """Streams as many events as the test releases; `finish` ends the stream properly. Watches for the peer's leaving meanwhile."""

    def __init__(self, **rest):
        self.released = 0
        self.gap = 0.0
        self.over_soon = False
        super().__init__(**rest)

    def release(self, count=1, gap=0.0):
        with self.changed:
            self.released += count
            self.gap = gap
            self.changed.notify_all()

    def finish(self):
        with self.changed:
            self.over_soon = True
            self.changed.notify_all()

    def answer(self, connection, request):
        threading.Thread(target=connection.wait_for_close, daemon=True).start()
        if not connection.send(SSE_HEAD):
            return False
        sent = 0
        while True:
            with self.changed:
                self.changed.wait_for(
                    lambda: self.released > sent or self.over_soon or self.over.is_set() or connection.closed_by_peer_at
                )
                if self.over.is_set() or connection.closed_by_peer_at:
                    return False
                end = self.released
            while sent < end:
                if not connection.send(chunk(event(sent))):
                    return False
                sent += 1
                if self.gap:
                    self.over.wait(self.gap)
            if self.over_soon:
                connection.send(chunk(b"data: [DONE]\n\n") + LAST_CHUNK)
                return False


class CloseDelimited(Backend):
    """An HTTP/1.0-style answer that ends by closing."""

    def __init__(self, body=b'{"ok":true}', content_type=b"application/json", pieces=1, **rest):
        self.body, self.content_type, self.pieces = body, content_type, pieces
        super().__init__(**rest)

    def answer(self, connection, request):
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\nconnection: close\r\n\r\n" % self.content_type)
        size = max(1, len(self.body) // self.pieces)
        for at in range(0, len(self.body), size):
            if not connection.send(self.body[at : at + size]):
                break
        return False


class Sends1xx(Backend):
    """Says 100 and 103 before it answers."""

    def answer(self, connection, request):
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.send(b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n")
        return connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")


class SendsTrailers(Backend):
    """A chunked answer with a trailer section."""

    def answer(self, connection, request):
        return connection.send(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\ntrailer: x-checksum\r\n\r\n"
            b"2;ext=1\r\n{}\r\n0\r\nx-checksum: 42\r\n\r\n"
        )


# Slow


class NeverAnswers(Backend):
    """Reads requests and says nothing."""

    def answer(self, connection, request):
        connection.wait_for_close()
        return False


class NeverReads(Backend):
    """Accepts and never reads a byte, so that uploads meet a full socket."""

    def serve(self, connection):
        self.over.wait()


class StallsAfterHead(Backend):
    """Sends a stream's head and then nothing."""

    def answer(self, connection, request):
        connection.send(SSE_HEAD)
        connection.wait_for_close()
        return False


class StallsAfterEvents(Backend):
    """Sends some events and then nothing, the connection open."""

    def __init__(self, count=2, **rest):
        self.count = count
        super().__init__(**rest)

    def answer(self, connection, request):
        connection.send(SSE_HEAD + b"".join(chunk(event(i)) for i in range(self.count)))
        connection.wait_for_close()
        return False


class StallsInPlainAnswer(Backend):
    """Announces a plain body, sends half of it and then nothing."""

    def answer(self, connection, request):
        connection.send(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{"half":')
        connection.wait_for_close()
        return False


class DripsOneByte(Backend):
    """Sends an answer one byte at a time."""

    def __init__(self, raw, gap=0.0, **rest):
        self.raw, self.gap = raw, gap
        super().__init__(**rest)

    def answer(self, connection, request):
        for at in range(len(self.raw)):
            if not connection.send(self.raw[at : at + 1]):
                return False
            if self.gap and self.over.wait(self.gap):
                return False
        return True


class FloodsForever(Backend):
    """Sends events as fast as the peer takes them; `connections[i].bytes_sent` says how far it came."""

    def answer(self, connection, request):
        connection.send(SSE_HEAD)
        piece = b"".join(chunk(event(i)) for i in range(64))
        while not self.over.is_set() and connection.send(piece):
            pass
        return False


# Broken


class ClosesMidChunk(Backend):
    """Closes inside a chunk that it announced longer."""

    def answer(self, connection, request):
        connection.send(SSE_HEAD + chunk(event(0)) + b"400\r\n" + event(1)[:40])
        return False


class ClosesMidEvent(Backend):
    """Closes after a whole chunk that holds half an event."""

    def answer(self, connection, request):
        connection.send(SSE_HEAD + chunk(event(0)) + chunk(event(1)[:40]))
        return False


class ClosesBetweenEvents(Backend):
    """Closes after a whole event, without [DONE] and without the last chunk."""

    def answer(self, connection, request):
        connection.send(SSE_HEAD + chunk(event(0)) + chunk(event(1)))
        return False


class ClosesAfterHead(Backend):
    """Closes after a stream's head, before its first event."""

    def answer(self, connection, request):
        connection.send(SSE_HEAD)
        return False


class ResetsMidStream(Backend):
    """Ends a stream with RST."""

    def answer(self, connection, request):
        connection.send(SSE_HEAD + chunk(event(0)))
        self.over.wait(0.1)
        connection.reset()
        return False


class ClosesMidBody(Backend):
    """Closes inside a plain body of announced length."""

    def answer(self, connection, request):
        connection.send(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"half":')
        return False


class ClosesMidHead(Backend):
    """Closes inside the response head."""

    def answer(self, connection, request):
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-ty")
        return False


class ClosesWithoutAnswer(Backend):
    """Reads the request and closes."""

    def answer(self, connection, request):
        return False


class ResetsAtAccept(Backend):
    """Resets every connection at once."""

    def serve(self, connection):
        connection.reset()


class AnswersEarly(Backend):
    """Answers and closes after the head, before the upload is over."""

    def __init__(self, raw, read_rest=False, **rest):
        self.raw, self.read_rest = raw, read_rest
        super().__init__(**rest)

    def serve(self, connection):
        request = connection.read_head()
        if request is None:
            return
        connection.send(self.raw)
        if self.read_rest:
            connection.wait_for_close()


class ClosesKeepAliveAfterAnswer(Backend):
    """Promises keep-alive and closes right after the answer, as llama-server does."""

    def answer(self, connection, request):
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
        return False


class DiesOnReuse(Backend):
    """Answers the first request of a connection; the next one on it gets `dying` and the end."""

    def __init__(self, dying=b"", **rest):
        self.dying = dying
        super().__init__(**rest)

    def answer(self, connection, request):
        if len(connection.requests) == 1:
            return connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
        if self.dying:
            connection.send(self.dying)
        return False


class SendsGarbage(Backend):
    """Answers with bytes that are not HTTP, or not quite."""

    def __init__(self, raw, **rest):
        self.raw = raw
        super().__init__(**rest)

    def answer(self, connection, request):
        connection.send(self.raw)
        connection.wait_for_close()
        return False


class NeverShakesHands(Backend):
    """Accepts TCP and never answers the TLS hello."""

    url = property(lambda self: f"https://{self.authority}")

    def serve(self, connection):
        connection.wait_for_close()


class SpeaksPlain(Echoes):
    """Called https, speaks plain text: every handshake fails."""

    url = property(lambda self: f"https://{self.authority}")

    def serve(self, connection):
        connection.fill()
        connection.send(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")


class FullBacklog:
    """A port where connecting hangs: the accept queue is full and nobody accepts."""

    def __init__(self):
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.fillers = []
        for _ in range(4):
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self.fillers.append(filler)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        for filler in self.fillers:
            filler.close()
        self.listener.close()


# Models


class Models(Backend):
    """A model server as the dialects meet one: chats and completions plain and streamed, embeddings, a list of models.

    `served` is what it says its model is called; `delay` seconds pass before an answer. What it was asked stands in
    `requests`, `asked()` is the last body.
    """

    def __init__(self, served="served-name", delay=0.0, how="length", **rest):
        self.served, self.delay, self.how = served, delay, how
        super().__init__(**rest)

    def asked(self):
        return json.loads(self.requests[-1].body)

    def answer(self, connection, request):
        if self.delay and self.over.wait(self.delay):
            return False
        if request.method == "GET":
            return self.say(connection, {"object": "list", "data": [{"id": self.served, "object": "model", "created": 1, "owned_by": "x", "meta": {"n": 1}}], "models": []})
        try:
            body = json.loads(request.body)
        except ValueError:
            body = {}
        if body.get("stream"):
            return self.stream(connection, body)
        if request.target.endswith("/embeddings"):
            return self.say(connection, {"object": "list", "model": self.served, "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]})
        choices = [
            {"index": i, "message": {"role": "assistant", "content": 'Hello "there" }{'}, "finish_reason": "stop"} for i in range(body.get("n") or 1)
        ]
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        return self.say(connection, {"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": self.served, "choices": choices, "usage": usage})

    def say(self, connection, value):
        body = json.dumps(value).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        if self.how == "length":
            return connection.send(head + b"content-length: %d\r\n\r\n%b" % (len(body), body))
        if self.how == "chunked":
            pieces = [body[i : i + 7] for i in range(0, len(body), 7)]
            return connection.send(head + b"transfer-encoding: chunked\r\n\r\n" + b"".join(chunk(p) for p in pieces) + LAST_CHUNK)
        connection.send(head + b"connection: close\r\n\r\n" + body)
        return False

    def stream(self, connection, body):
        connection.send(SSE_HEAD)
        for index in range(3):
            text = event(index).replace(b'"model": "m"', b'"model": ' + json.dumps(self.served).encode())
            half = len(text) // 2
            if not (connection.send(chunk(text[:half])) and connection.send(chunk(text[half:]))):
                return False
        return connection.send(chunk(b"data: [DONE]\n\n") + LAST_CHUNK)


USAGE = b'data: {"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","model":"m","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":222,"total_tokens":233}}\n\n'
DONE = b"data: [DONE]\n\n"


class CountsTokens(Backend):
    """A model server that streams `events`, and tells the tokens in front of [DONE] to whoever asks for it.

    `how` is how the bytes come: an event in a chunk ("chunked"), in one write ("burst"), a byte in a chunk ("bytes"), ended by
    the connection ("close") or of a known length ("length"). `last` is what comes in place of the usage and [DONE].
    """

    def __init__(self, events=None, how="chunked", last=None, keep=True, **rest):
        self.events = [event(0), event(1)] if events is None else events
        self.how, self.last, self.keep = how, last, keep
        super().__init__(**rest)

    def answer(self, connection, request):
        asked = (request.json().get("stream_options") or {}).get("include_usage") is True
        pieces = self.events + (self.last if self.last is not None else [USAGE, DONE] if asked else [DONE])
        body = b"".join(pieces)
        head = SSE_HEAD.replace(b"transfer-encoding: chunked\r\n", b"")
        if self.how == "close":
            connection.send(head.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
            return all(connection.send(piece) for piece in pieces) and False
        if self.how == "length":
            return connection.send(head.replace(b"\r\n\r\n", b"\r\ncontent-length: %d\r\n\r\n" % len(body)) + body)
        if self.how == "bytes":
            pieces = [body[i : i + 1] for i in range(len(body))]
        chunks = [chunk(piece) for piece in pieces] + ([LAST_CHUNK] if self.keep else [])
        if self.how == "burst":
            chunks = [b"".join(chunks)]
        return connection.send(SSE_HEAD) and all(connection.send(each) for each in chunks) and self.keep
