"""Limits beside the one per address: of keys, routes and models."""

import pytest

from harness.backends import Answers, ClosesBetweenEvents, CountsTokens, Models, NeverAnswers, StallsAfterEvents
from harness.rows import row
from harness.waiting import until

ERROR = b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
KEYS = {"keys": [{"name": name, "value": f"key-of-{name}-0123456789"} for name in ("alice", "bob")]}


@pytest.fixture
def limited(start, backend):
    def limited(**rules):
        gateway = start(backend(Models), auth=KEYS, limits={"rules": rules}, unknown_models="forward")
        gateway.of = lambda name, **rest: gateway.client(key=f"key-of-{name}-0123456789", **rest)
        return gateway

    return limited


def statuses(client, count, **members):
    return [client.chat(**members).response().status for _ in range(count)]


@row("MP-37")
def test_each_key_has_a_limit_of_its_own(limited):
    gateway = limited(each={"of": "key", "requests": 2})
    assert statuses(gateway.of("alice"), 3) == [200, 200, 429]
    assert statuses(gateway.of("bob"), 2) == [200, 200]
    answer = gateway.of("alice").chat().response()
    assert answer.status == 429 and 1 <= int(answer.header("retry-after")) <= 60
    assert answer.header("x-ratelimit-limit-requests") == "2" and answer.header("x-ratelimit-remaining-requests") == "0"
    assert "with your API key: Limit 2 per minute" in answer.json()["error"]["message"]
    assert gateway.logged(status=429)["detail"] == "limits.rules.each"


@row("MP-37")
def test_a_class_of_keys_has_a_limit(limited):
    gateway = limited(free={"of": "key", "requests": 1, "keys": ["alice"]})
    assert statuses(gateway.of("alice"), 2) == [200, 429] and statuses(gateway.of("bob"), 3) == [200] * 3


@row("MP-37")
def test_a_route_has_a_limit_below_every_prefix(limited):
    gateway = limited(chats={"of": "ip", "requests": 2, "routes": ["/chat/completions"]})
    client = gateway.of("alice")
    assert statuses(client, 1) + statuses(client, 2, target="/api/v1/chat/completions") == [200, 200, 429]
    assert client.get("/v1/models").status == 200 and client.post("/v1/embeddings", {"model": "m", "input": "x"}).status == 200
    assert gateway.of("alice", source="127.0.0.2").chat().response().status == 200


def test_a_model_has_a_limit_for_all_clients_together(limited):
    gateway = limited(dear={"of": "all", "requests": 2, "models": ["m"]})
    assert statuses(gateway.of("alice"), 2) == [200, 200] and statuses(gateway.of("bob"), 1) == [429]
    assert statuses(gateway.of("bob"), 2, model="other") == [200, 200]


def test_a_reload_forgets_no_count(limited):
    gateway = limited(each={"of": "key", "requests": 1})
    assert statuses(gateway.of("alice"), 1) == [200]
    gateway.signal(1)
    until("the reload", lambda: "reloaded" in gateway.text())
    assert statuses(gateway.of("alice"), 1) == [429]


# Account types and models


def account(name, type_):
    return {"name": name, "value": f"key-of-{name}-0123456789", "account": type_}


@row("MP-37")
def test_an_account_type_has_a_limit_for_each_of_its_keys(start, backend):
    rules = {"free": {"of": "key", "requests": 1, "accounts": ["free"]}}
    keys = [account("a", "free"), account("b", "free"), account("c", "paid")]
    gateway = start(backend(Models), auth={"keys": keys}, limits={"rules": rules})
    gateway.of = lambda name: gateway.client(key=f"key-of-{name}-0123456789")
    assert statuses(gateway.of("a"), 2) == [200, 429] and statuses(gateway.of("b"), 2) == [200, 429]
    assert statuses(gateway.of("c"), 3) == [200] * 3


@pytest.mark.parametrize("named", ["big", "big:7b", "served/big:7b"])
def test_a_model_is_limited_by_whatever_name_it_is_asked_for(start, backend, named):
    models = {"big:7b": {"cluster": "local", "name": "served/big:7b"}}
    rules = {"dear": {"of": "all", "requests": 1, "models": [named]}}
    gateway = start(backend(Models), models=models, limits={"rules": rules})
    client = gateway.client()
    assert statuses(client, 1, model="big:7b") == [200]
    assert statuses(client, 1, model="big") == [429]
    assert statuses(client, 1, target="/api/v1/chat/completions", model="served/big:7b") == [429]


