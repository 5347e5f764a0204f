"""The dialects, bound to prefixes and listeners: what each says of an error, and what it adds to an answer."""

import json
import subprocess
from urllib.parse import urlsplit

import pytest

from harness.backends import Answers, Backend, ClosesBetweenEvents, ClosesWithoutAnswer, Echoes, Models, NeverAnswers
from harness.client import Client
from harness.gateway import KEY, basic_config, binary, free_port
from harness.rows import row
from harness.waiting import stands_still, until

JSON = {"Content-Type": "application/json"}
PREFIXES = ["/v1", {"path": "/api/v1", "dialect": "modelpilot"}, {"path": "/pllm/v1", "dialect": "pllm"}, {"path": "/gw/v1", "dialect": "gateway"}]
MODELPILOT, PLLM, GATEWAY = "/api/v1", "/pllm/v1", "/gw/v1"
PATHS = {"prefixes": PREFIXES}
DEPLOYMENTS = {
    "m": None,
    "mistral:7b": {"cluster": "local", "kind": "text", "deployment": "pod123", "direct_endpoint": "https://pod123.example:11434"},
    "gemma3:7b": {"cluster": "local", "kind": "text"},
    "stopped-model": {"cluster": "local", "kind": "text", "state": "stopped"},
    "flux-dev": {"cluster": "local", "kind": "image"},
}


@pytest.fixture
def served(start, backend):
    """`served(Kind, ...)`: a gateway with a prefix for each dialect before one backend, and that backend."""

    def served(kind=Models, *arguments, models=DEPLOYMENTS, **changes):
        one = backend(kind, *arguments)
        return start(one, paths=PATHS, models=models, **changes), one

    return served


def chat(gateway, prefix, model="mistral:7b", **members):
    return gateway.client().chat(target=f"{prefix}/chat/completions", model=model, **members).response()


def error_of(answer):
    assert answer.header("content-type") == "application/json", answer
    return answer.json()["error"]


# Prefixes and listeners


@row("MP-01", "PLLM-02", "PLLM-03")
def test_the_usual_prefixes_speak_openai_and_modelpilot(start, backend):
    gateway = start(backend(Models))
    assert set(chat(gateway, "/v1", "none").json()) == {"error"}
    assert set(chat(gateway, "/api/v1", "none").json()) == {"error", "available_models"}
    assert chat(gateway, "/v1", "m").status == chat(gateway, "/api/v1", "m").status == 200
    assert gateway.client(key=None).chat(target="/api/v1/chat/completions").response().status == 401


def test_a_listener_s_dialect_counts_more_than_its_prefixes(start, backend):
    port, other = free_port(), free_port()
    listeners = [{"address": f"127.0.0.1:{port}"}, {"address": f"127.0.0.1:{other}", "dialect": "gateway"}]
    gateway = start(backend(Models), listeners=listeners)
    assert set(error_of(chat(gateway, "/api/v1", "none"))) == {"message", "type", "param", "code"}
    gateway.address = ("127.0.0.1", other)
    for prefix in ["/v1", "/api/v1"]:
        assert set(error_of(chat(gateway, prefix, "none"))) == {"type", "message"}
    assert set(error_of(gateway.client().get("/nowhere"))) == {"type", "message"}


def complaint(tmp_path, **changes):
    """What `sluice check` says of the basic configuration with these changes."""
    file = tmp_path / "sluice.yaml"
    file.write_text(json.dumps(basic_config(8080, "http://127.0.0.1:9", **changes), indent=2))
    done = subprocess.run([binary(), "check", file], capture_output=True, text=True, timeout=20)
    assert done.returncode == 78, done
    return done.stderr


def test_a_dialect_that_is_not_there_is_a_mistake_of_the_file(tmp_path):
    said = complaint(tmp_path, paths={"prefixes": [{"path": "/v1", "dialect": "modelpilto"}]})
    assert 'found "modelpilto", expected openai, modelpilot, pllm or gateway; did you mean modelpilot?' in said


