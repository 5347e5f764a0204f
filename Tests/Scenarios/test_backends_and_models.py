"""What the gateway knows of its backends and models: readiness, statistics, defaults, and forms and sounds that pass."""

import json

import pytest

from harness.backends import Answers, Echoes, Models, NeverReads
from harness.gateway import free_port
from harness.rows import row
from harness.waiting import until

PATHS = {"prefixes": ["/v1", {"path": "/pllm/v1", "dialect": "pllm"}, {"path": "/gw/v1", "dialect": "gateway"}]}


# Readiness


@row("PLLM-40", "PLLM-41", "PLLM-42", "PLLM-43")
def test_the_gateway_is_ready_while_a_backend_is_there(start, backend):
    one, two = backend(Models), backend(Models)
    gateway = start(one, clusters={"other": {"endpoints": [two.url]}})

    def ready():
        return gateway.client(key=None).get("/ready").status

    assert ready() == 200
    one.stop()
    until("the last look to be old", lambda: ready() == 200, 3)
    two.stop()
    until("the gateway to see that nobody is there", lambda: ready() == 503, 5)
    answer = gateway.client(key=None).get("/health")
    assert answer.status == 200 and answer.json()["status"] == "healthy"
    assert answer.json()["timestamp"].endswith("Z") and "." in answer.json()["timestamp"]


def test_a_backend_that_comes_back_makes_the_gateway_ready_again(start, backend):
    port = free_port()
    gateway = start(f"http://127.0.0.1:{port}")
    assert gateway.client(key=None).get("/ready").status == 503
    backend(Models, port=port)
    until("the gateway to be ready", lambda: gateway.client(key=None).get("/ready").status == 200, 5)


def test_many_who_ask_do_not_knock_more_than_once_a_second(start, backend):
    models = backend(NeverReads)
    gateway = start(models)
    for _ in range(200):
        assert gateway.client(key=None).get("/ready").status == 200
    assert len(models.connections) <= 5


# Statistics


@row("PLLM-44", "PLLM-45")
@pytest.mark.parametrize("prefix", ["/v1", "/pllm/v1"])
def test_calls_are_counted_by_model(start, backend, prefix):
    gateway = start(backend(Models), paths=PATHS, models={"m": {"cluster": "local"}, "quiet": {"cluster": "local"}}, unknown_models="forward")

    def stats():
        answer = gateway.client().get(prefix + "/admin/models/stats")
        assert answer.status == 200
        return {entry["model"]: entry for entry in answer.json()["data"]}

    assert stats()["m"]["requests"] == 0
    for model in ["m", "m", "unheard-of", "made-up"]:
        assert gateway.client().chat(model=model).response().status == 200
    assert gateway.client().chat(stream=True).response().status == 200
    found = stats()
    assert set(found) == {"m", "quiet", "(other)"}, "names that clients make up are counted together"
    assert (found["m"]["requests"], found["m"]["streams"], found["m"]["input_tokens"], found["m"]["output_tokens"]) == (3, 1, 6, 4)
    assert found["(other)"]["requests"] == 2 and found["quiet"]["requests"] == found["m"]["errors"] == 0
    gateway.signal(1)
    until("the reload", lambda: "reloaded" in gateway.text())
    assert stats()["m"]["requests"] == 3, "a reload forgets nothing"
    assert gateway.client(key=None).get(prefix + "/admin/models/stats").status == 401


def test_failed_calls_are_errors(start):
    gateway = start("http://127.0.0.1:9")
    assert gateway.client().chat().response().status == 502
    (entry,) = gateway.client().get("/v1/admin/models/stats").json()["data"]
    assert (entry["model"], entry["requests"], entry["errors"]) == ("m", 1, 1)


# Routes whose model has a default


@row("PLLM-34", "PLLM-35")
def test_an_image_without_a_model_is_made_by_the_model_for_images(start, backend):
    images, texts = backend(Echoes), backend(Echoes)
    models = {"m": {"cluster": "local", "kind": "text"}, "flux": {"cluster": "images", "kind": "image", "name": 'black-forest/"flux"'}}
    gateway = start(texts, paths=PATHS, clusters={"images": {"endpoints": [images.url]}}, models=models)
    body = b'{"prompt":"a cat","n":2,"size":"512x512"}'
    for prefix in ("/v1", "/pllm/v1"):
        answer = gateway.client().post(prefix + "/images/generations", body, {"Content-Type": "application/json"})
        assert answer.status == 200
    sent = body[:-1] + b',"model":"black-forest/\\"flux\\""}'
    assert [request.body for request in images.requests] == [sent, sent] and not texts.requests
    assert images.requests[0].header("content-length") == str(len(sent))


