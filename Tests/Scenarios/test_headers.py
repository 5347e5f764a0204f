"""Items 4 and 8: which headers go on, which stay, which are added."""

import re

import pytest

from harness.backends import Answers, Echoes
from harness.gateway import KEY

JSON = {"Content-Type": "application/json"}


def seen(answer):
    return [(name.lower(), value) for name, value in answer.json()["headers"]]


def value(answer, name):
    values = [v for n, v in seen(answer) if n == name]
    return values[0] if len(values) == 1 else values or None


def test_hop_by_hop_headers_of_the_client_stay_here(start, backend):
    client = start(backend(Echoes)).client()
    answer = client.get(
        "/v1/files",
        {
            "Connection": "keep-alive, x-private",
            "Keep-Alive": "timeout=5",
            "Proxy-Connection": "keep-alive",
            "Proxy-Authorization": "Basic eDp5",
            "TE": "trailers",
            "Upgrade": "h2c",
            "HTTP2-Settings": "AAMAAABkAAQCAAAAAAIAAAAA",
            "X-Private": "secret",
            "X-Public": "1",
        },
    )
    names = {name for name, _ in seen(answer)}
    dropped = {"keep-alive", "proxy-connection", "proxy-authorization", "te", "upgrade", "http2-settings", "x-private"}
    assert answer.status == 200 and not names & dropped, names
    assert value(answer, "x-public") == "1"


def test_connection_cannot_remove_what_the_gateway_relies_on(start, backend):
    client = start(backend(Echoes)).client()
    answer = client.post("/v1/files", b"hello", {"Connection": "content-length, host, x-forwarded-for, authorization"})
    assert answer.json()["bytes"] == 5
    assert value(answer, "x-forwarded-for") == "127.0.0.1"


def test_hop_by_hop_headers_of_the_backend_stay_here(start, backend):
    raw = (
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: x-inner, keep-alive\r\nkeep-alive: timeout=5\r\n"
        "proxy-authenticate: Basic\r\nx-inner: 1\r\nupgrade: h2c\r\nx-outer: 2\r\n\r\n{}"
    )
    answer = start(backend(Answers, raw)).client().get("/v1/files")
    for name in ("keep-alive", "proxy-authenticate", "x-inner", "upgrade"):
        assert answer.header(name) is None, answer.headers
    assert answer.header("x-outer") == "2" and answer.body == b"{}"


def test_end_to_end_headers_pass_both_ways_in_order_and_repeated(start, backend):
    raw = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nx-Mixed-Case:  spaced  \r\n\r\n{}"
    answer = start(backend(Answers, raw)).client().get("/v1/files")
    assert answer.all("set-cookie") == ["a=1", "b=2"] and answer.header("x-mixed-case") == "spaced"
    gateway = start(backend(Echoes))
    answer = gateway.client().get("/v1/files", [("X-Many", "1"), ("X-Many", "2"), ("X-Empty", ""), ("X-Latin", "caf\xe9")])
    assert [v for n, v in seen(answer) if n == "x-many"] == ["1", "2"]
    assert value(answer, "x-empty") == "" and value(answer, "x-latin") == "caf\xe9"


@pytest.mark.parametrize("name", ["OpenAI-Organization", "OpenAI-Project", "X-Client-Request-Id", "X-Stainless-Retry-Count", "User-Agent"])
def test_headers_of_the_sdks_reach_the_backend(start, backend, name):
    answer = start(backend(Echoes)).client().get("/v1/files", {name: "value"})
    assert value(answer, name.lower()) == "value"


def test_forwarded_headers_of_a_stranger_are_replaced(start, backend):
    answer = start(backend(Echoes)).client().get(
        "/v1/files",
        {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.test", "X-Real-IP": "203.0.113.9",
         "Forwarded": "for=203.0.113.9"},
    )
    assert value(answer, "x-forwarded-for") == "127.0.0.1"
    assert value(answer, "x-forwarded-proto") == "http"
    assert not any("203.0.113.9" in v or "evil.test" in v for _, v in seen(answer))