# The matrix of errors, seen from outside


def refused(served, prefix, what, **changes):
    """The answer to one kind of failing request."""
    kinds = {"unreachable": ClosesWithoutAnswer, "slow": NeverAnswers, "garbage": Answers}
    arguments = ["this is no HTTP\r\n\r\n"] if what == "garbage" else []
    gateway, _ = served(kinds.get(what, Models), *arguments, **changes)
    client = gateway.client(key=None if what == "no key" else "sk-wrong-0123456789" if what == "wrong key" else KEY)
    path = f"{prefix}/chat/completions"
    match what:
        case "bad JSON":
            return client.request("POST", path, JSON, b"{").response()
        case "no model":
            return client.request("POST", path, JSON, b'{"messages":[{}]}').response()
        case "unknown model":
            return client.chat(target=path, model="none").response()
        case "unknown path":
            return client.get("/nowhere")
        case "stopped":
            return client.chat(target=path, model="stopped-model").response()
        case "wrong kind":
            return client.chat(target=path, model="flux-dev").response()
        case "limit":
            client.chat(target=path, model="mistral:7b").response()
            return client.chat(target=path, model="mistral:7b").response()
        case _:
            return client.chat(target=path, model="mistral:7b").response()


MATRIX = [
    # what, modelpilot, pllm, gateway
    ("bad JSON", (400, "invalid_request_error", "bad_request"), (400, "invalid_request_error", "bad_request"), (400, "invalid_request")),
    ("no model", (400, "invalid_request_error", "bad_request"), (400, "invalid_request_error", "bad_request"), (400, "invalid_request")),
    ("no key", (401, "authentication_error", "invalid_api_key"), (401, "authentication_error", "invalid_api_key"), (401, "authentication_error")),
    ("wrong key", (401, "authentication_error", "invalid_api_key"), (401, "authentication_error", "invalid_api_key"), (401, "authentication_error")),
    ("unknown model", (404, "invalid_request_error", "model_not_found"), (404, "invalid_request_error", "model_not_found"), (404, "invalid_request")),
    ("stopped", (503, "invalid_request_error", "model_not_available"), (503, "service_unavailable_error", "model_not_available"), (503, "backend_unreachable")),
    ("wrong kind", (400, "invalid_request_error", "invalid_model_type"), (400, "invalid_request_error", "invalid_model_type"), (501, "unsupported")),
    ("limit", (429, "rate_limit_error", "rate_limit_exceeded"), (429, "rate_limit_error", "rate_limit_exceeded"), (429, "rate_limit_exceeded")),
    ("unreachable", (503, "service_unavailable_error", None), (503, "service_unavailable_error", None), (502, "backend_unreachable")),
    ("slow", (503, "service_unavailable_error", None), (503, "service_unavailable_error", None), (504, "backend_timeout")),
    ("garbage", (500, "server_error", None), (500, "server_error", None), (502, "backend_unreachable")),
]


def changes_for(what):
    if what == "limit":
        return {"limits": {"per_ip": {"requests": 1, "seconds": 60}}}
    return {"timeouts": {"first_byte_seconds": 0.3}} if what == "slow" else {}


@row("PLLM-06", "PLLM-09", "PLLM-46", "PLLM-47", "PLLM-48", "PLLM-49", "PLLM-51", "PLLM-52", "PLLM-53", "PLLM-54", "PLLM-55")
@row("MP-02", "MP-35", "MP-38", "MP-54", "MP-59", "MP-61", "GW-29", "GW-30", "GW-32", "GW-33", "GW-34", "GW-35")
@pytest.mark.parametrize("what, modelpilot, pllm, gateway", MATRIX, ids=[what for what, *_ in MATRIX])
@pytest.mark.parametrize("dialect", ["modelpilot", "pllm", "gateway"])
def test_each_dialect_says_what_went_wrong_in_its_own_words(served, dialect, what, modelpilot, pllm, gateway):
    prefix = {"modelpilot": MODELPILOT, "pllm": PLLM, "gateway": GATEWAY}[dialect]
    wanted = {"modelpilot": modelpilot, "pllm": pllm, "gateway": gateway}[dialect]
    answer = refused(served, prefix, what, **changes_for(what))
    error = error_of(answer)
    assert (answer.status, error["type"]) == wanted[:2], answer
    if dialect == "gateway":
        assert set(error) == {"type", "message"} and set(answer.json()) == {"error"}
    else:
        assert set(error) == {"message", "type", "param", "code"}
        assert error["code"] == (wanted[2] or error["code"]) and error["code"]
    assert error["message"] and "127.0.0.1" not in answer.body.decode()
    if what == "limit":
        assert 1 <= int(answer.header("retry-after")) <= 60


