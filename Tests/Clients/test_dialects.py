"""The real openai package and curl on every prefix and dialect: what a program written for OpenAI meets there."""

import json
import subprocess

import openai
import pytest
import requests

from harness.backends import Models
from harness.gateway import KEY, basic_config, free_port
from harness.rows import row

from test_openai import MESSAGES, client_of, text_of

PREFIXES = ["/v1", "/api/v1", "/pllm/v1", "/gw/v1"]
DIALECTS = {"prefixes": ["/v1", "/api/v1", {"path": "/pllm/v1", "dialect": "pllm"}, {"path": "/gw/v1", "dialect": "gateway"}]}
MODEL = "Qwen/Qwen2.5-7B-Instruct"


@pytest.fixture(params=PREFIXES)
def served(start, request):
    """The gateway before its demo backend, and a client on one of its prefixes."""
    backend = free_port()
    demo = {"address": f"127.0.0.1:{backend}", "models": ["demo"], "word_milliseconds": 1, "first_word_milliseconds": 1}
    models = {"m": None, MODEL: {"cluster": "local", "name": "demo", "owned_by": "openai"}}
    config = basic_config(free_port(), f"http://127.0.0.1:{backend}", demo_backend=demo, models=models, paths=DIALECTS)
    gateway = start(config=config)
    gateway.prefix = request.param
    with client_of(gateway, path=request.param) as client:
        yield gateway, client


@row("MP-01", "MP-09", "MP-25", "MP-26", "MP-52", "PLLM-01", "PLLM-08", "PLLM-11", "PLLM-21", "PLLM-56", "GW-17", "GW-27")
def test_a_chat_is_answered_on_every_prefix(served):
    _, client = served
    messages = [{"role": "system", "content": "Be brief."}, *MESSAGES, {"role": "assistant", "content": "Yes?"}, *MESSAGES]
    answer = client.chat.completions.create(model=MODEL, messages=messages)
    assert answer.object == "chat.completion" and answer.id and answer.created > 0 and answer.model
    assert answer.choices[0].message.role == "assistant" and answer.choices[0].message.content
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


@row("MP-18", "MP-19", "MP-20", "MP-52", "PLLM-01", "PLLM-23", "PLLM-25", "GW-10", "GW-20")
def test_a_chat_is_streamed_on_every_prefix(served):
    _, client = served
    chunks = list(client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True))
    assert all(chunk.object == "chat.completion.chunk" for chunk in chunks) and text_of(chunks).strip()
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].choices[0].finish_reason == "stop"


@row("MP-52", "PLLM-01", "GW-28")
def test_the_stream_helper_works_on_every_prefix(served):
    _, client = served
    with client.chat.completions.stream(model=MODEL, messages=MESSAGES) as stream:
        assert "content.delta" in [event.type for event in stream]


@row("MP-52", "PLLM-01", "PLLM-27", "GW-23")
def test_completions_plain_and_streamed_on_every_prefix(served):
    _, client = served
    assert client.completions.create(model=MODEL, prompt="Once", max_tokens=5).choices[0].text
    assert "".join(chunk.choices[0].text for chunk in client.completions.create(model=MODEL, prompt="Once", stream=True))


@row("MP-52", "PLLM-01", "PLLM-28", "GW-24")
def test_embeddings_of_one_text_and_of_several_on_every_prefix(served):
    _, client = served
    one = client.embeddings.create(model=MODEL, input="one")
    two = client.embeddings.create(model=MODEL, input=["one", "two"], encoding_format="float")
    assert len(one.data) == 1 and len(two.data) == 2
    assert two.data[0].embedding[0] == pytest.approx(one.data[0].embedding[0], abs=1e-6), "base64 is the package's default"


@row("MP-52", "PLLM-01")
def test_responses_plain_and_streamed_on_every_prefix(served):
    _, client = served
    answer = client.responses.create(model=MODEL, input="Say a few words.")
    assert answer.object == "response" and answer.output_text.strip()
    events = list(client.responses.create(model=MODEL, input="Say a few words.", stream=True))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta").strip()


@row("MP-52", "PLLM-01", "PLLM-29", "PLLM-30", "PLLM-31", "PLLM-32", "GW-17")
def test_models_are_listed_and_found_on_every_prefix(served):
    _, client = served
    (model,) = client.models.list()
    assert (model.id, model.object, model.owned_by) == (MODEL, "model", "openai") and isinstance(model.created, int)
    assert client.models.retrieve(MODEL).id == MODEL
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("none")


