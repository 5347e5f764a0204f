"""Limits beside the one per address: of keys, routes and models."""

import pytest

from harness.backends import Models
from harness.rows import row

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
    from harness.waiting import until

    until("the reload", lambda: "reloaded" in gateway.text())
    assert statuses(gateway.of("alice"), 1) == [429]