@row("PLLM-54")
@pytest.mark.parametrize("method, path, headers, body", [
    ("DELETE", "/chat/completions", {}, None),
    ("POST", "/chat/completions", {"Content-Encoding": "gzip", **JSON}, b"x"),
    ("POST", "/chat/completions", JSON, b'{"model":"mistral:7b","pad":"' + b"x" * 3000 + b'"}'),
], ids=["a wrong method", "an encoded body", "a body too large"])  # fmt: skip
def test_pllm_has_no_status_but_those_it_lists(served, method, path, headers, body):
    gateway, _ = served(client={"body_bytes_max": "2KiB"}, default_cluster=None)
    answer = gateway.client().request(method, PLLM + path, headers, body).response()
    assert answer.status == 400 and error_of(answer)["type"] == "invalid_request_error"


# Models and deployments


@row("MP-53", "MP-54", "MP-55", "MP-56")
def test_an_unknown_model_is_told_with_the_models_that_run(served):
    gateway, models = served()
    answer = chat(gateway, MODELPILOT, "nope")
    assert answer.status == 404
    body = answer.json()
    assert body["error"] == {
        "message": "No active deployment found for model 'nope'",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }
    assert body["available_models"] == ["mistral:7b", "gemma3:7b", "flux-dev"]
    assert not models.requests


@row("MP-57", "MP-58", "MP-59")
def test_a_stopped_deployment_is_a_503_that_says_its_state(served):
    gateway, models = served()
    answer = chat(gateway, MODELPILOT, "stopped-model")
    assert answer.status == 503 and answer.header("x-should-retry") == "false"
    assert error_of(answer) == {
        "message": "Model 'stopped-model' deployment is not running (status: stopped)",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_available",
    }
    assert not models.requests


@row("MP-60", "MP-61")
def test_a_chat_with_an_image_model_is_a_400(served):
    gateway, models = served()
    answer = chat(gateway, MODELPILOT, "flux-dev")
    assert answer.status == 400
    assert error_of(answer) == {
        "message": "Model 'flux-dev' is not a text model and cannot be used with chat completions",
        "type": "invalid_request_error",
        "param": "model",
        "code": "invalid_model_type",
    }
    assert not models.requests


@row("MP-10")
@pytest.mark.parametrize("stream", [False, True])
def test_the_model_decides_which_deployment_answers(start, backend, stream):
    backends = {"first": backend(Models), "second": backend(Models)}
    clusters = {f"of-{name}": {"endpoints": [one.url]} for name, one in backends.items()}
    models = {"m": None, **{name: {"cluster": f"of-{name}", "deployment": f"pod-{name}"} for name in backends}}
    gateway = start(backends["first"], clusters=clusters, models=models, paths=PATHS)
    for name in ["first", "second", "second", "first"]:
        before = {each: len(one.requests) for each, one in backends.items()}
        answer = chat(gateway, MODELPILOT, name, stream=stream)
        assert answer.status == 200 and backends[name].asked()["model"] == name
        assert {each: len(one.requests) - before[each] for each, one in backends.items()} == {each: int(each == name) for each in backends}
        if not stream:
            assert answer.json()["x_modelpilot"]["deployment_id"] == f"pod-{name}"