@row("PLLM-33", "PLLM-06", "MP-02")
def test_without_a_good_key_nothing_is_told_on_any_prefix(served):
    gateway, _ = served
    with client_of(gateway, key="sk-wrong-0123456789", path=gateway.prefix) as stranger:
        for ask in (
            stranger.models.list,
            lambda: stranger.models.retrieve(MODEL),
            lambda: stranger.chat.completions.create(model=MODEL, messages=MESSAGES),
        ):
            with pytest.raises(openai.AuthenticationError):
                ask()


def test_an_unknown_model_is_the_package_s_not_found_error_on_every_prefix(served):
    _, client = served
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="none", messages=MESSAGES)


# The bytes


def curl(*arguments):
    return subprocess.run(["curl", "-sS", "--max-time", "20", "-H", f"Authorization: Bearer {KEY}", *arguments], capture_output=True, check=True).stdout


def body(**members):
    return json.dumps({"model": MODEL, "messages": MESSAGES, **members})


@row("MP-18", "MP-19", "PLLM-24", "PLLM-25", "GW-19", "PLLM-58")
def test_curl_sees_events_divided_by_blank_lines_on_every_prefix(served):
    gateway, _ = served
    url = f"{gateway.origin}{gateway.prefix}/chat/completions"
    raw = curl("-N", url, "-H", "Content-Type: application/json", "-d", body(stream=True))
    *events, rest = raw.split(b"\n\n")
    assert rest == b"" and events[-1] == b"data: [DONE]"
    for event in events[:-1]:
        assert event.startswith(b"data: ") and b"\n" not in event and json.loads(event[6:])["object"] == "chat.completion.chunk"


@row("PLLM-14")
def test_stream_false_is_plain_json_on_every_prefix(served):
    gateway, _ = served
    for members in ({}, {"stream": False}):
        raw = curl("-i", f"{gateway.origin}{gateway.prefix}/chat/completions", "-H", "Content-Type: application/json", "-d", body(**members))
        head, _, answer = raw.partition(b"\r\n\r\n")
        assert b"application/json" in head.lower() and json.loads(answer)["object"] == "chat.completion"


def test_a_client_that_forgets_the_content_type_is_served(served):
    gateway, _ = served
    answer = curl(f"{gateway.origin}{gateway.prefix}/chat/completions", "-H", "Content-Type:", "-d", body())
    assert json.loads(answer)["choices"]


@row("MP-23", "PLLM-58")
def test_python_s_requests_is_served_without_more_ado(served):
    gateway, _ = served
    url, headers = f"{gateway.origin}{gateway.prefix}/chat/completions", {"Authorization": f"Bearer {KEY}"}
    answer = requests.post(url, headers=headers, json={"model": MODEL, "messages": MESSAGES}, timeout=20)
    assert answer.status_code == 200 and answer.json()["choices"][0]["message"]["content"]
    with requests.post(url, headers=headers, json={"model": MODEL, "messages": MESSAGES, "stream": True}, stream=True, timeout=20) as stream:
        lines = [line for line in stream.iter_lines() if line]
    assert len(lines) > 3 and lines[-1] == b"data: [DONE]"


# What passes


TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]


class CallsTools(Models):
    """Streams a tool call in three deltas."""

    def stream(self, connection, body):
        from harness.backends import LAST_CHUNK, SSE_HEAD, chunk

        connection.send(SSE_HEAD)
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ""}}
        for delta in ({"role": "assistant", "tool_calls": [call]}, {"tool_calls": [{"index": 0, "function": {"arguments": '{"city":'}}]}, {"tool_calls": [{"index": 0, "function": {"arguments": '"Rome"}'}}]}):
            event = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
            connection.send(chunk(b"data: " + json.dumps(event).encode() + b"\n\n"))
        return connection.send(chunk(b"data: [DONE]\n\n") + LAST_CHUNK)


@row("GW-22", "GW-41")
@pytest.mark.parametrize("prefix", PREFIXES)
def test_tool_calls_stream_as_deltas(start, backend, prefix):
    tools = backend(CallsTools)
    gateway = start(tools, paths=DIALECTS)
    with client_of(gateway, path=prefix) as client:
        chunks = list(client.chat.completions.create(model="m", messages=MESSAGES, tools=TOOLS, temperature=0.25, max_tokens=7, stream=True))
    assert "".join(chunk.choices[0].delta.tool_calls[0].function.arguments for chunk in chunks) == '{"city":"Rome"}'
    asked = tools.asked()
    assert (asked["temperature"], asked["max_tokens"], asked["tools"]) == (0.25, 7, TOOLS)


@row("PLLM-59", "MP-19")
@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_stream_that_breaks_is_an_error_and_never_a_clean_end(start, backend, prefix):
    from harness.backends import ClosesBetweenEvents

    gateway = start(backend(ClosesBetweenEvents), paths=DIALECTS)
    with client_of(gateway, path=prefix) as client, pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="m", messages=MESSAGES, stream=True))
