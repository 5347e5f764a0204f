"""A client and its backend in one thread, on plain sockets: each step is over before the next one begins.

Nothing here parses more than it must: answers are recognised by how they end, and events must arrive as they were sent.
"""

import socket

SECONDS = 30


class Unexpected(AssertionError):
    """The gateway sent something else, or nothing for SECONDS."""


def open_to(address):
    sock = socket.create_connection(address, timeout=SECONDS)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def take_through(sock, end):
    """Reads up to and with `end`, behind which the peer must send nothing."""
    data = b""
    while not data.endswith(end):
        piece = sock.recv(1 << 20)
        if not piece:
            raise Unexpected(f"closed before {end[-40:]!r}, after {data[-300:]!r}")
        data += piece
    return data


def take_same(sock, expected):
    """Reads as many bytes as `expected` has, which must be the same."""
    data = b""
    while len(data) < len(expected):
        piece = sock.recv(len(expected) - len(data))
        if not piece:
            raise Unexpected(f"closed after {data[-300:]!r}")
        data += piece
    if data != expected:
        raise Unexpected(f"expected {expected[:300]!r}, got {data[:300]!r}")


class Pair:
    """One kept client connection to the gateway, and the backend connection that the gateway keeps for it."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(SECONDS)
        self.address = None
        self.kept = None
        self.upstream = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def open(self, address):
        """Connects to the gateway at `address`."""
        self.address = address
        self.kept = open_to(address)

    def ask(self, request, end, answer, answer_end, client=None):
        """Request and answer, each whole before the other side moves."""
        client = client or self.kept
        client.sendall(request)
        if self.upstream is None:
            self.upstream, _ = self.listener.accept()
            self.upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.upstream.settimeout(SECONDS)
        take_through(self.upstream, end)
        self.upstream.sendall(answer)
        head = take_through(client, answer_end)
        if not head.startswith(b"HTTP/1.1 200 "):
            raise Unexpected(f"expected 200, got {head[:300]!r}")

    def ask_anew(self, *exchange):
        """The same on a connection of its own, which both sides have closed when this returns."""
        with open_to(self.address) as client:
            self.ask(*exchange, client=client)
            client.shutdown(socket.SHUT_WR)
            if client.recv(1) != b"":
                raise Unexpected("bytes behind the answer")

    def pass_on(self, data):
        """The backend writes `data` at once; the client has all of it when this returns."""
        self.upstream.sendall(data)
        take_same(self.kept, data)

    def close(self):
        for sock in (self.kept, self.upstream, self.listener):
            if sock:
                sock.close()