@row("MP-11")
@pytest.mark.parametrize("name", ["mistral", "mistral:7b"])
def test_a_model_may_be_asked_for_without_its_tag(served, name):
    gateway, models = served()
    assert chat(gateway, MODELPILOT, name).status == 200
    assert models.asked()["model"] == "mistral:7b"


def test_a_short_name_of_two_models_means_none_of_them(served):
    gateway, _ = served(models={"m": None, "gemma:2b": {"cluster": "local"}, "gemma:7b": {"cluster": "local"}})
    answer = chat(gateway, MODELPILOT, "gemma")
    assert answer.status == 404 and answer.json()["available_models"] == ["gemma:2b", "gemma:7b"]


@row("GW-25", "GW-26", "GW-31")
@pytest.mark.parametrize("prefix, status, type_", [(GATEWAY, 501, "unsupported"), (PLLM, 400, "invalid_request_error"), ("/v1", 501, "invalid_request_error")])
def test_a_backend_without_embeddings_is_not_asked_for_them(start, backend, prefix, status, type_):
    models = backend(Models)
    gateway = start(models, paths=PATHS, clusters={"local": {"kind": "tgi"}}, models=None)
    answer = gateway.client().post(f"{prefix}/embeddings", {"model": "any", "input": "x"})
    assert (answer.status, error_of(answer)["type"]) == (status, type_)
    assert not models.requests
    assert chat(gateway, prefix, "any").status == 200


# Answers


@row("MP-24", "MP-25", "MP-26", "MP-27", "MP-28", "MP-29")
@pytest.mark.parametrize("how", ["length", "chunked", "close"])
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_chat_of_modelpilot_tells_which_deployment_it_was(served, how, version):
    gateway, models = served()
    models.how = how
    client = gateway.client()
    body = {"model": "mistral", "messages": [{"role": "user", "content": "hi"}]}
    answer = client.request("POST", MODELPILOT + "/chat/completions", JSON, body, version=version).response()
    assert answer.status == 200 and not answer.cut, answer
    whole = answer.json()
    assert whole["model"] == "mistral" and whole["object"] == "chat.completion" and whole["id"].startswith("chatcmpl-")
    choice = whole["choices"][0]
    assert (choice["index"], choice["finish_reason"]) == (0, "stop")
    assert choice["message"] == {"role": "assistant", "content": 'Hello "there" }{'}
    assert whole["usage"]["total_tokens"] == whole["usage"]["prompt_tokens"] + whole["usage"]["completion_tokens"]
    assert whole["system_fingerprint"] == "modelpilot-pod123"
    about = whole["x_modelpilot"]
    assert isinstance(about.pop("response_time_ms"), int)
    assert about == {"deployment_id": "pod123", "model_identifier": "mistral:7b", "direct_endpoint": "https://pod123.example:11434"}
    if version == "1.1" and how == "length":
        assert answer.framing == "length"
        assert chat(gateway, MODELPILOT).status == 200 and len(models.connections) == 1, "connections go on"


@row("MP-31")
def test_a_deployment_answers_at_its_direct_endpoint_without_the_gateway(start, backend):
    models = backend(Models)
    listed = {"m": None, "mistral:7b": {"cluster": "local", "name": "served-name", "direct_endpoint": models.url}}
    gateway = start(models, paths=PATHS, models=listed)
    told = chat(gateway, MODELPILOT).json()["x_modelpilot"]["direct_endpoint"]
    gateway.stop()
    at = urlsplit(told)
    with Client((at.hostname, at.port)) as client:
        answer = client.chat(target=at.path + "/v1/chat/completions", model="served-name").response()
    assert answer.status == 200 and answer.json()["choices"][0]["message"]["content"]
    through, direct = models.requests
    assert through.header("via") and direct.header("via") is None


def test_where_a_backend_is_is_told_to_nobody_unless_the_file_says_so(served):
    gateway, _ = served()
    answer = chat(gateway, MODELPILOT, "gemma3")
    assert "direct_endpoint" not in answer.json()["x_modelpilot"] and b"127.0.0.1" not in answer.body


