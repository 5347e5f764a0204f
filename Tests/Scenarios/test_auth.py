"""Item 8: who may come in, and in what words the others are told."""

import hashlib

import pytest

from harness.backends import Echoes
from harness.client import assert_envelope
from harness.gateway import KEY


@pytest.fixture
def gateway(start, backend):
    digest = hashlib.sha256(b"sk-hashed").hexdigest()
    keys = [{"name": "tests", "value": KEY}, {"name": "hashed", "sha256": digest}, {"name": "ci", "value": "${CI_KEY}"}]
    return start(backend(Echoes), auth={"keys": keys}, environment={"CI_KEY": "sk-from-environment"})


@pytest.mark.parametrize("key", [KEY, "sk-hashed", "sk-from-environment"])
@pytest.mark.parametrize("header", ["Authorization", "authorization", "x-api-key", "X-API-Key"])
def test_a_known_key_is_let_in(gateway, key, header):
    value = f"Bearer {key}" if header.lower() == "authorization" else key
    assert gateway.client(key=None).get("/v1/files", {header: value}).status == 200


@pytest.mark.parametrize("value", [f"bearer {KEY}", f"BEARER {KEY}", f"Bearer  {KEY}"])
def test_the_scheme_is_read_as_rfc_9110_says(gateway, value):
    assert gateway.client(key=None).get("/v1/files", {"Authorization": value}).status == 200


def test_no_key_is_a_401_in_openai_s_words(gateway):
    answer = gateway.client(key=None).get("/v1/files")
    assert_envelope(answer, 401, "invalid_request_error", None, message="You didn't provide an API key")
    assert (answer.header("www-authenticate") or "").lower().startswith("bearer")


@pytest.mark.parametrize("key", ["sk-wrong", KEY[:-1], KEY + "x", KEY.upper(), "x" * 4000])
def test_a_wrong_key_is_a_401_that_does_not_repeat_it(gateway, key):
    answer = gateway.client(key=None).get("/v1/files", {"Authorization": f"Bearer {key}"})
    assert_envelope(answer, 401, "invalid_request_error", "invalid_api_key", message="Incorrect API key provided")
    if len(key) > 12:
        assert key.encode() not in answer.body


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic c2s6c2s=", KEY, f"Token {KEY}", f"Bearer {KEY} extra", f"Bearer {KEY},{KEY}"])
def test_a_malformed_authorization_is_a_401(gateway, value):
    answer = gateway.client(key=None).get("/v1/files", {"Authorization": value})
    assert answer.status == 401 and answer.json()["error"]["type"] == "invalid_request_error"


def test_two_authorizations_are_not_let_in_by_either(gateway):
    answer = gateway.client(key=None).get("/v1/files", [("Authorization", "Bearer sk-wrong"), ("Authorization", f"Bearer {KEY}")])
    assert answer.status in (400, 401)


@pytest.mark.parametrize("target", ["/v1/models", "/v1/models/m", "/v1/chat/completions", "/api/v1/models", "/v1/none"])
def test_every_route_below_a_prefix_asks_for_a_key(gateway, target):
    assert gateway.client(key=None).get(target).status == 401


@pytest.mark.parametrize("target", ["/health", "/ready"])
def test_health_and_readiness_ask_for_none(gateway, target):
    assert gateway.client(key=None).get(target).status == 200


def test_a_refused_upload_does_not_reach_the_backend(start, backend):
    echoes = backend(Echoes)
    client = start(echoes).client(key="sk-wrong")
    client.send(client.head("POST", "/v1/files", {"Content-Type": "application/octet-stream"}, 10_000_000))
    for _ in range(20):
        client.try_send(b"x" * 65_536)
    assert client.response().status == 401
    assert not echoes.connections


def test_a_refused_small_request_keeps_the_connection(start, backend):
    client = start(backend(Echoes)).client(key="sk-wrong")
    client.chat()
    assert client.response().status == 401
    assert client.get("/v1/files", {"Authorization": f"Bearer {KEY}"}).status == 200


def test_an_open_gateway_asks_for_nothing_and_forwards_no_credential(start, backend):
    gateway = start(backend(Echoes), auth={"open": True, "keys": None})
    assert gateway.client(key=None).get("/v1/files").status == 200
    answer = gateway.client(key="sk-anything").get("/v1/files")
    assert answer.status == 200
    assert not any("sk-anything" in value for _, value in answer.json()["headers"])


def test_the_access_log_names_the_key_and_not_its_value(gateway):
    gateway.client().get("/v1/files")
    record = gateway.logged(path="/v1/files")
    assert KEY not in str(record)