def test_forwarded_headers_of_a_trusted_proxy_are_continued(start, backend):
    gateway = start(backend(Echoes), client={"trusted_proxies": ["127.0.0.0/8"]})
    answer = gateway.client().get("/v1/files", {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"})
    assert value(answer, "x-forwarded-for") == "203.0.113.9, 127.0.0.1"
    assert value(answer, "x-forwarded-proto") == "https"


def test_via_names_the_gateway_both_ways(start, backend):
    answer = start(backend(Echoes)).client().get("/v1/files")
    assert re.match(r"1\.1 \S+", value(answer, "via") or "")
    assert re.match(r"1\.1 \S+", answer.header("via") or "")


def test_the_host_is_the_endpoint_s_own(start, backend):
    echoes = backend(Echoes)
    assert value(start(echoes).client().get("/v1/files"), "host") == echoes.authority


def test_the_host_can_be_set(start, backend):
    gateway = start(backend(Echoes), clusters={"local": {"host": "backend.test"}})
    assert value(gateway.client().get("/v1/files"), "host") == "backend.test"


def test_extra_headers_of_a_cluster_are_set_and_win(start, backend):
    gateway = start(backend(Echoes), clusters={"local": {"headers": {"X-Extra": "mine"}}})
    assert value(gateway.client().get("/v1/files", {"X-Extra": "yours"}), "x-extra") == "mine"


def test_a_request_id_is_made_for_every_request(start, backend):
    client = start(backend(Echoes)).client()
    ids = []
    for _ in range(3):
        answer = client.get("/v1/files")
        assert re.fullmatch(r"[\w.-]{8,}", answer.header("x-request-id") or ""), answer
        assert value(answer, "x-request-id") == answer.header("x-request-id"), "the backend is told the same id"
        ids.append(answer.header("x-request-id"))
    assert len(set(ids)) == 3


def test_a_request_id_of_the_client_is_kept(start, backend):
    answer = start(backend(Echoes)).client().get("/v1/files", {"X-Request-ID": "mine-0123456789"})
    assert answer.header("x-request-id") == "mine-0123456789" == value(answer, "x-request-id")


@pytest.mark.parametrize("bad", ["x" * 5000, "caf\xe9 \xff", "two words"])
def test_a_request_id_that_does_harm_in_a_log_is_replaced(start, backend, bad):
    answer = start(backend(Echoes)).client().get("/v1/files", {"X-Request-ID": bad})
    assert re.fullmatch(r"[\w.-]{8,128}", answer.header("x-request-id") or ""), answer.header("x-request-id")


def test_errors_of_the_gateway_carry_the_request_id(start, backend):
    answer = start(backend(Echoes)).client(key="sk-wrong").get("/v1/files", {"X-Request-ID": "mine-0123456789"})
    assert answer.status == 401 and answer.header("x-request-id") == "mine-0123456789"


def test_there_is_one_request_id_even_when_the_backend_has_its_own(start, backend):
    raw = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-request-id: req_backend\r\n\r\n{}"
    assert len(start(backend(Answers, raw)).client().get("/v1/files").all("x-request-id")) == 1


def test_the_client_s_key_never_reaches_a_backend(start, backend):
    gateway = start(backend(Echoes))
    for headers in ({"Authorization": f"Bearer {KEY}"}, {"x-api-key": KEY}, {"x-api-key": KEY, "Authorization": f"Bearer {KEY}"}):
        answer = gateway.client().get("/v1/files", headers)
        assert answer.status == 200 and not any(KEY in v for _, v in seen(answer)), seen(answer)
        assert value(answer, "authorization") is None and value(answer, "x-api-key") is None


def test_the_cluster_s_key_takes_the_place_of_the_client_s(start, backend):
    gateway = start(backend(Echoes), environment={"BACKEND_KEY": "sk-backend"}, clusters={"local": {"api_key": "${BACKEND_KEY}"}})
    answer = gateway.client().get("/v1/files")
    assert value(answer, "authorization") == "Bearer sk-backend"


def test_the_cluster_s_key_is_never_told_to_anybody(start, backend):
    gateway = start(backend(Echoes), clusters={"local": {"api_key": "sk-backend-secret", "endpoints": ["http://127.0.0.1:9"]}})
    answer = gateway.client().chat().response()
    assert answer.status == 502
    assert b"sk-backend-secret" not in answer.raw_head + answer.body
    assert "sk-backend-secret" not in gateway.text() and KEY not in gateway.text()


def test_head_bytes_of_the_backend_never_become_headers_of_ours(start, backend):
    raw = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-note: a: b; c\r\n\r\n{}"
    assert start(backend(Answers, raw)).client().get("/v1/files").header("x-note") == "a: b; c"