@pytest.mark.parametrize("prefix, wanted", [("/v1", "gzip"), (MODELPILOT, "identity"), (PLLM, "identity"), (GATEWAY, "gzip")])
def test_what_is_to_be_edited_is_not_asked_for_compressed(served, prefix, wanted):
    gateway, models = served()
    assert gateway.client().chat({"Accept-Encoding": "gzip"}, target=prefix + "/chat/completions", model="mistral").response().status == 200
    assert models.requests[-1].header("accept-encoding") == wanted


@row("MP-30")
def test_the_response_time_is_measured_at_the_gateway(served):
    gateway, models = served()
    models.delay = 0.25
    assert 250 <= chat(gateway, MODELPILOT).json()["x_modelpilot"]["response_time_ms"] < 5000


@row("PLLM-22", "PLLM-26", "MP-32")
@pytest.mark.parametrize("prefix", [MODELPILOT, PLLM])
def test_answers_and_chunks_name_the_model_that_was_asked_for(served, prefix):
    gateway, models = served(models={"m": None, "my-gpt-4": {"cluster": "local", "name": "served-name"}})
    assert chat(gateway, prefix, "my-gpt-4").json()["model"] == "my-gpt-4"
    assert models.asked()["model"] == "served-name"
    answer = chat(gateway, prefix, "my-gpt-4", stream=True)
    *chunks, last = answer.events()
    assert last == "[DONE]" and len(chunks) == 3
    for one in map(json.loads, chunks):
        assert one["model"] == "my-gpt-4" and set(one) == {"id", "object", "created", "model", "choices"}


@row("GW-10")
@pytest.mark.parametrize("prefix", ["/v1", GATEWAY])
@pytest.mark.parametrize("stream", [False, True])
def test_other_dialects_change_no_byte_of_an_answer(served, prefix, stream):
    gateway, models = served()
    members = {"model": "mistral:7b", "messages": [{"role": "user", "content": "hi"}], "stream": stream}
    direct = Client((models.host, models.port)).post("/v1/chat/completions", members, JSON)
    assert chat(gateway, prefix, stream=stream).body == direct.body
    assert gateway.logged(path=f"{prefix}/chat/completions")["bytes_copied"] == 0


@row("GW-36", "GW-37", "GW-38", "GW-39")
@pytest.mark.parametrize("prefix", [MODELPILOT, PLLM, GATEWAY, "/v1"])
@pytest.mark.parametrize("stream", [False, True])
def test_an_error_of_the_backend_passes_in_its_own_words(served, prefix, stream):
    body = '{"error":{"message":"zu groß","code":"context_length_exceeded","model":"served"}}'.encode()
    raw = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nretry-after: 7\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    gateway, _ = served(Answers, raw)
    answer = chat(gateway, prefix, stream=stream)
    assert answer.status == 400 and answer.body == body and answer.header("retry-after") == "7"


def test_a_large_answer_is_edited_piece_by_piece_in_little_memory(served):
    text = json.dumps({"model": "x", "choices": [], "pad": "é\\\"}" * 2_000_000}).encode()
    raw = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(text), text)
    gateway, _ = served(Answers, raw)
    before = gateway.resident_bytes()
    answer = chat(gateway, MODELPILOT)
    assert answer.json()["x_modelpilot"]["deployment_id"] == "pod123"
    assert len(answer.json()["pad"]) == 8_000_000
    assert gateway.resident_bytes() - before < 4 << 20


class LargeInPieces(Backend):
    """An answer in JSON that is larger than all buffers on the way hold, piece by piece."""

    body = json.dumps({"model": "x", "pad": "x" * 48_000_000}).encode()

    def answer(self, connection, request):
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(self.body)
        return connection.send(head) and all(connection.send(self.body[at : at + 65536]) for at in range(0, len(self.body), 65536))