@pytest.mark.parametrize("spelled", ["/v1/chat/completions/", "/v1//chat/completions", "/v1/chat/%63ompletions", "/v1/chat%2fcompletions"])
def test_a_route_is_limited_however_it_is_spelled(limited, spelled):
    gateway = limited(chats={"of": "ip", "requests": 1, "routes": ["/chat/completions"]})
    assert statuses(gateway.of("alice"), 1) == [200] and statuses(gateway.of("alice"), 1, target=spelled) == [429]


@pytest.mark.parametrize("spelled", ["/v1/files", "/v1/files/", "/v1//files", "/v1/%66iles"])
def test_any_other_path_is_limited_however_it_is_spelled(limited, spelled):
    gateway = limited(files={"of": "ip", "requests": 1, "routes": ["/files"]})
    assert gateway.of("alice").get("/v1/files").status == 200
    assert gateway.of("alice").get(spelled).status == 429


# Tokens


def test_tokens_are_reserved_by_max_tokens_and_paid_as_counted(limited):
    gateway = limited(tokens={"of": "key", "tokens": 100, "seconds": 3600})
    client = gateway.of("alice")
    # 90 reserved, 5 counted: what is left is told, and is there for the next.
    answers = [client.chat(max_tokens=90).response() for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert [answer.header("x-ratelimit-remaining-tokens") for answer in answers[:3]] == ["10", "5", "0"]
    assert answers[0].header("x-ratelimit-limit-tokens") == "100" and answers[0].header("x-ratelimit-reset-tokens")
    assert answers[0].header("x-ratelimit-limit-requests") is None
    refused = answers[3]
    error = refused.json()["error"]
    assert error["type"] == "tokens" and error["code"] == "rate_limit_exceeded"
    assert "tokens with your API key: Limit 100 per hour, Requested 90." in error["message"]
    assert 1 <= int(refused.header("retry-after")) <= 3600 and int(refused.header("retry-after-ms")) <= 3_600_000
    assert gateway.of("bob").chat(max_tokens=90).response().status == 200


def test_a_request_that_gives_no_bound_is_let_in_while_anything_is_left(limited):
    gateway = limited(tokens={"of": "key", "tokens": 12, "seconds": 3600})
    # Each costs 5: the third begins with 2 left, and the fourth finds a debt.
    assert statuses(gateway.of("alice"), 4) == [200, 200, 200, 429]


def test_more_tokens_than_the_limit_gives_are_refused_for_good(limited):
    gateway = limited(tokens={"of": "key", "tokens": 100})
    answer = gateway.of("alice").chat(max_tokens=101).response()
    assert answer.status == 429 and answer.header("x-should-retry") == "false" and answer.header("retry-after") is None
    assert "Request too large" in answer.json()["error"]["message"]
    assert statuses(gateway.of("alice"), 1, max_tokens=100) == [200]


def test_tokens_of_a_request_that_failed_are_given_back(start, backend):
    gateway = start(backend(Answers, ERROR), limits={"rules": {"tokens": {"of": "ip", "tokens": 100}}})
    assert statuses(gateway.client(), 5, max_tokens=100) == [500] * 5


def test_only_what_asks_a_model_costs_tokens(limited):
    gateway = limited(tokens={"of": "key", "tokens": 1})
    client = gateway.of("alice")
    assert [client.get("/v1/models").status for _ in range(3)] == [200] * 3


# What is under way at one time


def test_so_many_requests_of_a_key_are_under_way_at_one_time(start, backend):
    waits = backend(NeverAnswers)
    keys = [account("a", "x"), account("b", "x")]
    gateway = start(waits, auth={"keys": keys}, limits={"rules": {"few": {"of": "key", "concurrent": 2}}}, workers=2)
    of = lambda name: gateway.client(key=f"key-of-{name}-0123456789")  # noqa: E731
    held = [of("a"), of("a")]
    for client in held:
        client.chat()
    until("both to be at the backend", lambda: len(waits.requests) == 2)
    refused = of("a").chat().response()
    assert refused.status == 429 and refused.header("retry-after") == "1"
    assert "at one time: Limit 2." in refused.json()["error"]["message"]
    other = of("b")
    other.chat()
    until("another key's to be there", lambda: len(waits.requests) == 3)
    held[0].close()
    gateway.logged(outcome="client_left")
    third = of("a")
    third.chat()
    until("the place of the one that left to be taken", lambda: len(waits.requests) == 4)


def test_a_place_is_free_again_after_every_kind_of_end(start, backend):
    answers = backend(Models)
    gateway = start(answers, limits={"rules": {"one": {"of": "all", "concurrent": 1}}})
    client = gateway.client()
    assert statuses(client, 5) == [200] * 5
    assert statuses(client, 2, stream=True) == [200] * 2
    answers.stop()
    assert statuses(client, 3) == [502] * 3


def test_tokens_of_a_stream_are_asked_for_where_a_limit_needs_them(start, backend):
    counts = backend(CountsTokens)
    gateway = start(counts, limits={"rules": {"tokens": {"of": "ip", "tokens": 1000, "seconds": 3600}}})
    client = gateway.client()
    answers = [client.chat(stream=True, max_tokens=600).response() for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert all(b'"usage"' not in answer.body and answer.body.endswith(b"data: [DONE]\n\n") for answer in answers)
    # Of 600 that were reserved for the first, so many were paid.
    paid = gateway.logged(stream=True)
    assert int(answers[1].header("x-ratelimit-remaining-tokens")) == 1000 - paid["tokens_in"] - paid["tokens_out"] - 600


def test_whoever_leaves_a_stream_pays_what_was_reserved(start, backend):
    gateway = start(backend(StallsAfterEvents), limits={"rules": {"tokens": {"of": "ip", "tokens": 100, "seconds": 3600}}})
    client = gateway.client()
    client.chat(stream=True, max_tokens=60)
    client.response_head()
    client.close()
    gateway.logged(outcome="client_left")
    assert statuses(gateway.client(), 1, max_tokens=60) == [429]


@pytest.mark.parametrize("target, raw, type_", [
    ("/v1/images/generations", b'{"data":[{"b64_json":"%b"}]}' % (b"x" * 100_000), "application/json"),
    ("/v1/audio/speech", b"\0" * 100_000, "audio/mpeg"),
])  # fmt: skip
def test_bytes_of_images_and_speech_are_no_tokens(start, backend, target, raw, type_):
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {type_}\r\ncontent-length: {len(raw)}\r\n\r\n".encode()
    gateway = start(backend(Answers, head + raw), limits={"rules": {"tokens": {"of": "ip", "tokens": 100, "seconds": 3600}}})
    client = gateway.client()
    for _ in range(3):
        assert client.post(target, {"model": "m", "input": "x", "prompt": "x"}).status == 200


def test_an_answer_that_is_compressed_is_not_asked_for_where_its_tokens_count(start, backend):
    models = backend(Models)
    gateway = start(models, limits={"rules": {"tokens": {"of": "ip", "tokens": 100, "seconds": 3600}}})
    assert gateway.client().chat({"Accept-Encoding": "gzip"}, max_tokens=90).response().status == 200
    assert models.requests[0].header("accept-encoding") == "identity"
    assert gateway.client().chat(max_tokens=90).response().header("x-ratelimit-remaining-tokens") == "5"


def test_a_stream_that_its_backend_breaks_off_costs_what_was_sent(start, backend):
    gateway = start(backend(ClosesBetweenEvents), limits={"rules": {"tokens": {"of": "ip", "tokens": 100, "seconds": 3600}}})
    for _ in range(3):
        assert gateway.client().chat(stream=True, max_tokens=90).response().status == 200
    gateway.logged(outcome="upstream_cut")


@pytest.mark.parametrize("most", [10**18, 2**63 - 1, 10**30, 101.0, 1e20])
def test_tokens_are_reserved_whatever_the_number_looks_like(limited, most):
    gateway = limited(tokens={"of": "key", "tokens": 100})
    assert gateway.of("alice").chat(max_tokens=most).response().status == 429


def test_tokens_are_reserved_for_each_choice(limited):
    gateway = limited(tokens={"of": "key", "tokens": 100})
    assert statuses(gateway.of("alice"), 1, max_tokens=40, n=3) == [429]


@pytest.mark.parametrize("target", ["/v1/CHAT/completions", "/v1/chat/completions;x", "/v1/chat/completions%20", "/v1/responses/compact"])
def test_tokens_count_below_whatever_path_names_a_model(limited, target):
    gateway = limited(tokens={"of": "key", "tokens": 100})
    assert statuses(gateway.of("alice"), 1, target=target, max_tokens=101) == [429]


def test_exempt_addresses_are_not_counted_by_rules_of_addresses(limited, start, backend):
    rules = {"each": {"of": "ip", "requests": 1}}
    gateway = start(backend(Models), limits={"exempt": ["127.0.0.2/32"], "rules": rules})
    assert statuses(gateway.client(source="127.0.0.2"), 3) == [200] * 3 and statuses(gateway.client(), 2) == [200, 429]


def test_a_refusal_says_what_its_limit_is_about(start, backend):
    rules = {"free": {"of": "all", "requests": 1, "models": ["m"], "accounts": ["free"], "routes": ["/chat/completions"]}}
    gateway = start(backend(Models), auth={"keys": [account("a", "free")]}, limits={"rules": rules})
    client = gateway.client(key="key-of-a-0123456789")
    assert statuses(client, 1) == [200]
    message = client.chat().response().json()["error"]["message"]
    assert "of all clients (the model m, /chat/completions, accounts of type free): Limit 1 per minute." in message
