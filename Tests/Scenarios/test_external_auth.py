"""A service that is asked whether a request may pass: what it is shown, what its answers mean, and what its silence does."""

import pytest

from harness.backends import Answers, Backend, Echoes, Models
from harness.client import assert_envelope
from harness.gateway import KEY, free_port
from harness.tokens import SECRET, hs256
from harness.waiting import never, until


class AuthService(Backend):
    """Knows `good`, and whoever has the cookie `session=good`; what else its answers say, a test sets."""

    def __init__(self, **rest):
        self.fields = {}
        self.status = None
        self.holding = False
        super().__init__(**rest)

    def answer(self, connection, request):
        with self.changed:
            self.changed.wait_for(lambda: not self.holding or self.over.is_set())
        shown = [request.header("authorization"), request.header("x-api-key"), request.header("cookie")]
        good = any(value in ("Bearer good", "good", "session=good", "Basic good") for value in shown)
        status = self.status or (200 if good else 401)
        fields = "".join(f"{name}: {value}\r\n" for name, value in self.fields.items())
        return connection.send(f"HTTP/1.1 {status} X\r\n{fields}content-length: 0\r\n\r\n".encode())

    def release(self):
        with self.changed:
            self.holding = False
            self.changed.notify_all()


@pytest.fixture
def service(backend):
    return backend(AuthService)


@pytest.fixture
def run(start, backend, service):
    """`run(...)`: a gateway that asks the service, with these settings, and knows no key unless one is given."""

    def run(keys=None, jwt=None, kind=Models, url=None, **external):
        return start(backend(kind), auth={"keys": keys, "jwt": jwt, "external": {"url": url or service.url + "/check", **external}})

    return run


def ask(gateway, key="good", path="/v1/models", **fields):
    fields = {name.replace("_", "-"): value for name, value in fields.items()}
    if key and not any(name.lower() in ("authorization", "x-api-key") for name in fields):
        fields["Authorization"] = f"Bearer {key}"
    return gateway.client(key=None).get(path, fields)


# What its answers mean


def test_a_yes_admits_and_names_who_it_is(run, service):
    service.fields = {"X-Auth-Name": "team red"}
    gateway = run()
    assert ask(gateway).status == 200
    assert gateway.logged(path="/v1/models")["key"] == "team red"


def test_a_yes_that_names_nobody_is_external(run):
    gateway = run()
    assert ask(gateway).status == 200 and gateway.client(key="good").chat().response().status == 200
    assert gateway.logged(path="/v1/chat/completions")["key"] == "external"


@pytest.mark.parametrize("status", [200, 201, 204])
def test_every_2xx_is_a_yes(run, service, status):
    service.status = status
    assert ask(run()).status == 200


def test_401_is_a_wrong_key(run):
    answer = ask(run(), "sk-wrong-0123456789")
    assert_envelope(answer, 401, "invalid_request_error", "invalid_api_key", message="Incorrect API key provided: sk-***6789")


def test_403_is_a_refusal(run, service):
    service.status = 403
    assert_envelope(ask(run()), 403, "permission_error", "insufficient_permissions")


@pytest.mark.parametrize("status", [301, 302, 400, 404, 429, 500, 502, 503])
def test_any_other_status_is_no_verdict_and_nobody_comes_in(run, service, status):
    service.status = status
    gateway = run()
    assert_envelope(ask(gateway), 503, "service_unavailable_error", "auth_unavailable")
    assert f"status {status}" in gateway.logged(status=503)["detail"]