def test_a_slow_reader_of_an_edited_answer_stops_the_backend(served):
    gateway, large = served(LargeInPieces)
    before = gateway.resident_bytes()
    client = gateway.client(receive_buffer=65536, timeout=30)
    client.chat(target=MODELPILOT + "/chat/completions", model="mistral")
    response = client.response_head()
    until("the backend to be stopped by the slow reader", lambda: stands_still(large.connections[0]), 20)
    assert large.connections[0].bytes_sent < len(large.body)
    assert gateway.resident_bytes() - before < 4 << 20
    client.read_body(response)
    assert response.json()["x_modelpilot"]["deployment_id"] == "pod123" and len(response.json()["pad"]) == 48_000_000


def test_an_edited_stream_that_breaks_ends_honestly(served):
    gateway, _ = served(ClosesBetweenEvents)
    answer = chat(gateway, PLLM, stream=True)
    assert answer.cut and "[DONE]" not in answer.events()
    error = json.loads(answer.events()[-1])["error"]
    assert error["type"] == "service_unavailable_error" and error["code"]


# What a chat must have


@row("MP-12", "MP-17", "PLLM-10")
@pytest.mark.parametrize("prefix", [MODELPILOT, PLLM])
@pytest.mark.parametrize("members, param", [
    ({}, "messages"), ({"messages": "hi"}, "messages"), ({"messages": []}, "messages"), ({"messages": None}, "messages"),
    ({"messages": {"role": "user"}}, "messages"), ({"messages": [{}], "stream": "true"}, "stream"),
])  # fmt: skip
def test_a_chat_without_messages_is_a_400(served, prefix, members, param):
    gateway, models = served()
    answer = gateway.client().post(prefix + "/chat/completions", {"model": "mistral", **members}, JSON)
    assert answer.status == 400 and error_of(answer)["param"] == param, answer
    assert error_of(answer)["type"] == "invalid_request_error" and error_of(answer)["code"] == "bad_request"
    assert not models.requests


@pytest.mark.parametrize("prefix", ["/v1", GATEWAY])
def test_other_dialects_leave_messages_to_the_backend(served, prefix):
    gateway, models = served()
    assert gateway.client().post(prefix + "/chat/completions", {"model": "mistral"}, JSON).status == 200
    assert "messages" not in models.asked()


@row("MP-13", "MP-14", "MP-15", "MP-16", "PLLM-12", "PLLM-13", "PLLM-15", "PLLM-16", "PLLM-17", "PLLM-18", "PLLM-20")
@row("GW-11", "GW-12", "GW-13", "GW-14", "GW-15", "GW-16")
@pytest.mark.parametrize("prefix", ["/v1", MODELPILOT, PLLM, GATEWAY])
def test_every_option_reaches_the_backend_byte_for_byte(served, prefix):
    gateway, models = served()
    body = (
        b'{"model": "mistral:7b", "messages": [ {"role":"user","content":"\\u00e9 \xc3\xa9"} ],"temperature":0.70,"top_p":1e-1,'
        b'"max_tokens":10,"stop":["a","b"],"n":3,"user":"u","presence_penalty":-2,"frequency_penalty":2.0,"seed":9007199254740993,'
        b'"tools":[{"type":"function"}],"tool_choice":"auto","response_format":{"type":"json_object"},"x_unknown":{"a":[null]}}'
    )
    assert gateway.client().request("POST", prefix + "/chat/completions", JSON, body).response().status == 200
    assert models.requests[-1].body == body


@row("PLLM-19")
def test_as_many_choices_come_back_as_were_asked_for(served):
    gateway, _ = served()
    assert [choice["index"] for choice in chat(gateway, PLLM, n=3).json()["choices"]] == [0, 1, 2]


STREAM = (
    b": comment\r\nid: 7\r\nretry: 10\r\nevent: chunk\r\ndata: {\"model\":\"m\"}\r\n\r\n"
    b"data: " + b"x" * 200_000 + b"\n\ndata: a\ndata: b\n\ndata: [DONE]\n\n"
)


