"""Item 10: what the gateway itself says is OpenAI's envelope; what a backend says passes byte for byte."""

import pytest

from harness.backends import Answers, Echoes, NeverAnswers
from harness.client import assert_envelope

JSON = {"Content-Type": "application/json"}


def test_an_unknown_path_is_a_404_in_openai_s_words(start, backend):
    gateway = start(backend(Echoes), default_cluster=None)
    answer = gateway.client().get("/v1/none")
    assert_envelope(answer, 404, "invalid_request_error", None, message="Invalid URL (GET /v1/none)")


@pytest.mark.parametrize("target", ["/", "/v2/models", "/v1x/models", "/healthy", "/favicon.ico", "//v1/models", "/V1/models"])
def test_what_is_not_below_a_prefix_is_a_404(start, backend, target):
    echoes = backend(Echoes)
    assert_envelope(start(echoes).client().get(target), 404, "invalid_request_error", None, message="Invalid URL")
    assert not echoes.requests


@pytest.mark.parametrize("target", ["/v1/../v1/models", "/v1/%2e%2e/admin", "/v1/./models", "/v1/files/../../admin", "/v1/..;/admin"])
def test_dot_segments_are_not_a_way_around_the_prefix(start, backend, target):
    echoes = backend(Echoes)
    answer = start(echoes).client().get(target)
    assert answer.status in (400, 404) or all(r.target.startswith("/v1/") for r in echoes.requests), answer


@pytest.mark.parametrize("method, target", [("GET", "/v1/chat/completions"), ("PUT", "/v1/completions"), ("DELETE", "/v1/embeddings"), ("POST", "/v1/models")])
def test_a_wrong_method_is_a_405_with_a_hint(start, backend, method, target):
    echoes = backend(Echoes)
    body = b"{}" if method in ("PUT", "POST") else None
    answer = start(echoes, default_cluster=None).client().request(method, target, JSON, body).response()
    assert_envelope(answer, 405, "invalid_request_error", (None, "method_not_supported"), message=f"Not allowed to {method} on {target}")
    assert answer.header("allow")
    assert not echoes.requests


def test_no_backend_listening_is_a_502(start):
    gateway = start("http://127.0.0.1:9")
    client = gateway.client()
    answer = client.chat().response()
    assert_envelope(answer, 502, "server_error", "backend_unreachable")
    assert client.get("/health").status == 200


def test_a_502_tells_nothing_about_our_insides(start):
    answer = start("http://127.0.0.1:9").client().chat().response()
    assert b"127.0.0.1" not in answer.raw_head + answer.body and b"local" not in answer.body


def test_a_name_that_does_not_resolve_is_a_502_and_the_gateway_starts(start):
    gateway = start("http://no-such-host.invalid:8000", timeouts={"connect_seconds": 3})
    answer = gateway.client().chat().response()
    assert_envelope(answer, 502, "server_error", "backend_unreachable")


def test_a_backend_that_is_too_slow_is_a_504(start, backend):
    gateway = start(backend(NeverAnswers), timeouts={"first_byte_seconds": 0.3})
    assert_envelope(gateway.client().chat().response(), 504, "server_error", "backend_timeout")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 418, 422, 429, 500, 502, 503, 529, 599])
@pytest.mark.parametrize("body", [b'{"error":{"message":"theirs","type":"t","param":"p","code":"c"}}', b"<html>plain</html>", b""])
def test_a_backend_s_error_passes_with_its_own_status_headers_and_body(start, backend, status, body):
    raw = b"HTTP/1.1 %d Odd Reason\r\ncontent-type: text/x-odd\r\nretry-after: 7\r\nx-should-retry: false\r\ncontent-length: %d\r\n\r\n" % (status, len(body))
    answer = start(backend(Answers, raw + body)).client().chat().response()
    assert answer.status == status and answer.body == body
    assert answer.header("content-type") == "text/x-odd" and answer.header("retry-after") == "7"
    assert answer.header("x-should-retry") == "false"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_backend_s_redirect_is_passed_and_not_followed(start, backend, status):
    redirects = backend(Answers, f"HTTP/1.1 {status} Elsewhere\r\nlocation: http://127.0.0.1:9/x\r\ncontent-length: 0\r\n\r\n")
    answer = start(redirects).client().chat().response()
    assert answer.status == status and len(redirects.requests) == 1


def test_a_head_request_gets_an_error_without_a_body(start, backend):
    client = start(backend(Echoes), default_cluster=None).client()
    client.request("HEAD", "/v1/none")
    assert client.response(of="HEAD").status == 404
    assert client.get("/health").status == 200


def test_an_error_keeps_the_connection_when_framing_is_certain(start, backend):
    client = start(backend(Echoes)).client()
    for _ in range(5):
        assert client.chat(model="nobody").response().status == 404
    assert client.chat().response().status == 200


def test_an_error_for_http_1_0_closes(start, backend):
    client = start(backend(Echoes)).client()
    client.request("GET", "/v2", version="1.0")
    assert client.response().status == 404 and client.closed(2)


def test_what_a_client_sent_is_escaped_in_the_error(start, backend):
    answer = start(backend(Echoes)).client().chat(model='a"b\\c\n\u0001</script>\u20ac').response()
    error = assert_envelope(answer, 404, "invalid_request_error", "model_not_found", param=answer.json()["error"]["param"])
    assert 'a"b\\c' in error["message"]


def test_health_and_readiness_are_small_and_quick(start, backend):
    client = start(backend(Echoes)).client()
    for target in ("/health", "/ready"):
        answer = client.get(target)
        assert answer.status == 200 and answer.framing == "length" and len(answer.body) < 1000
    client.request("HEAD", "/health")
    assert client.response(of="HEAD").status == 200
