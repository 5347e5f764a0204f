"""Item 15: TLS both ways, through the same sockets and relays."""

import os
import socket
import ssl
import subprocess

import pytest

from harness.backends import Answers, CloseDelimited, Echoes, FloodsForever, SpeaksPlain, StallsAfterEvents, StreamsEvents, event
from harness.client import assert_envelope
from harness.gateway import free_port
from harness.waiting import stands_still, until


@pytest.fixture
def secure(start, certificates):
    """`secure(backend, ...)` runs a gateway whose listener speaks TLS with the good certificate."""

    def secure(backend, **changes):
        listeners = [{"address": f"127.0.0.1:{free_port()}", "tls": certificates.pair("good")}]
        return start(backend, listeners=listeners, **changes)

    return secure


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_speaks_tls_with_the_listener(secure, backend, certificates, version):
    gateway = secure(backend(Echoes))
    client = gateway.client(tls=certificates.client_context(version))
    assert client.socket.version() == version.name.replace("_", ".")
    assert client.socket.selected_alpn_protocol() == "http/1.1"
    for _ in range(3):
        assert client.chat().response().status == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_older_versions_are_refused(secure, backend, certificates):
    gateway = secure(backend(Echoes))
    context = certificates.client_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match="(?i)alert"):
        gateway.client(tls=context)


def test_the_backend_is_told_that_the_client_spoke_https(secure, backend, certificates):
    answer = secure(backend(Echoes)).client(tls=certificates.client_context()).get("/v1/files")
    assert next(v for k, v in answer.json()["headers"] if k.lower() == "x-forwarded-proto") == "https"


def test_a_stream_through_tls_arrives_event_by_event(secure, backend, certificates):
    client = secure(backend(StreamsEvents, count=20, gap=0.01)).client(tls=certificates.client_context()).chat(stream=True)
    answer = client.response()
    assert not answer.cut and answer.body == b"".join(event(i) for i in range(20)) + b"data: [DONE]\n\n"


@pytest.mark.parametrize("size", [16_384, 16_385, 1_000_000])
def test_big_bodies_pass_through_tls_both_ways(secure, backend, certificates, size):
    body = os.urandom(size)
    gateway = secure(backend(Answers, b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + body))
    client = gateway.client(tls=certificates.client_context())
    answer = client.post("/v1/files", body, {"Content-Type": "application/octet-stream"})
    assert answer.body == body


def test_a_tls_client_that_leaves_closes_the_backend_connection(secure, backend, certificates):
    stalls = backend(StallsAfterEvents, 2)
    client = secure(stalls).client(tls=certificates.client_context()).chat(stream=True)
    client.response_head()
    client.close()
    stalls.peer_closed()


def test_a_slow_tls_reader_stops_the_backend(secure, backend, certificates):
    floods = backend(FloodsForever)
    gateway = secure(floods)
    before = gateway.resident_bytes()
    client = gateway.client(tls=certificates.client_context(), receive_buffer=4096).chat(stream=True)
    client.response_head()
    connection = floods.saw_connection()
    until("the flood to be stopped", lambda: stands_still(connection), 20)
    assert gateway.resident_bytes() - before < 16 << 20


def test_plain_text_on_a_tls_port_harms_nobody(secure, backend, certificates):
    gateway = secure(backend(Echoes))
    plain = gateway.client()
    plain.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
    assert plain.closed(5)
    assert gateway.client(tls=certificates.client_context()).get("/health").status == 200


def test_a_handshake_that_does_not_go_on_is_given_up(secure, backend, certificates):
    gateway = secure(backend(Echoes), client={"head_seconds": 0.5})
    client = gateway.client()
    client.send(bytes.fromhex("1603010200010001fc0303"))
    assert client.closed(4)


def test_noise_on_a_tls_port_harms_nobody(secure, backend, certificates):
    gateway = secure(backend(Echoes))
    for _ in range(50):
        client = gateway.client()
        client.try_send(b"\x16\x03\x01" + os.urandom(300))
        client.close()
    assert gateway.client(tls=certificates.client_context()).get("/health").status == 200


def test_the_certificate_is_the_configured_one(secure, backend, certificates):
    gateway = secure(backend(Echoes))
    with pytest.raises(ssl.SSLCertVerificationError):
        gateway.client(tls=certificates.client_context(), server_name="elsewhere.test")


# Backends over TLS


def https(backend_, host="localhost"):
    return f"https://{host}:{backend_.port}"


def test_a_backend_is_verified_with_a_ca_file(start, backend, certificates):
    echoes = backend(Echoes, tls=certificates.server_context("good"))
    gateway = start(https(echoes), clusters={"local": {"tls": {"ca_file": str(certificates.authority)}}})
    client = gateway.client()
    for _ in range(3):
        assert client.chat().response().status == 200
    assert len(echoes.connections) == 1


def test_a_backend_by_address_is_verified(start, backend, certificates):
    echoes = backend(Echoes, tls=certificates.server_context("good"))
    gateway = start(https(echoes, "127.0.0.1"), clusters={"local": {"tls": {"ca_file": str(certificates.authority)}}})
    assert gateway.client().chat().response().status == 200