@row("GW-18", "GW-20", "GW-21")
@pytest.mark.parametrize("prefix", ["/v1", GATEWAY])
def test_a_stream_passes_byte_for_byte_whatever_its_events_are(served, prefix):
    raw = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n%b" % (len(STREAM), STREAM)
    gateway, _ = served(Answers, raw)
    assert chat(gateway, prefix, stream=True).body == STREAM


def test_pllm_s_alias_is_all_that_changes_in_a_stream(served):
    raw = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n%b" % (len(STREAM), STREAM)
    gateway, _ = served(Answers, raw)
    assert chat(gateway, PLLM, stream=True).body == STREAM.replace(b'"m"', b'"mistral:7b"')


# Tokens


@pytest.mark.parametrize("prefix", ["/v1", MODELPILOT])
def test_the_log_has_the_tokens_that_the_server_counted(served, prefix):
    gateway, _ = served()
    chat(gateway, prefix)
    record = gateway.logged(path=f"{prefix}/chat/completions")
    assert (record["tokens_in"], record["tokens_out"]) == (3, 2)


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_the_log_has_the_tokens_of_a_stream_that_tells_them(served, version):
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":222}}\n\n'
    half = len(usage) // 2
    raw = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    raw += b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (usage[:half], usage[half:])) + b"0\r\n\r\n"
    gateway, _ = served(Answers, raw)
    body = {"model": "mistral", "messages": [{}], "stream": True, "stream_options": {"include_usage": True}}
    assert gateway.client().request("POST", "/v1/chat/completions", JSON, body, version=version).response().body == usage
    record = gateway.logged(path="/v1/chat/completions")
    assert (record["tokens_in"], record["tokens_out"]) == (11, 222)


def test_the_log_says_nothing_of_tokens_that_nobody_told(served):
    gateway, _ = served()
    chat(gateway, "/v1", stream=True)
    assert "tokens_in" not in gateway.logged(path="/v1/chat/completions")


# Open where the documents say so


@row("GW-02", "GW-04")
@pytest.mark.parametrize("method, path", [("GET", "/models"), ("POST", "/chat/completions"), ("GET", "/unknown"), ("POST", "/embeddings")])
def test_every_path_of_the_api_needs_a_key_when_keys_are_set(served, method, path):
    keys = [{"name": "one", "value": "first-key-0123456789"}, {"name": "two", "value": "second-key-0123456789"}]
    gateway, _ = served(auth={"keys": keys})
    body = b"{}" if method == "POST" else None
    assert gateway.client(key=None).request(method, GATEWAY + path, JSON, body).response().status == 401
    for key in keys:
        assert gateway.client(key=key["value"]).request(method, GATEWAY + path, JSON, body).response().status != 401


@row("GW-03")
def test_a_gateway_dialect_without_keys_lets_everybody_in(start, backend):
    gateway = start(backend(Models), auth=None, paths={"prefixes": [{"path": "/v1", "dialect": "gateway"}]})
    assert gateway.client(key=None).get("/v1/models").status == 200
    assert gateway.client(key="anything").get("/v1/models").status == 200


@pytest.mark.parametrize("prefixes", [["/v1"], [{"path": "/v1", "dialect": "gateway"}, "/api/v1"]])
def test_no_other_dialect_is_open_by_forgetting_its_keys(tmp_path, prefixes):
    assert "auth: missing" in complaint(tmp_path, auth=None, paths={"prefixes": prefixes})


@row("PLLM-05", "PLLM-60", "GW-05", "GW-06", "GW-07", "PLLM-04")
@pytest.mark.parametrize("prefix", [MODELPILOT, PLLM, GATEWAY])
@pytest.mark.parametrize("headers, status", [
    ({"Authorization": "Bearer any-key-0123456789"}, 200), ({"X-API-Key": "any-key-0123456789"}, 200),
    ({"x-api-key": "any-key-0123456789", "Authorization": "Bearer wrong"}, 200),
    ({"x-api-key": "wrong", "Authorization": "Bearer any-key-0123456789"}, 200), ({"x-api-key": "wrong"}, 401), ({}, 401),
])  # fmt: skip
def test_a_key_may_come_in_either_header_and_one_good_one_is_enough(served, prefix, headers, status):
    gateway, _ = served(auth={"keys": [{"name": "k", "value": "any-key-0123456789"}]})
    client = gateway.client(key=None)
    assert client.chat(headers, target=prefix + "/chat/completions", model="mistral").response().status == status


