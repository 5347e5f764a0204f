"""The real openai package: set base_url, and it works. Against the gateway with its demo backend, over real sockets."""

import asyncio
import threading

import openai
import pytest

from harness.gateway import KEY, basic_config, free_port
from harness.rows import row
from harness.waiting import until

MESSAGES = [{"role": "user", "content": "Say a few words."}]


def demo_config(**changes):
    """The gateway before a demo backend of its own, which serves `demo` under three names."""
    backend = free_port()
    return basic_config(
        free_port(),
        f"http://127.0.0.1:{backend}",
        demo_backend={"address": f"127.0.0.1:{backend}", "models": ["demo"], "word_milliseconds": 2, "first_word_milliseconds": 5},
        models={
            "demo": {"cluster": "local"},
            "alias": {"cluster": "local", "name": "demo"},
            "org/with/slashes": {"cluster": "local", "name": "demo"},
            "m": None,
        },
        **changes,
    )


@pytest.fixture
def gateway(start):
    return start(config=demo_config())


def client_of(gateway, key=KEY, path="/v1", **rest):
    rest.setdefault("max_retries", 0)
    return openai.OpenAI(base_url=gateway.origin + path, api_key=key, timeout=20, **rest)


@pytest.fixture
def client(gateway):
    with client_of(gateway) as client:
        yield client


def text_of(stream):
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


# Chat


@row("MP-52", "PLLM-01")
def test_a_chat_is_answered(client):
    answer = client.chat.completions.create(model="demo", messages=MESSAGES)
    assert answer.object == "chat.completion" and answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content and answer.choices[0].finish_reason
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


@pytest.mark.parametrize("path", ["/v1", "/api/v1", "/v1/"])
def test_the_base_url_may_be_any_prefix(gateway, path):
    with client_of(gateway, path=path) as client:
        assert client.chat.completions.create(model="demo", messages=MESSAGES).choices


@pytest.mark.parametrize("model", ["demo", "alias", "org/with/slashes"])
def test_every_name_of_the_model_works(client, model):
    assert client.chat.completions.create(model=model, messages=MESSAGES).choices[0].message.content


@row("MP-52", "PLLM-01")
def test_a_chat_is_streamed_word_by_word(client):
    chunks = list(client.chat.completions.create(model="demo", messages=MESSAGES, stream=True))
    assert len(chunks) > 3 and all(chunk.object == "chat.completion.chunk" for chunk in chunks)
    assert len({chunk.id for chunk in chunks}) == 1
    assert text_of(chunks).strip() and chunks[-1].choices[0].finish_reason


