"""Bad input on the listener: a clear answer, the connection closed where framing is in doubt, nothing lost for the others."""

import random

import pytest

from harness.backends import Echoes, StreamsOnDemand
from harness.client import assert_envelope
from harness.waiting import until
from harness.gateway import KEY

HOST = b"Host: gateway.test\r\n"
AUTH = b"Authorization: Bearer " + KEY.encode() + b"\r\n"
START = b"POST /v1/files HTTP/1.1\r\n"

# name: (bytes, allowed statuses)
SMUGGLING = {
    "length and chunked": (START + HOST + AUTH + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/smuggled HTTP/1.1\r\n\r\n", {400}),
    "chunked and length": (START + HOST + AUTH + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", {400}),
    "two lengths": (START + HOST + AUTH + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nhello", {400}),
    "the same length twice": (START + HOST + AUTH + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", {400}),
    "a list of lengths": (START + HOST + AUTH + b"Content-Length: 5, 5\r\n\r\nhello", {400}),
    "a signed length": (START + HOST + AUTH + b"Content-Length: +5\r\n\r\nhello", {400}),
    "a negative length": (START + HOST + AUTH + b"Content-Length: -5\r\n\r\nhello", {400}),
    "a hexadecimal length": (START + HOST + AUTH + b"Content-Length: 0x5\r\n\r\nhello", {400}),
    "an empty length": (START + HOST + AUTH + b"Content-Length: \r\n\r\nhello", {400}),
    "a length beyond 64 bits": (START + HOST + AUTH + b"Content-Length: 18446744073709551616\r\n\r\n", {400, 413}),
    "a length with a space inside": (START + HOST + AUTH + b"Content-Length: 5 5\r\n\r\nhello", {400}),
    "chunked twice": (START + HOST + AUTH + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    "chunked in two fields": (START + HOST + AUTH + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    "chunked not last": (START + HOST + AUTH + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", {400, 501}),
    "gzip before chunked": (START + HOST + AUTH + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", {501}),
    "identity": (START + HOST + AUTH + b"Transfer-Encoding: identity\r\n\r\n", {400, 501}),
    "xchunked": (START + HOST + AUTH + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", {400, 501}),
    "chunked with a vertical tab": (START + HOST + AUTH + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", {400, 501}),
    "chunked in quotes": (START + HOST + AUTH + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n', {400, 501}),
    "chunked from HTTP/1.0": (b"POST /v1/files HTTP/1.0\r\n" + HOST + AUTH + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    "a space before the colon": (START + HOST + AUTH + b"Content-Length : 5\r\n\r\nhello", {400}),
    "a space before transfer-encoding": (START + HOST + AUTH + b" Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", {400}),
    "a folded line": (START + HOST + AUTH + b"X-Folded: one\r\n two\r\nContent-Length: 0\r\n\r\n", {400}),
    "a folded coding": (START + HOST + AUTH + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    "a bare CR in a value": (START + HOST + AUTH + b"X-Note: a\rb\r\nContent-Length: 0\r\n\r\n", {400}),
    "a bare CR that hides a header": (START + HOST + AUTH + b"X-Note: a\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello", {400}),
    "a NUL in a value": (START + HOST + AUTH + b"X-Note: a\x00b\r\nContent-Length: 0\r\n\r\n", {400}),
    "a NUL in a name": (START + HOST + AUTH + b"X-No\x00te: a\r\nContent-Length: 0\r\n\r\n", {400}),
    "a control byte in a value": (START + HOST + AUTH + b"X-Note: a\x01b\r\nContent-Length: 0\r\n\r\n", {400}),
    "an empty name": (START + HOST + AUTH + b": empty\r\nContent-Length: 0\r\n\r\n", {400}),
    "a line without a colon": (START + HOST + AUTH + b"nonsense\r\nContent-Length: 0\r\n\r\n", {400}),
    "bare LF line ends": (b"POST /v1/files HTTP/1.1\n" + HOST.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n", {400, 505}),
    "two hosts": (START + HOST + b"Host: other.test\r\n" + AUTH + b"Content-Length: 0\r\n\r\n", {400}),
    "the same host twice": (START + HOST + HOST + AUTH + b"Content-Length: 0\r\n\r\n", {400}),
    "no host": (START + AUTH + b"Content-Length: 0\r\n\r\n", {400}),
    "a host with a path": (START + b"Host: a/b@c\r\n" + AUTH + b"Content-Length: 0\r\n\r\n", {400}),
    "a host with letters for a port": (START + b"Host: gateway.test:http\r\n" + AUTH + b"Content-Length: 0\r\n\r\n", {400}),
    "a host that is a port alone": (START + b"Host: :80\r\n" + AUTH + b"Content-Length: 0\r\n\r\n", {400}),
    "a host with two ports": (START + b"Host: gateway.test:80:81\r\n" + AUTH + b"Content-Length: 0\r\n\r\n", {400}),
    "an address whose bracket stays open": (START + b"Host: [::1\r\n" + AUTH + b"Content-Length: 0\r\n\r\n", {400}),
    "a name behind a bracket": (START + b"Host: [::1]evil.test\r\n" + AUTH + b"Content-Length: 0\r\n\r\n", {400}),
    "a target with letters for a port": (b"POST http://gateway.test:x/v1/files HTTP/1.1\r\n" + HOST + AUTH + b"Content-Length: 0\r\n\r\n", {400}),
    "a method in lower case with a tab": (b"po\tst /v1/files HTTP/1.1\r\n" + HOST + AUTH + b"\r\n", {400, 501}),
    "an unknown method": (b"BREW /v1/files HTTP/1.1\r\n" + HOST + AUTH + b"\r\n", {400, 405, 501}),
    "CONNECT": (b"CONNECT evil.test:443 HTTP/1.1\r\n" + HOST + AUTH + b"\r\n", {400, 405, 501}),
    "TRACE": (b"TRACE /v1/files HTTP/1.1\r\n" + HOST + AUTH + b"\r\n", {400, 405, 501}),
    "two spaces in the request line": (b"POST  /v1/files HTTP/1.1\r\n" + HOST + AUTH + b"Content-Length: 0\r\n\r\n", {400}),
    "a fragment": (b"POST /v1/files#x HTTP/1.1\r\n" + HOST + AUTH + b"Content-Length: 0\r\n\r\n", {400}),
    "a control byte in the target": (b"POST /v1/fi\x01les HTTP/1.1\r\n" + HOST + AUTH + b"Content-Length: 0\r\n\r\n", {400}),
    "no version": (b"GET /v1/files\r\n" + HOST + b"\r\n", {400, 505}),
    "HTTP/1.2": (b"GET /v1/files HTTP/1.2\r\n" + HOST + AUTH + b"\r\n", {505, 400}),
    "HTTP/2.0": (b"GET /v1/files HTTP/2.0\r\n" + HOST + AUTH + b"\r\n", {505, 400}),
    "HTTP/0.9": (b"GET /v1/files HTTP/0.9\r\n" + HOST + AUTH + b"\r\n", {505, 400}),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", {400, 505, 501}),
    "a TLS hello": (bytes.fromhex("16030100a5010000a10303") + b"\x00" * 160, {400}),
    "a bad chunk size": (START + HOST + AUTH + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n", {400}),
    "a signed chunk size": (START + HOST + AUTH + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", {400}),
    "a chunk size beyond 64 bits": (START + HOST + AUTH + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello", {400, 413}),
    "a chunk without its line end": (START + HOST + AUTH + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n", {400}),
    "a chunk size ended by LF": (START + HOST + AUTH + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", {400}),
    "an endless chunk extension": (START + HOST + AUTH + b"Transfer-Encoding: chunked\r\n\r\n5;" + b"x" * 200_000, {400, 413, 431}),
    "endless trailers": (START + HOST + AUTH + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X-T: 1\r\n" * 40_000, {400, 413, 431}),
}


@pytest.fixture
def pair(start, backend):
    echoes = backend(Echoes)
    return start(echoes), echoes


@pytest.mark.parametrize("name", SMUGGLING)
def test_a_request_that_two_readers_could_read_differently_is_refused_and_the_connection_closed(pair, name):
    gateway, echoes = pair
    raw, statuses = SMUGGLING[name]
    client = gateway.client()
    client.try_send(raw)
    answer = client.response()
    assert answer.status in statuses, answer
    assert answer.header("connection") == "close"
    assert client.closed(3), "nothing after it may be read as a request"
    assert not any(r.target == "/v1/smuggled" for r in echoes.requests)
    assert all(not r.complete for r in echoes.requests), [r.raw_head for r in echoes.requests]
    assert gateway.client().get("/health").status == 200


@pytest.mark.parametrize("host", ["a:", "a:80", "a_b.test:99999", "127.0.0.1:1", "[::1]", "[::1]:80", "[fe80::1%25eth0]:", "%61"])
def test_every_form_of_a_host_is_served(pair, host):
    assert pair[0].client().request("GET", "/v1/files", host=host).response().status == 200
    assert pair[0].client().request("GET", f"http://{host}/v1/files").response().status == 200


@pytest.mark.parametrize(
    "name, words",
    [
        ("length and chunked", "Content-Length and Transfer-Encoding"),
        ("chunked and length", "Content-Length and Transfer-Encoding"),
        ("the same length twice", "once"),
        ("a signed length", "malformed"),
        ("chunked twice", "chunked"),
    ],
)
def test_a_refusal_of_framing_names_the_fault(pair, name, words):
    client = pair[0].client()
    client.try_send(SMUGGLING[name][0])
    assert words in client.response().json()["error"]["message"]


@pytest.mark.parametrize("name", ["length and chunked", "two lengths", "a bare CR in a value", "no host", "a bad chunk size"])
def test_a_refusal_of_framing_is_an_envelope(pair, name):
    client = pair[0].client()
    client.send(SMUGGLING[name][0])
    assert_envelope(client.response(), 400, "invalid_request_error", None)


@pytest.mark.parametrize("name", ["length and chunked", "two lengths", "a bare CR in a value", "a folded line", "HTTP/1.2"])
def test_a_bad_request_is_refused_whatever_its_split(pair, name):
    raw, statuses = SMUGGLING[name]
    client = pair[0].client()
    for at in range(len(raw)):
        if not client.try_send(raw[at : at + 1]):
            break
    assert client.response().status in statuses


def test_a_head_beyond_its_limit_is_431(pair):
    client = pair[0].client()
    client.try_send(b"GET /v1/files HTTP/1.1\r\n" + HOST + b"X-Long: " + b"x" * 70_000 + b"\r\n\r\n")
    assert client.response().status == 431 and client.closed(3)


def test_an_endless_head_is_431_without_waiting_for_its_end(pair):
    client = pair[0].client()
    client.try_send(b"GET /v1/files HTTP/1.1\r\n" + HOST + b"X-Long: " + b"x" * 70_000)
    assert client.response().status == 431 and client.closed(3)


def test_too_many_headers_are_431(pair):
    client = pair[0].client()
    client.try_send(b"GET /v1/files HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: 1\r\n" % i for i in range(1000)) + b"\r\n")
    assert client.response().status == 431 and client.closed(3)


def test_a_target_beyond_its_limit_is_414(pair):
    client = pair[0].client()
    client.try_send(b"GET /v1/files?" + b"x" * 40_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    assert client.response().status == 414 and client.closed(3)


def test_the_limit_of_the_head_can_be_set(start, backend):
    client = start(backend(Echoes), client={"head_bytes_max": 2048}).client()
    client.try_send(b"GET /v1/files HTTP/1.1\r\n" + HOST + b"X-Long: " + b"x" * 3000 + b"\r\n\r\n")
    assert client.response().status == 431


def test_a_head_just_within_64_kib_passes(pair):
    answer = pair[0].client().get("/v1/files", {"X-Long": "x" * 60_000})
    assert answer.status == 200


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_that_must_be_read_beyond_its_limit_is_413(start, backend, framing):
    gateway = start(backend(Echoes), client={"body_bytes_max": 4096})
    client = gateway.client()
    headers = {"Content-Type": "application/json"}
    if framing == "length":
        client.send(client.head("POST", "/v1/chat/completions", headers, 5000))
    else:
        client.send(client.head("POST", "/v1/chat/completions", {**headers, "Transfer-Encoding": "chunked"}))
        client.try_send(b"1388\r\n" + b" " * 5000 + b"\r\n")
    assert_envelope(client.response(), 413, "invalid_request_error", None)
    assert client.closed(3)


@pytest.mark.parametrize("seed", range(4))
def test_random_bytes_harm_nobody(pair, seed):
    gateway, echoes = pair
    source = random.Random(seed)
    good = (START + HOST + AUTH + b"Content-Type: application/json\r\nContent-Length: 27\r\n\r\n" + b'{"model":"m","messages":[]}')
    for round in range(60):
        raw = bytearray(good)
        for _ in range(source.randint(1, 8)):
            kind, at = source.random(), source.randrange(len(raw))
            if kind < 0.5:
                raw[at] = source.randrange(256)
            elif kind < 0.75:
                del raw[at : at + source.randint(1, 10)]
            else:
                raw[at:at] = bytes(source.randrange(256) for _ in range(source.randint(1, 20)))
            raw = raw or bytearray(b"\0")
        client = gateway.client(timeout=5)
        client.try_send(bytes(raw))
        try:
            client.finish()
            client.rest()
        except OSError:
            pass
        client.close()
    assert gateway.client().get("/health").status == 200, f"seed {seed}"


def test_pure_noise_harms_nobody(pair):
    gateway, _ = pair
    source = random.Random(7)
    for _ in range(60):
        client = gateway.client(timeout=5)
        client.try_send(source.randbytes(source.randint(1, 5000)))
        try:
            client.finish()
            client.rest()
        except OSError:
            pass
        client.close()
    assert gateway.client().get("/health").status == 200


def test_hostile_bytes_do_not_disturb_an_open_stream(start, backend):
    streams = backend(StreamsOnDemand)
    gateway = start(streams)
    client = gateway.client().chat(stream=True)
    client.response_head()
    for raw, _ in SMUGGLING.values():
        hostile = gateway.client()
        hostile.try_send(raw)
        hostile.closed(3)
        streams.release()
        assert client.event()


def test_connections_that_come_and_go_without_a_word_leave_nothing_behind(pair):
    gateway, _ = pair
    gateway.client().get("/health")
    before = gateway.descriptor_count()
    for _ in range(300):
        gateway.client().close()
        gateway.client().reset()
    gateway.client().get("/health")
    until("the descriptors to be given back", lambda: gateway.descriptor_count() <= before + 2)
