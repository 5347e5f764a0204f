"""Items 6 and 7: the model in the body decides the backend; an alias is replaced in place and nothing else is touched."""

import json
import os

import pytest

from harness.backends import Echoes
from harness.client import assert_envelope

JSON = {"Content-Type": "application/json"}


def bodies(backend):
    return [request.body for request in backend.requests]


@pytest.fixture
def two(start, backend):
    """Two backends: `a` serves `first` under its own name, `b` serves `second` as `Qwen/Qwen2.5-7B-Instruct`."""
    a, b = backend(Echoes), backend(Echoes)
    gateway = start(
        None,
        clusters={"a": {"endpoints": [a.url]}, "b": {"endpoints": [b.url]}},
        models={
            "first": {"cluster": "a"},
            "second": {"cluster": "b", "name": "Qwen/Qwen2.5-7B-Instruct", "owned_by": "tests", "created": 1700000000},
            "org/with/slashes": {"cluster": "b"},
        },
    )
    return gateway, a, b


def test_the_model_decides_the_backend(two):
    gateway, a, b = two
    client = gateway.client()
    client.chat(model="first").response()
    client.chat(model="second").response()
    client.chat(model="org/with/slashes").response()
    assert len(a.requests) == 1 and len(b.requests) == 2


ALIAS = {
    "plain": (b'{"model":"second","messages":[]}', b'{"model":"Qwen/Qwen2.5-7B-Instruct","messages":[]}'),
    "last": (b'{"messages":[{"role":"user","content":"\xe2\x82\xac"}],"model":"second"}',
             b'{"messages":[{"role":"user","content":"\xe2\x82\xac"}],"model":"Qwen/Qwen2.5-7B-Instruct"}'),
    "white space": (b' \r\n{\t"model" \n:\r "second" , "n" : 1.0e5 }\n ', b' \r\n{\t"model" \n:\r "Qwen/Qwen2.5-7B-Instruct" , "n" : 1.0e5 }\n '),
    "an escaped key": (b'{"mod\\u0065l":"second"}', b'{"mod\\u0065l":"Qwen/Qwen2.5-7B-Instruct"}'),
    "an escaped value": (b'{"model":"sec\\u006fnd"}', b'{"model":"Qwen/Qwen2.5-7B-Instruct"}'),
    "a nested model": (b'{"a":{"model":"first"},"b":[{"model":"x"}],"model":"second"}',
                       b'{"a":{"model":"first"},"b":[{"model":"x"}],"model":"Qwen/Qwen2.5-7B-Instruct"}'),
    "the word in a string": (b'{"prompt":"\\"model\\":\\"first\\"","model":"second"}', b'{"prompt":"\\"model\\":\\"first\\"","model":"Qwen/Qwen2.5-7B-Instruct"}'),
    "unknown members and big numbers": (b'{"x":123456789012345678901234567890,"model":"second","y":1e400,"z":-0.0}',
                                        b'{"x":123456789012345678901234567890,"model":"Qwen/Qwen2.5-7B-Instruct","y":1e400,"z":-0.0}'),
    "another duplicate": (b'{"n":1,"n":2,"model":"second"}', b'{"n":1,"n":2,"model":"Qwen/Qwen2.5-7B-Instruct"}'),
}


@pytest.mark.parametrize("name", ALIAS)
def test_an_alias_is_replaced_in_place_and_all_other_bytes_stay(two, name):
    gateway, _, b = two
    sent, wanted = ALIAS[name]
    assert gateway.client().post("/v1/chat/completions", sent, JSON).status == 200
    assert bodies(b) == [wanted]
    assert b.requests[0].header("content-length") == str(len(wanted))


@pytest.mark.parametrize("name", ["plain", "white space", "an escaped key"])
def test_an_alias_is_replaced_whatever_the_split(two, name):
    gateway, _, b = two
    sent, wanted = ALIAS[name]
    client = gateway.client()
    client.send(client.head("POST", "/v1/chat/completions", JSON, len(sent)))
    for at in range(len(sent)):
        client.send(sent[at : at + 1])
    assert client.response().status == 200
    assert bodies(b) == [wanted]


def test_an_alias_in_a_chunked_request_is_replaced(two):
    gateway, _, b = two
    client = gateway.client()
    client.send(client.head("POST", "/v1/chat/completions", {**JSON, "Transfer-Encoding": "chunked"}))
    for piece in (b'{"messages":[],"mo', b'del":"sec', b'ond"', b"}"):
        client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
    client.send(b"0\r\n\r\n")
    assert client.response().status == 200
    assert bodies(b) == [b'{"messages":[],"model":"Qwen/Qwen2.5-7B-Instruct"}']


def test_a_model_at_the_end_of_a_big_body_is_found(two):
    gateway, _, b = two
    filler = json.dumps("x" * 2_000_000).encode()
    sent = b'{"prompt":' + filler + b',"model":"second"}'
    assert gateway.client().post("/v1/completions", sent, JSON).status == 200
    assert bodies(b) == [b'{"prompt":' + filler + b',"model":"Qwen/Qwen2.5-7B-Instruct"}']