def test_a_backend_gets_the_name_it_is_asked_for(start, backend, certificates):
    names = []
    context = certificates.server_context("good")
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    echoes = backend(Echoes, tls=context)
    gateway = start(https(echoes), clusters={"local": {"tls": {"ca_file": str(certificates.authority)}}})
    assert gateway.client().chat().response().status == 200
    assert names == ["localhost"]


def test_the_server_name_can_be_set(start, backend, certificates):
    echoes = backend(Echoes, tls=certificates.server_context("elsewhere"))
    tls = {"ca_file": str(certificates.authority), "server_name": "elsewhere.test"}
    assert start(https(echoes), clusters={"local": {"tls": tls}}).client().chat().response().status == 200


@pytest.mark.parametrize(
    "certificate, tls",
    [("elsewhere", True), ("alone", True), ("alone", False), ("good", False)],
    ids=["wrong name", "self-signed", "self-signed by the system's CAs", "private CA by the system's CAs"],
)
def test_a_backend_that_cannot_be_verified_is_a_502(start, backend, certificates, certificate, tls):
    echoes = backend(Echoes, tls=certificates.server_context(certificate))
    settings = {"ca_file": str(certificates.authority)} if tls else {"verify": True}
    gateway = start(https(echoes), clusters={"local": {"tls": settings}})
    answer = gateway.client().chat().response()
    assert_envelope(answer, 502, "server_error", ("backend_unreachable", "backend_tls"))
    assert not echoes.requests, "nothing was sent to it"


@pytest.mark.parametrize("certificate", ["good", "elsewhere", "alone"])
def test_verification_can_be_switched_off(start, backend, certificates, certificate):
    echoes = backend(Echoes, tls=certificates.server_context(certificate))
    gateway = start(https(echoes), clusters={"local": {"tls": {"verify": False}}})
    assert gateway.client().chat().response().status == 200


def test_a_backend_that_speaks_plain_text_is_a_502(start, backend):
    answer = start(backend(SpeaksPlain)).client().chat().response()
    assert_envelope(answer, 502, "server_error", ("backend_unreachable", "backend_tls"))


def test_a_stream_from_a_tls_backend_arrives_whole(start, backend, certificates):
    streams = backend(StreamsEvents, count=50, tls=certificates.server_context("good"))
    gateway = start(https(streams), clusters={"local": {"tls": {"verify": False}}})
    client = gateway.client()
    for _ in range(3):
        answer = client.chat(stream=True).response()
        assert not answer.cut and answer.body == b"".join(event(i) for i in range(50)) + b"data: [DONE]\n\n"


def test_a_big_answer_from_a_tls_backend_arrives_whole(start, backend, certificates):
    body = os.urandom(3_000_000)
    raw = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    answers = backend(Answers, raw, tls=certificates.server_context("good"))
    gateway = start(https(answers), clusters={"local": {"tls": {"verify": False}}})
    assert gateway.client().get("/v1/files/x/content").body == body


def test_a_close_delimited_answer_cut_below_tls_is_seen_as_a_cut(start, backend, certificates):
    class Truncates(CloseDelimited):
        def answer(self, connection, request):
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\nhalf")
            # TCP ends without close_notify: anybody on the way could have done that.
            raw = socket.socket(fileno=os.dup(connection.socket.fileno()))
            raw.shutdown(socket.SHUT_WR)
            raw.close()
            connection.wait_for_close()
            return False

    truncates = backend(Truncates, tls=certificates.server_context("good"))
    gateway = start(https(truncates), clusters={"local": {"tls": {"verify": False}}})
    assert gateway.client().get("/v1/files").cut


def test_tls_on_both_sides(secure, backend, certificates):
    streams = backend(StreamsEvents, count=20, tls=certificates.server_context("good"))
    gateway = secure(https(streams), clusters={"local": {"tls": {"ca_file": str(certificates.authority)}}})
    answer = gateway.client(tls=certificates.client_context()).chat(stream=True).response()
    assert not answer.cut and len(answer.events()) == 21


def test_curl_speaks_tls_with_the_listener(secure, backend, certificates):
    gateway = secure(backend(Echoes))
    host, port = gateway.address
    result = subprocess.run(
        ["curl", "-sS", "--cacert", str(certificates.authority), f"https://localhost:{port}/health", "-o", "/dev/null", "-w", "%{http_code} %{http_version}"],
        capture_output=True, text=True, timeout=20,
    )
    assert result.stdout == "200 1.1", result.stderr


def test_a_certificate_that_is_not_there_is_told_at_the_start(start, backend, certificates):
    tls = {"certificate": "/nowhere/cert.pem", "key": "/nowhere/key.pem"}
    gateway = start(backend(Echoes), listeners=[{"address": f"127.0.0.1:{free_port()}", "tls": tls}], ready=False)
    assert gateway.wait() != 0 and "/nowhere/cert.pem" in gateway.text()
    gateway.process = None