@pytest.mark.parametrize("body, sent", [
    (b"{}", b'{"model":"flux"}'),
    (b' { "prompt" : "a" \n} ', b' { "prompt" : "a" \n,"model":"flux"} '),
    (b'{"input":{"model":"sd"}}', b'{"input":{"model":"sd"},"model":"flux"}'),
], ids=["no members", "white space", "a nested one"])  # fmt: skip
def test_an_image_without_a_model_names_the_one_that_makes_it(start, backend, body, sent):
    images = backend(Echoes)
    gateway = start(images, models={"flux": {"cluster": "local", "kind": "image"}})
    for headers in ({"Content-Type": "application/json"}, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}):
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
        client = gateway.client()
        if "Transfer-Encoding" in headers:
            client.send(client.head("POST", "/v1/images/generations", headers) + chunks)
        else:
            client.request("POST", "/v1/images/generations", headers, body)
        assert client.response().status == 200
        assert images.requests[-1].body == sent


def test_a_form_without_a_model_goes_on_as_it_is(start, backend):
    images = backend(Echoes)
    gateway = start(images, models={"flux": {"cluster": "local", "kind": "image"}})
    body = b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na cat\r\n--b--\r\n'
    assert gateway.client().post("/v1/images/edits", body, {"Content-Type": "multipart/form-data; boundary=b"}).status == 200
    assert images.requests[0].body == body


def test_moderations_without_a_model_go_to_the_default_cluster(start, backend):
    usual, chats = backend(Echoes), backend(Echoes)
    gateway = start(usual, clusters={"chats": {"endpoints": [chats.url]}}, models={"m": {"cluster": "chats", "kind": "text"}})
    assert gateway.client().post("/v1/moderations", {"input": "x"}).status == 200
    assert len(usual.requests) == 1 and not chats.requests


@row("PLLM-36")
def test_an_image_that_no_model_can_make_is_a_400_in_pllm(start, backend):
    models = backend(Echoes)
    gateway = start(models, paths=PATHS, models={"m": {"cluster": "local", "kind": "text"}}, default_cluster=None)
    for body in ({"prompt": "a cat"}, {"prompt": "a cat", "model": "m"}):
        answer = gateway.client().post("/pllm/v1/images/generations", body)
        assert answer.status == 400 and set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert not models.requests


@row("PLLM-39")
def test_a_sound_passes_byte_for_byte(start, backend):
    sound = bytes(range(256)) * 500
    raw = b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ntransfer-encoding: chunked\r\n\r\n"
    raw += b"".join(b"%x\r\n%b\r\n" % (1000, sound[i : i + 1000]) for i in range(0, len(sound), 1000)) + b"0\r\n\r\n"
    gateway = start(backend(Answers, raw), paths=PATHS)
    answer = gateway.client().post("/pllm/v1/audio/speech", {"model": "m", "input": "hello", "voice": "alloy"})
    assert answer.header("content-type") == "audio/mpeg" and answer.body == sound


@row("PLLM-37", "PLLM-38")
@pytest.mark.parametrize("order", [("file", "model"), ("model", "file")])
def test_a_form_finds_its_model_wherever_it_stands(start, backend, order):
    echoes = backend(Echoes)
    gateway = start(echoes, paths=PATHS, models={"whisper": {"cluster": "local", "name": "whisper-large-v3"}})
    parts = {
        "file": b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\nID3"model"\r\n',
        "model": b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n',
    }
    body = b"".join(parts[name] for name in order) + b"--b--\r\n"
    answer = gateway.client().post("/pllm/v1/audio/transcriptions", body, {"Content-Type": "multipart/form-data; boundary=b"})
    assert answer.status == 200
    assert echoes.requests[0].body == body.replace(b"\r\nwhisper\r\n", b"\r\nwhisper-large-v3\r\n")


# The backend's own list


@row("GW-08", "GW-09")
def test_without_models_the_list_is_the_backend_s_as_it_changes(start, backend):
    models = backend(Models, "first")
    gateway = start(models, paths=PATHS, models=None)
    for name in ("first", "second"):
        models.served = name
        answer = gateway.client().get("/gw/v1/models")
        wanted = {"object": "list", "data": [{"id": name, "object": "model", "created": 1, "owned_by": "x", "meta": {"n": 1}}], "models": []}
        assert answer.body == json.dumps(wanted).encode()


@row("GW-01")
def test_it_listens_where_its_file_says(start, backend):
    port = free_port()
    gateway = start(backend(Models), listeners=[{"address": f"127.0.0.1:{port}", "dialect": "gateway"}])
    assert gateway.address == ("127.0.0.1", port) and gateway.client().get("/v1/models").status == 200