def test_a_body_without_alias_is_untouched(two):
    gateway, a, _ = two
    sent = b'{ "model" : "first",\n\t"messages":[ {"role":"user","content":"\\u20ac \xf0\x9f\x8d\x8c"} ], "unknown": null }\n'
    assert gateway.client().post("/v1/chat/completions", sent, JSON).status == 200
    assert bodies(a) == [sent]


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"first","model":"second"}',
        b'{"model":"first","messages":[],"model":"first"}',
        b'{"model":"first","mod\\u0065l":"second"}',
        b'{"\\u006dodel":"first","model":"second"}',
    ],
)
def test_a_model_given_twice_is_refused(two, body):
    gateway, a, b = two
    answer = gateway.client().post("/v1/chat/completions", body, JSON)
    assert_envelope(answer, 400, "invalid_request_error", None, param=answer.json()["error"]["param"])
    assert not a.requests and not b.requests


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'"model"', b"null", b"not json", b'{"model":"first"', b'{"model":"first"}}', b'{"model":"first"} x', b"\xef\xbb\xbf{}",
     b'{"model":"first"]', b'{"model":"fi', b'{"model":"\\ud800"}', b"[" * 100_000, b'{"a":' * 50_000],
)
def test_a_body_that_is_no_json_object_is_refused(two, body):
    gateway, a, b = two
    client = gateway.client()
    assert_envelope(client.post("/v1/chat/completions", body, JSON), 400, "invalid_request_error", None)
    assert not a.requests and not b.requests
    assert client.get("/health").status == 200


def test_an_empty_body_is_refused(two):
    gateway, a, b = two
    assert gateway.client().post("/v1/chat/completions", b"", JSON).status == 400
    assert not a.requests and not b.requests


@pytest.mark.parametrize("value", [b"1", b"null", b"true", b"[]", b'{"a":1}', b'["first"]'])
def test_a_model_that_is_no_string_is_refused(two, value):
    gateway, a, b = two
    answer = gateway.client().post("/v1/chat/completions", b'{"model":' + value + b"}", JSON)
    assert_envelope(answer, 400, "invalid_request_error", None, param="model")
    assert not a.requests and not b.requests


def test_a_missing_model_without_a_default_is_refused(two):
    answer = two[0].client().post("/v1/chat/completions", b'{"messages":[]}', JSON)
    assert_envelope(answer, 400, "invalid_request_error", (None, "missing_required_parameter"), param="model")


@pytest.mark.parametrize("name", ["third", "FIRST", "first ", "", "../first", "x" * 2000, "\u20ac", '"quoted\\'])
def test_an_unknown_model_is_a_404_that_names_it(two, name):
    gateway, a, b = two
    answer = gateway.client().chat(model=name).response()
    if len(name) > 1000:
        assert answer.status in (400, 404)
    else:
        assert_envelope(answer, 404, "invalid_request_error", "model_not_found", message=f"`{name}`", param=(answer.json()["error"]["param"]))
    assert not a.requests and not b.requests


def test_unknown_models_go_to_the_default_cluster_when_told_so(start, backend):
    echoes = backend(Echoes)
    gateway = start(echoes, unknown_models="forward")
    assert gateway.client().chat(model="whatever").response().status == 200
    assert json.loads(bodies(echoes)[0])["model"] == "whatever"


def test_without_a_table_of_models_everything_goes_to_the_default_cluster(start, backend):
    echoes = backend(Echoes)
    gateway = start(echoes, models=None)
    assert gateway.client().chat(model="whatever").response().status == 200
    assert gateway.client().post("/v1/chat/completions", b'{"messages":[]}', JSON).status == 200


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages", "/v1/rerank", "/v1/some/new/thing"])
def test_every_route_is_routed_by_its_model(two, path):
    gateway, a, b = two
    for prefix in ("", "/api"):
        assert gateway.client().post(prefix + path, b'{"model":"second","messages":[{}]}', JSON).status == 200
    assert not a.requests and bodies(b) == [b'{"model":"Qwen/Qwen2.5-7B-Instruct","messages":[{}]}'] * 2
    assert b.requests[0].target == path


def test_a_base_path_of_the_endpoint_takes_the_place_of_the_prefix_s_front(start, backend):
    echoes = backend(Echoes)
    gateway = start(echoes, clusters={"local": {"endpoints": [echoes.url + "/base"]}})
    assert gateway.client().chat().response().status == 200
    assert echoes.requests[0].target.startswith("/base/") and echoes.requests[0].target.endswith("/chat/completions")


def test_prefixes_can_be_configured(start, backend):
    gateway = start(backend(Echoes), paths={"prefixes": ["/openai/v1"]})
    client = gateway.client()
    assert client.chat(target="/openai/v1/chat/completions").response().status == 200
    assert client.chat().response().status == 404


