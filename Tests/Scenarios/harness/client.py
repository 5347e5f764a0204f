"""A client that sends exactly the bytes it is told to and reads answers without forgiving anything."""

import json
import socket
import ssl
import struct
import time


class Cut(AssertionError):
    """The peer closed before the message was over."""


class Response:
    """One answer: status, headers as they came, body without its framing, and how it ended."""

    def __init__(self):
        self.version = ""
        self.status = 0
        self.reason = ""
        self.headers = []
        self.raw_head = b""
        self.body = b""
        self.trailers = []
        self.framing = "none"
        self.cut = False

    def header(self, name):
        """The value of the first header called `name`, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def json(self):
        return json.loads(self.body)

    def events(self):
        """The data of each complete server-sent event."""
        return [
            b"\n".join(line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")).decode()
            for event in self.body.replace(b"\r\n", b"\n").split(b"\n\n")
            if b"data:" in event
        ]

    def __repr__(self):
        return f"<{self.status} {self.framing} {'cut ' if self.cut else ''}{self.headers} {self.body[:300]!r}>"


class Client:
    """One connection to the gateway."""

    def __init__(self, address, key=None, source=None, tls=None, server_name="localhost", timeout=10.0, receive_buffer=None):
        self.key = key
        self.buffer = b""
        self.address = address
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        else:
            self.socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
            if source:
                self.socket.bind((source, 0))
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        if not isinstance(address, str):
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=server_name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Sending

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)
        return self

    def try_send(self, data):
        """Sends what the peer takes; False when it has closed."""
        try:
            self.send(data)
            return True
        except OSError:
            return False

    def head(self, method, target, headers=(), length=None, host="gateway.test", version="1.1", authorize=True):
        lines = [f"{method} {target} HTTP/{version}"]
        fields = list(headers.items()) if isinstance(headers, dict) else list(headers)
        names = {name.lower() for name, _ in fields}
        if host and "host" not in names:
            lines.append(f"Host: {host}")
        if self.key and authorize and not names & {"authorization", "x-api-key"}:
            lines.append(f"Authorization: Bearer {self.key}")
        lines += [f"{name}: {value}" for name, value in fields]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def request(self, method, target, headers=(), body=None, **rest):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        length = None if body is None else len(body)
        return self.send(self.head(method, target, headers, length, **rest) + (body or b""))

    def get(self, target, headers=(), **rest):
        return self.request("GET", target, headers, **rest).response()

    def post(self, target, body, headers=(), **rest):
        return self.request("POST", target, headers, body, **rest).response()

    def chat(self, headers=(), target="/v1/chat/completions", **members):
        """Sends a chat request; the answer is still to be read."""
        body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **members}
        return self.request("POST", target, [("Content-Type", "application/json"), *dict(headers).items()], body)

    # Reading

    def fill(self):
        """Reads once; False at the end of the stream or a reset."""
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
            return False
        self.buffer += data
        return bool(data)

    def take(self, count):
        while len(self.buffer) < count:
            if not self.fill():
                raise Cut(f"the peer closed after {len(self.buffer)} of {count} bytes: {self.buffer[:200]!r}")
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def take_through(self, mark):
        while mark not in self.buffer:
            if not self.fill():
                raise Cut(f"the peer closed before {mark!r}: {self.buffer[:300]!r}")
        at = self.buffer.index(mark) + len(mark)
        data, self.buffer = self.buffer[:at], self.buffer[at:]
        return data

    def response_head(self):
        response = Response()
        response.raw_head = self.take_through(b"\r\n\r\n")
        lines = response.raw_head.decode("latin-1").split("\r\n")
        response.version, status, *reason = lines[0].split(" ", 2)
        assert response.version in ("HTTP/1.1", "HTTP/1.0"), lines[0]
        response.status, response.reason = int(status), "".join(reason)
        for line in lines[1:-2]:
            name, _, value = line.partition(":")
            response.headers.append((name, value.strip()))
        return response

    def response(self, of="GET"):
        """The next final answer, interim ones skipped. A cut body is not an error here: look at `cut`."""
        response = self.response_head()
        while 100 <= response.status < 200:
            response = self.response_head()
        self.read_body(response, of)
        return response

    def read_body(self, response, of="GET"):
        codings, lengths = response.all("transfer-encoding"), response.all("content-length")
        assert len(codings) <= 1 and len(lengths) <= 1 and not (codings and lengths), response.headers
        try:
            if of == "HEAD" or response.status in (204, 304):
                pass
            elif codings:
                assert codings[0].lower() == "chunked"
                response.framing = "chunked"
                self.read_chunks(response)
            elif lengths:
                response.framing = "length"
                self.read_length(response, int(lengths[0]))
            else:
                response.framing = "close"
                while self.fill():
                    pass
                response.body, self.buffer = self.buffer, b""
        except Cut:
            response.cut = True

    def read_length(self, response, count):
        # Joined once: bodies of tens of megabytes come in thousands of pieces.
        pieces, left = [], count
        while left and (self.buffer or self.fill()):
            pieces.append(self.buffer[:left])
            left -= len(pieces[-1])
            self.buffer = self.buffer[len(pieces[-1]) :]
        response.body = b"".join(pieces)
        if len(response.body) < count:
            raise Cut(f"{len(response.body)} of {count} bytes")

    def read_chunks(self, response):
        pieces = []
        try:
            while True:
                line = self.take_through(b"\r\n")
                size = int(line.split(b";")[0], 16)
                if size == 0:
                    while (line := self.take_through(b"\r\n")) != b"\r\n":
                        name, _, value = line.decode("latin-1").partition(":")
                        response.trailers.append((name, value.strip()))
                    return
                while size:
                    if not self.buffer and not self.fill():
                        raise Cut("in a chunk")
                    piece, self.buffer = self.buffer[:size], self.buffer[size:]
                    pieces.append(piece)
                    size -= len(piece)
                assert self.take(2) == b"\r\n"
        finally:
            response.body = b"".join(pieces)

    def event(self, seconds=5.0):
        """The data of the next server-sent event in a chunked answer whose head was read; framing between is skipped."""
        data = self.take_through(b"\n\n")
        return data[data.index(b"data:") + 5 :].strip().decode()

    def rest(self):
        """Everything until the peer closes."""
        while self.fill():
            pass
        data, self.buffer = self.buffer, b""
        return data

    def closed(self, seconds=5.0):
        """Whether the peer closes within `seconds`, discarding what it still sends."""
        deadline = time.monotonic() + seconds
        before = self.socket.gettimeout()
        try:
            while time.monotonic() < deadline:
                self.socket.settimeout(max(0.01, deadline - time.monotonic()))
                if not self.fill():
                    return True
                self.buffer = b""
            return False
        except TimeoutError:
            return False
        finally:
            self.socket.settimeout(before)

    # Leaving

    def finish(self):
        """Sends FIN and keeps reading."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def reset(self):
        """Leaves with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


def assert_envelope(response, status, type_, code, message=None, param=None):
    """The error is OpenAI's: all four members, and nothing else beside them."""
    assert response.status == status, response
    assert (response.header("content-type") or "").startswith("application/json"), response
    body = response.json()
    assert set(body) == {"error"}, body
    error = body["error"]
    assert set(error) == {"message", "type", "param", "code"}, error
    assert isinstance(error["message"], str) and error["message"], error
    types = type_ if isinstance(type_, (tuple, set)) else (type_,)
    assert error["type"] in types, error
    codes = code if isinstance(code, (tuple, set)) else (code,)
    assert error["code"] in codes, error
    assert error["param"] == param, error
    if message:
        assert message in error["message"], error
    return error


def assert_ends_as_a_cut_stream(response):
    """A failure after 200: one error event, then the connection closes without [DONE] and without the last chunk."""
    assert response.status == 200 and response.cut, response
    events = response.events()
    assert "[DONE]" not in events, events
    error = json.loads(events[-1])["error"]
    assert set(error) == {"message", "type", "param", "code"}, error
    return error