# Limits


@row("MP-36")
def test_after_the_time_of_retry_after_the_next_request_is_served(served):
    gateway, _ = served(limits={"per_ip": {"requests": 1, "seconds": 1}})
    client = gateway.client()
    assert client.get(MODELPILOT + "/models").status == 200
    wait = int(client.get(MODELPILOT + "/models").header("retry-after"))
    assert wait == 1
    # Asking costs nothing while it is refused.
    until("the limit to let one through", lambda: client.get(MODELPILOT + "/models").status == 200, wait + 1)


@row("MP-33", "MP-34", "MP-35")
def test_a_hundred_requests_a_minute_and_address_whatever_the_key(served):
    keys = [{"name": "one", "value": "first-key-0123456789"}, {"name": "two", "value": "second-key-0123456789"}]
    gateway, _ = served(auth={"keys": keys}, limits={"per_ip": {"requests": 100, "seconds": 60}})
    one, two = gateway.client(key=keys[0]["value"]), gateway.client(key=keys[1]["value"])
    for client in (one, two):
        for _ in range(50):
            assert client.get(MODELPILOT + "/models").status == 200
    answer = one.get(MODELPILOT + "/models")
    assert answer.status == 429 and 1 <= int(answer.header("retry-after")) <= 60
    assert gateway.client(key=keys[0]["value"], source="127.0.0.2").get(MODELPILOT + "/models").status == 200


# Browsers


PAGE = {"Origin": "https://app.example"}


def preflight(gateway, path="/v1/chat/completions", headers=PAGE):
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, content-type, x-stainless-os"}
    return gateway.client(key=None).request("OPTIONS", path, {**headers, **asks}).response(of="OPTIONS")


def test_a_preflight_is_answered_without_a_key(served):
    gateway, models = served()
    answer = preflight(gateway)
    assert answer.status == 204 and answer.body == b"" and answer.header("content-length") is None
    assert answer.header("access-control-allow-origin") == "*"
    assert "POST" in answer.header("access-control-allow-methods")
    assert answer.header("access-control-allow-headers") == "authorization, content-type, x-stainless-os"
    assert not models.requests


@pytest.mark.parametrize("key, status", [(None, 401), ("right", 200)])
def test_a_page_may_read_answers_and_errors(served, key, status):
    gateway, _ = served(Answers, "HTTP/1.1 200 OK\r\naccess-control-allow-origin: https://else.example\r\naccess-control-max-age: 1\r\ncontent-length: 0\r\n\r\n")
    client = gateway.client() if key else gateway.client(key=None)
    answer = client.chat(PAGE, model="mistral").response()
    assert answer.status == status and answer.all("access-control-allow-origin") == ["*"]
    assert "retry-after" in answer.header("access-control-expose-headers") and answer.header("access-control-max-age") is None


def test_only_the_pages_that_are_listed_may_read(served):
    gateway, _ = served(cors={"origins": ["https://app.example"]})
    assert preflight(gateway).header("access-control-allow-origin") == "https://app.example"
    assert preflight(gateway).header("vary") == "Origin"
    other = preflight(gateway, headers={"Origin": "https://evil.example"})
    assert other.header("access-control-allow-origin") is None and other.header("access-control-allow-methods") is None


def test_nothing_is_said_to_whoever_is_no_browser(served):
    answer = chat(served()[0], "/v1")
    assert answer.header("access-control-allow-origin") is None and answer.header("vary") is None


def test_a_gateway_that_is_open_to_everybody_is_not_open_to_every_page(served):
    gateway, _ = served(auth={"keys": None, "open": True})
    assert preflight(gateway).status != 204