def test_the_list_of_models_is_the_configured_one(two):
    answer = two[0].client().get("/v1/models")
    assert answer.status == 200 and answer.json()["object"] == "list"
    models = {m["id"]: m for m in answer.json()["data"]}
    assert set(models) == {"first", "second", "org/with/slashes"}
    for model in models.values():
        assert model["object"] == "model" and isinstance(model["created"], int) and isinstance(model["owned_by"], str)
    assert models["second"]["owned_by"] == "tests" and models["second"]["created"] == 1700000000


@pytest.mark.parametrize("target", ["/v1/models/first", "/v1/models/org/with/slashes", "/v1/models/org%2Fwith%2Fslashes", "/api/v1/models/second"])
def test_a_model_is_retrieved_by_its_id(two, target):
    answer = two[0].client().get(target)
    assert answer.status == 200 and answer.json()["object"] == "model"


def test_an_unknown_model_is_not_retrieved(two):
    answer = two[0].client().get("/v1/models/no/such")
    assert_envelope(answer, 404, "invalid_request_error", "model_not_found", message="no/such", param=answer.json()["error"]["param"])


def test_weights_share_out_the_requests(start, backend):
    a, b = backend(Echoes), backend(Echoes)
    gateway = start(None, clusters={"local": {"endpoints": [{"url": a.url, "weight": 3}, {"url": b.url, "weight": 1}]}}, models={"m": {"cluster": "local"}})
    client = gateway.client()
    for _ in range(40):
        assert client.chat().response().status == 200
    assert (len(a.requests), len(b.requests)) == (30, 10)


def test_a_dead_endpoint_is_passed_over_before_a_byte_was_sent(start, backend):
    alive = backend(Echoes)
    gateway = start(None, clusters={"local": {"endpoints": ["http://127.0.0.1:9", alive.url]}}, models={"m": {"cluster": "local"}})
    client = gateway.client()
    statuses = [client.chat().response().status for _ in range(6)]
    assert 200 in statuses and set(statuses) <= {200, 502}
    assert len(alive.requests) == statuses.count(200)


# Multipart


def form(parts, boundary=b"--------------------------d74496d66958873e"):
    body = b""
    for headers, content in parts:
        body += b"--" + boundary + b"\r\n" + headers + b"\r\n\r\n" + content + b"\r\n"
    return body + b"--" + boundary + b"--\r\n", {"Content-Type": f"multipart/form-data; boundary={boundary.decode()}"}


FILE = b'Content-Disposition: form-data; name="file"; filename="speech.wav"\r\nContent-Type: audio/wav'
MODEL = b'Content-Disposition: form-data; name="model"'


@pytest.mark.parametrize("order", ["model first", "file first"])
def test_a_form_is_routed_by_its_model_field_and_the_file_is_untouched(two, order):
    gateway, a, b = two
    audio = os.urandom(300_000) + b"\r\n--not-the-boundary\r\n" + b'name="model"\r\n\r\nfirst'
    parts = [(MODEL, b"second"), (FILE, audio)]
    wanted = [(MODEL, b"Qwen/Qwen2.5-7B-Instruct"), (FILE, audio)]
    if order == "file first":
        parts, wanted = parts[::-1], wanted[::-1]
    body, headers = form(parts)
    assert gateway.client().post("/v1/audio/transcriptions", body, headers).status == 200
    assert bodies(b) == [form(wanted)[0]] and not a.requests
    assert b.requests[0].header("content-type") == headers["Content-Type"]


def test_a_form_with_two_models_is_refused(two):
    gateway, a, b = two
    body, headers = form([(MODEL, b"first"), (MODEL, b"second")])
    assert gateway.client().post("/v1/audio/transcriptions", body, headers).status == 400
    assert not a.requests and not b.requests


@pytest.mark.parametrize(
    "headers",
    [{"Content-Type": "multipart/form-data"}, {"Content-Type": "multipart/form-data; boundary="}, {"Content-Type": "multipart/form-data; boundary=" + "x" * 300}],
)
def test_a_form_without_a_boundary_is_refused(two, headers):
    body, _ = form([(MODEL, b"first")])
    gateway, a, b = two
    answer = gateway.client().post("/v1/audio/transcriptions", body, headers)
    assert_envelope(answer, 400, "invalid_request_error", None, param=answer.json()["error"]["param"])
    assert not a.requests and not b.requests


def test_a_form_that_ends_too_soon_is_refused(two):
    body, headers = form([(MODEL, b"first"), (FILE, b"x" * 100)])
    assert two[0].client().post("/v1/audio/transcriptions", body[:-40], headers).status == 400


def test_a_form_with_a_quoted_boundary_is_understood(two):
    gateway, a, _ = two
    body, _ = form([(FILE, b"x" * 100), (MODEL, b"first")], boundary=b"a b'c")
    assert gateway.client().post("/v1/audio/transcriptions", body, {"Content-Type": 'Multipart/Form-Data; charset=utf-8; Boundary="a b\'c"'}).status == 200
    assert bodies(a) == [body]