def test_a_stream_says_its_usage_when_asked(client):
    stream = client.chat.completions.create(model="demo", messages=MESSAGES, stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    assert chunks[-1].choices == [] and chunks[-1].usage.total_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_a_stream_does_not_say_its_usage_when_not_asked(client):
    chunks = list(client.chat.completions.create(model="demo", messages=MESSAGES, stream=True))
    assert all(chunk.choices for chunk in chunks)


def test_the_stream_helper_works(client):
    with client.chat.completions.stream(model="demo", messages=MESSAGES) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_completion()
    assert "content.delta" in kinds and final.choices[0].message.content


def test_raw_responses_show_the_headers(client):
    raw = client.chat.completions.with_raw_response.create(model="demo", messages=MESSAGES)
    assert raw.status_code == 200 and raw.headers["content-type"].startswith("application/json")
    assert raw.request_id and raw.parse().choices
    assert raw.parse()._request_id == raw.headers["x-request-id"]


def test_streamed_raw_responses_show_the_headers(client):
    with client.chat.completions.with_streaming_response.create(model="demo", messages=MESSAGES, stream=True) as raw:
        assert raw.headers["content-type"].startswith("text/event-stream")
        assert raw.headers["x-request-id"]
        lines = list(raw.iter_lines())
    assert lines[-1] == "data: [DONE]" or lines[-2] == "data: [DONE]"


def test_a_request_id_of_one_s_own_comes_back(client):
    raw = client.chat.completions.with_raw_response.create(model="demo", messages=MESSAGES, extra_headers={"X-Request-ID": "mine-12345678"})
    assert raw.request_id == "mine-12345678"


def test_rate_limit_headers_are_there(start):
    gateway = start(config=demo_config(limits={"per_ip": {"requests": 50, "seconds": 60}}))
    with client_of(gateway) as client:
        headers = client.chat.completions.with_raw_response.create(model="demo", messages=MESSAGES).headers
    assert headers["x-ratelimit-limit-requests"] == "50" and headers["x-ratelimit-remaining-requests"] == "49"


# Other routes


@row("MP-52", "PLLM-01")
def test_models_are_listed(client):
    assert {model.id for model in client.models.list()} == {"demo", "alias", "org/with/slashes"}


@row("MP-52", "PLLM-01")
@pytest.mark.parametrize("model", ["demo", "org/with/slashes"])
def test_a_model_is_retrieved(client, model):
    assert client.models.retrieve(model).id == model


@row("MP-52", "PLLM-01")
def test_embeddings(client):
    answer = client.embeddings.create(model="demo", input=["one", "two"])
    assert len(answer.data) == 2 and len(answer.data[0].embedding) > 0 and isinstance(answer.data[0].embedding[0], float)


@row("MP-52", "PLLM-01")
def test_completions_plain_and_streamed(client):
    assert client.completions.create(model="demo", prompt="Once").choices[0].text
    chunks = list(client.completions.create(model="demo", prompt="Once", stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices).strip()


@row("MP-52", "PLLM-01")
def test_responses_pass_through(client):
    answer = client.responses.create(model="demo", input="Say a few words.")
    assert answer.object == "response" and answer.output_text.strip()


@row("MP-52", "PLLM-01")
def test_streamed_responses_pass_through(client):
    kinds = [event.type for event in client.responses.create(model="demo", input="Say a few words.", stream=True)]
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed"


# Many at once


def test_fifty_streams_at_once(gateway):
    async def one(client, index):
        stream = await client.chat.completions.create(model="demo", messages=MESSAGES, stream=True)
        chunks = [chunk async for chunk in stream]
        return text_of(chunks), len({chunk.id for chunk in chunks})

    async def all_of_them():
        async with openai.AsyncOpenAI(base_url=gateway.origin + "/v1", api_key=KEY, timeout=20, max_retries=0) as client:
            return await asyncio.gather(*(one(client, index) for index in range(50)))

    answers = asyncio.run(all_of_them())
    assert len(answers) == 50 and all(text.strip() and ids == 1 for text, ids in answers)


def test_async_works_like_sync(gateway):
    async def ask():
        async with openai.AsyncOpenAI(base_url=gateway.origin + "/v1", api_key=KEY, timeout=20) as client:
            plain = await client.chat.completions.create(model="demo", messages=MESSAGES)
            models = [model.id async for model in client.models.list()]
            return plain, models

    plain, models = asyncio.run(ask())
    assert plain.choices[0].message.content and "demo" in models


def test_threads_may_share_a_client(client):
    results = []

    def work():
        for _ in range(5):
            results.append(bool(client.chat.completions.create(model="demo", messages=MESSAGES).choices))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [True] * 40


# Errors


def test_no_such_key_is_an_authentication_error(gateway):
    with client_of(gateway, key="sk-wrong") as client, pytest.raises(openai.AuthenticationError) as caught:
        client.chat.completions.create(model="demo", messages=MESSAGES)
    assert caught.value.code == "invalid_api_key" and caught.value.type == "invalid_request_error"
    assert caught.value.request_id


def test_no_such_model_is_a_not_found_error(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="nobody", messages=MESSAGES)
    assert caught.value.code == "model_not_found" and "`nobody`" in caught.value.message


def test_no_such_model_is_not_retrieved(client):
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody/here")


def test_bad_json_is_a_bad_request_error(gateway):
    with client_of(gateway) as client, pytest.raises(openai.BadRequestError) as caught:
        client.post("/chat/completions", cast_to=object, content=b'{"model":', options={"headers": {"Content-Type": "application/json"}})
    assert caught.value.type == "invalid_request_error"


def test_too_many_requests_are_a_rate_limit_error(start):
    gateway = start(config=demo_config(limits={"per_ip": {"requests": 2, "seconds": 600, "burst": 2}}))
    with client_of(gateway) as client, pytest.raises(openai.RateLimitError) as caught:
        for _ in range(3):
            client.chat.completions.create(model="demo", messages=MESSAGES)
    assert caught.value.code == "rate_limit_exceeded" and int(caught.value.response.headers["retry-after"]) >= 1


def test_the_package_waits_as_long_as_told_and_then_succeeds(start):
    gateway = start(config=demo_config(limits={"per_ip": {"requests": 10, "seconds": 5, "burst": 1}}))
    with client_of(gateway, max_retries=2) as client:
        for _ in range(4):
            assert client.chat.completions.create(model="demo", messages=MESSAGES).choices


def test_a_backend_that_is_away_is_an_internal_server_error(start):
    gateway = start("http://127.0.0.1:9")
    with client_of(gateway) as client, pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="m", messages=MESSAGES)
    assert caught.value.status_code == 502 and caught.value.code == "backend_unreachable"


@pytest.mark.parametrize(
    "status, kind",
    [
        (400, openai.BadRequestError),
        (403, openai.PermissionDeniedError),
        (409, openai.ConflictError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (418, openai.APIStatusError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
def test_errors_of_the_backend_keep_their_class(client, status, kind):
    with pytest.raises(kind) as caught:
        client.chat.completions.create(model="demo", messages=MESSAGES, extra_headers={"x-demo": f"status={status}"})
    assert caught.value.status_code == status


def test_a_backend_that_fails_in_mid_stream_is_an_api_error(client):
    stream = client.chat.completions.create(model="demo", messages=MESSAGES, stream=True, extra_headers={"x-demo": "error=3"})
    seen = []
    with pytest.raises(openai.APIError) as caught:
        for chunk in stream:
            seen.append(chunk)
    assert len(seen) >= 2 and caught.value.message


@pytest.mark.parametrize("switch", ["cut=3", "reset=3"])
def test_a_stream_that_the_backend_cuts_is_an_error_and_never_a_clean_end(client, switch):
    stream = client.chat.completions.create(model="demo", messages=MESSAGES, stream=True, extra_headers={"x-demo": switch})
    with pytest.raises((openai.APIError, openai.APIConnectionError)):
        for _ in stream:
            pass


def test_a_plain_answer_that_the_backend_cuts_is_a_connection_error(client):
    with pytest.raises((openai.APIConnectionError, openai.InternalServerError)):
        client.chat.completions.create(model="demo", messages=MESSAGES, extra_headers={"x-demo": "cut=20"})


def test_a_stalled_stream_is_ended_by_the_gateway(start):
    gateway = start(config=demo_config(timeouts={"between_bytes_seconds": 0.4}))
    with client_of(gateway) as client, pytest.raises(openai.APIError):
        for _ in client.chat.completions.create(model="demo", messages=MESSAGES, stream=True, extra_headers={"x-demo": "stall=3"}):
            pass


# Leaving


def test_an_aborted_stream_is_noticed_and_the_client_goes_on(gateway, client):
    stream = client.chat.completions.create(model="demo", messages=MESSAGES, stream=True, extra_headers={"x-demo": "gap=100, words=500"})
    next(iter(stream))
    stream.close()
    record = gateway.logged(path="/v1/chat/completions")
    assert record["outcome"] == "client_left" and record["duration_ms"] < 5000
    assert client.chat.completions.create(model="demo", messages=MESSAGES).choices


def test_a_client_that_gives_up_waiting_is_noticed(gateway):
    with openai.OpenAI(base_url=gateway.origin + "/v1", api_key=KEY, timeout=0.3, max_retries=0) as client:
        with pytest.raises(openai.APITimeoutError):
            client.chat.completions.create(model="demo", messages=MESSAGES, extra_headers={"x-demo": "delay=20000"})
    assert gateway.logged(path="/v1/chat/completions")["outcome"] == "client_left"


def test_many_aborted_streams_leave_nothing_behind(gateway, client):
    client.chat.completions.create(model="demo", messages=MESSAGES)
    before = gateway.descriptor_count()
    for _ in range(30):
        stream = client.chat.completions.create(model="demo", messages=MESSAGES, stream=True, extra_headers={"x-demo": "gap=50, words=500"})
        next(iter(stream))
        stream.close()
    until("the descriptors to be given back", lambda: gateway.descriptor_count() <= before + 8)
