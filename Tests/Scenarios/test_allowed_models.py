"""Keys that may use some models only: for them there are no others."""

import pytest

from harness.backends import Echoes, Models

JSON = {"Content-Type": "application/json"}
MODELS = {
    "m": None,
    "big:7b": {"cluster": "local"},
    "small": {"cluster": "local", "name": "served/small:1b"},
    "off": {"cluster": "local", "state": "stopped"},
    "picture": {"cluster": "local", "kind": "image"},
    "other-picture": {"cluster": "local", "kind": "image"},
}
PATHS = {"prefixes": ["/v1", {"path": "/api/v1", "dialect": "modelpilot"}]}


def key(name, models=None):
    return {"name": name, "value": f"key-of-{name}-0123456789", **({"models": models} if models else {})}


@pytest.fixture
def scoped(start, backend):
    def scoped(allowed, kind=Models, **config):
        config.setdefault("models", MODELS)
        gateway = start(backend(kind), auth={"keys": [key("some", allowed), key("all")]}, paths=PATHS, **config)
        gateway.some, gateway.all = (gateway.client(key=f"key-of-{name}-0123456789") for name in ("some", "all"))
        return gateway

    return scoped


def names(client, target="/v1/models"):
    return [entry["id"] for entry in client.get(target).json()["data"]]


def test_the_list_shows_what_the_key_may_use(scoped):
    gateway = scoped(["big", "served/small:1b"])
    assert names(gateway.some) == ["big:7b", "small"] and names(gateway.all) == [name for name in MODELS if MODELS[name]]
    assert gateway.some.get("/v1/models/small").status == 200
    assert gateway.some.get("/v1/models/off").status == 404
    assert [entry["model"] for entry in gateway.some.get("/v1/admin/models/stats").json()["data"]] == ["big:7b", "small"]


@pytest.mark.parametrize("allowed", ["big:7b", "big"])
@pytest.mark.parametrize("asked", ["big:7b", "big"])
def test_a_model_may_be_used_by_each_of_its_names(scoped, allowed, asked):
    assert scoped([allowed]).some.chat(model=asked).response().status == 200


@pytest.mark.parametrize("asked", ["small", "off", "picture", "nowhere"])
@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/chat/completions/", "/v1/other", "/v1/embeddings"])
def test_what_a_key_may_not_use_is_not_there(scoped, asked, target):
    gateway = scoped(["big:7b"])
    answer = gateway.some.post(target, {"model": asked, "messages": []}, JSON)
    assert answer.status == 404 and answer.json()["error"]["code"] == "model_not_found"
    assert answer.json()["error"]["message"] == f"The model `{asked}` does not exist or you do not have access to it."


def test_the_names_beside_an_unknown_model_are_those_the_key_may_use(scoped):
    gateway = scoped(["small"])
    of = lambda client: client.chat(target="/api/v1/chat/completions", model="nowhere").response().json()["available_models"]  # noqa: E731
    assert of(gateway.some) == ["served/small:1b"] and len(of(gateway.all)) == 4


def test_an_image_without_a_model_goes_to_the_first_that_the_key_may_use(scoped):
    gateway = scoped(["other-picture"], kind=Echoes)
    assert gateway.some.post("/v1/images/generations", {"prompt": "x"}, JSON).status == 200
    assert gateway.logged(status=200)["cluster"] == "local"
    assert scoped(["big"], kind=Echoes).some.post("/v1/images/generations", {"prompt": "x"}, JSON).status == 403


def test_where_unknown_models_go_on_a_key_names_those_it_may_use(scoped):
    gateway = scoped(["mine", "big"], unknown_models="forward", default_cluster="local")
    assert gateway.some.chat(model="mine").response().status == 200
    assert gateway.some.chat(model="yours").response().status == 404
    assert gateway.all.chat(model="yours").response().status == 200
    assert names(gateway.some) == ["big:7b", "mine"]


def test_where_the_backend_s_list_is_mirrored_a_key_sees_its_own(scoped):
    gateway = scoped(["mine", "also-mine"], models=None)
    assert names(gateway.some) == ["also-mine", "mine"] and names(gateway.all) == ["served-name"]


@pytest.mark.parametrize("type_, body", [("application/json", b"{}"), ("text/plain", b'{"model":"big:7b"}'), ("application/octet-stream", b"x")])
def test_a_body_that_names_no_model_might_use_any(scoped, type_, body):
    gateway = scoped(["big:7b"], unknown_models="forward", default_cluster="local")
    for client, expected in [(gateway.some, 403), (gateway.all, 200)]:
        client.send(client.head("POST", "/v1/other", [("Content-Type", type_)], length=len(body)) + body)
        answer = client.response()
        assert answer.status == expected, answer
    assert gateway.some.get("/v1/files").status == 200


def test_the_health_of_other_models_deployments_is_not_there(scoped):
    gateway = scoped(["big"])
    of = lambda client, id_: client.get(f"/api/deployments/{id_}/health").status  # noqa: E731
    assert of(gateway.some, "big:7b") == 200 and of(gateway.some, "small") == 404 and of(gateway.all, "small") == 200