@pytest.mark.parametrize(
    "answer",
    [b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
     b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000, b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n" + b"x" * 1_000_000],
    ids=["nothing", "no http", "cut short", "two lengths", "an endless head", "a huge body"],
)  # fmt: skip
def test_an_answer_that_cannot_be_read_is_no_verdict(run, backend, answer):
    gateway = run(url=backend(Answers, answer, keep=False).url)
    assert_envelope(ask(gateway), 503, "service_unavailable_error", "auth_unavailable")


def test_an_unreachable_service_lets_nobody_in(run):
    gateway = run(url=f"http://127.0.0.1:{free_port()}/", keys=[{"name": "tests", "value": KEY}])
    assert_envelope(ask(gateway), 503, "service_unavailable_error", "auth_unavailable")
    assert "connection refused" in gateway.logged(status=503)["detail"]
    assert gateway.client().get("/v1/models").status == 200, "keys of the file need nobody"


def test_a_service_that_does_not_answer_in_time_lets_nobody_in(run, service):
    service.holding = True
    gateway = run(timeout_seconds=0.3)
    assert_envelope(ask(gateway), 503, "service_unavailable_error", "auth_unavailable")
    assert "no answer within 300 ms" in gateway.logged(status=503)["detail"]


@pytest.mark.parametrize("words, looks, works", [("read", 200, 403), ("read proxy", 200, 200), ("read,proxy", 200, 200), ("proxy", 403, 403), ("", 403, 403), ("root", 403, 403)])
def test_permissions_are_those_that_it_gives(run, service, words, looks, works):
    service.fields = {"X-Auth-Permissions": words}
    gateway = run()
    assert ask(gateway).status == looks
    assert gateway.client(key="good").chat().response().status == works


@pytest.mark.parametrize("models, status", [("m", 200), ("x, m ,y", 200), ("other", 404), ("", 404)])
def test_models_are_those_that_it_gives(run, service, models, status):
    service.fields = {"X-Auth-Models": models}
    assert run().client(key="good").chat().response().status == status


# What it is shown


def test_it_is_shown_the_credential_and_what_is_asked_for(run, service):
    gateway = run()
    ask(gateway, path="/v1/models/a%20b?secret=1", X_Request_Id="req-1", Cookie="a=b")
    request = service.saw()
    assert (request.method, request.target, request.body) == ("GET", "/check", b"")
    assert request.header("authorization") == "Bearer good"
    assert request.header("x-original-method") == "GET"
    assert request.header("x-original-uri") == "/v1/models/a%20b"
    assert request.header("x-forwarded-for") == "127.0.0.1"
    assert request.header("x-request-id") == "req-1"
    assert request.header("cookie") is None


def test_it_is_shown_a_key_in_the_header_that_it_came_in(run, service):
    assert ask(run(), X_API_Key="good").status == 200
    assert service.saw().header("x-api-key") == "good" and service.saw().header("authorization") is None


def test_a_post_is_asked_about_by_a_get_without_its_body(run, service):
    assert run().client(key="good").chat().response().status == 200
    request = service.saw()
    assert (request.method, request.header("x-original-method")) == ("GET", "POST")
    assert request.header("content-length") is None and request.header("content-type") is None


def test_named_headers_are_shown_each_as_often_as_it_came(run, service):
    gateway = run(headers=["X-Team", "cookie"])
    gateway.client(key=None).get("/v1/models", [("Authorization", "Bearer good"), ("x-team", "a"), ("X-TEAM", "b"), ("Cookie", "c=d"), ("X-Other", "e")])
    request = service.saw()
    assert request.all("x-team") == ["a", "b"] and request.all("cookie") == ["c=d"] and request.header("x-other") is None


def test_a_named_header_is_judged_without_a_key(run, service):
    gateway = run(headers=["cookie"])
    assert ask(gateway, None, Cookie="session=good").status == 200
    assert_envelope(ask(gateway, None, Cookie="session=bad"), 401, "invalid_request_error", None, message="You didn't provide an API key")
    asked = len(service.requests)
    assert ask(gateway, None).status == 401
    assert len(service.requests) == asked, "without one of them nobody is asked"


def test_other_schemes_are_judged_where_their_header_is_named(run, service):
    assert ask(run(headers=["authorization"]), Authorization="Basic good").status == 200
    assert service.saw().all("authorization") == ["Basic good"]


def test_a_key_and_a_named_authorization_are_shown_once(run, service):
    assert ask(run(headers=["authorization"])).status == 200
    assert service.saw().all("authorization") == ["Bearer good"]


def test_what_others_know_is_not_asked_about(run, service):
    gateway = run(keys=[{"name": "tests", "value": KEY}], jwt={"secret": SECRET})
    assert gateway.client().get("/v1/models").status == 200
    assert ask(gateway, hs256()).status == 200
    assert not service.requests
    assert ask(gateway).status == 200 and len(service.requests) == 1
    assert ask(gateway, hs256(secret="x" * 32)).status == 401 and len(service.requests) == 2


def test_one_good_credential_of_two_is_enough(run, service):
    gateway = run()
    for fields in [{"Authorization": "Bearer good", "X-API-Key": "bad"}, {"Authorization": "Bearer bad", "X-API-Key": "good"}]:
        assert gateway.client(key=None).get("/v1/models", fields).status == 200
    assert gateway.client(key=None).get("/v1/models", {"Authorization": "Bearer bad", "X-API-Key": "bad2"}).status == 401


# How often it is asked


def test_without_a_cache_it_is_asked_about_each_request(run, service):
    gateway = run()
    for _ in range(3):
        assert ask(gateway).status == 200
    assert len(service.requests) == 3


def test_with_a_cache_a_yes_is_remembered_for_its_credential_and_a_no_is_not(run, service):
    gateway = run(cache_seconds=60)
    for _ in range(3):
        assert ask(gateway).status == 200
    assert len(service.requests) == 1
    for _ in range(3):
        assert ask(gateway, "bad").status == 401
    assert len(service.requests) == 4
    assert ask(gateway, X_API_Key="good").status == 200


def test_a_yes_is_remembered_for_its_time_and_no_longer(run, service):
    gateway = run(cache_seconds=0.3)
    assert ask(gateway).status == 200
    service.status = 401
    until("the key to be refused", lambda: ask(gateway).status == 401)


def test_a_yes_is_for_the_headers_that_it_was_given_for(run, service):
    gateway = run(cache_seconds=60, headers=["cookie"])
    for _ in range(2):
        assert ask(gateway, None, Cookie="session=good").status == 200
        assert ask(gateway, None, Cookie="session=bad").status == 401
    assert len(service.requests) == 3
    assert ask(gateway, "bad", Cookie="session=bad").status == 401


# Waiting


def test_a_client_that_leaves_while_it_is_asked_is_gone_and_nothing_stays_behind(run, service):
    gateway = run(kind=Echoes)
    assert ask(gateway, path="/v1/files").status == 200
    open_before = gateway.descriptor_count()
    service.holding = True
    clients = [gateway.client(key="good").request("GET", "/v1/files") for _ in range(10)]
    service.saw(11)
    for client in clients:
        client.reset()
    until("ten records of clients that left", lambda: sum(record["outcome"] == "client_left" for record in gateway.access()) == 10)
    service.release()
    until("their descriptors to be closed", lambda: gateway.descriptor_count() <= open_before)
    assert ask(gateway, path="/v1/files").status == 200
    assert sum(record["status"] == 200 for record in gateway.access()) <= 2


def test_an_upload_waits_for_the_verdict_before_its_body_is_asked_for(run, service):
    service.holding = True
    gateway = run(kind=Echoes)
    client = gateway.client(key="good")
    client.send(client.head("POST", "/v1/files", {"Content-Type": "application/octet-stream", "Expect": "100-continue"}, 5))
    service.saw()
    client.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.fill()
    client.socket.settimeout(10)
    service.release()
    assert client.response_head().status == 100
    assert client.send(b"hello").response().json()["bytes"] == 5


def test_a_refused_upload_is_not_asked_for_its_body(run):
    client = run(kind=Echoes).client(key="bad")
    client.send(client.head("POST", "/v1/files", {"Content-Type": "application/octet-stream", "Expect": "100-continue"}, 5))
    assert client.response_head().status == 401


def test_others_are_served_while_one_waits(run, service):
    service.holding = True
    gateway = run(keys=[{"name": "tests", "value": KEY}])
    waiting = gateway.client(key="good").request("GET", "/v1/models")
    service.saw()
    assert gateway.client().get("/v1/models").status == 200
    never("an answer without a verdict", lambda: any(record.get("key") == "external" for record in gateway.access()))
    service.release()
    assert waiting.response().status == 200


def test_outside_of_the_api_nobody_is_asked(run, service):
    assert run(headers=["cookie"]).client(key="good").get("/health", {"Cookie": "session=good"}).status == 200
    assert not service.requests
