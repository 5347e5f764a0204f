"""The tokens of streams: the backend is asked for them, and the client that did not ask is not shown the answer."""

import json

import pytest

from harness.backends import DONE, USAGE, Answers, CountsTokens, DiesOnReuse, Echoes, Models, event
from harness.client import assert_ends_as_a_cut_stream

JSON = {"Content-Type": "application/json"}
ALWAYS = {"streams": "always"}
TOKENS = (11, 222)
FILTERED = b'data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}\r\n\r\n'
SO_FAR = b'id: 7\ndata: {"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":11,"completion_tokens":1}}\n\n'


@pytest.fixture
def counted(start, backend):
    """`counted(...)`: a gateway that asks every stream for its tokens, before one backend that counts them."""

    def counted(*arguments, usage=ALWAYS, kind=CountsTokens, models=None, **rest):
        one = backend(kind, *arguments, **rest)
        paths = {"prefixes": ["/v1", {"path": "/api/v1", "dialect": "modelpilot"}]}
        return start(one, usage=usage, paths=paths, **({"models": models} if models else {})), one

    return counted


def stream(gateway, body=b'{"model":"m","messages":[],"stream":true}', path="/v1/chat/completions", headers=JSON, **rest):
    return gateway.client().request("POST", path, headers, body, **rest).response()


def tokens_of(gateway, path="/v1/chat/completions"):
    record = gateway.logged(path=path)
    return record.get("tokens_in"), record.get("tokens_out")


# Asked, and not shown


@pytest.mark.parametrize("how", ["chunked", "burst", "bytes", "close", "length"])
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_client_that_did_not_ask_gets_every_byte_but_the_usage_chunk(counted, how, version):
    events = [b": hello\n\n", FILTERED, event(0), SO_FAR, b"\n\n", event(1)]
    gateway, counts = counted(events, how)
    answer = stream(gateway, version=version)
    assert counts.requests[0].json()["stream_options"] == {"include_usage": True}
    assert answer.status == 200 and not answer.cut
    assert answer.body == b"".join(events) + DONE
    assert answer.framing == ("chunked" if version == "1.1" else "close")
    assert tokens_of(gateway) == TOKENS


def test_the_tokens_are_in_the_statistics_of_the_model(counted):
    gateway, _ = counted()
    client = gateway.client()
    for _ in range(2):
        assert client.request("POST", "/v1/chat/completions", JSON, {"model": "m", "stream": True}).response().body.endswith(DONE)
    gateway.logged(path="/v1/chat/completions")
    found = {each["model"]: each for each in client.get("/v1/admin/models/stats").json()["data"]}["m"]
    assert (found["streams"], found["input_tokens"], found["output_tokens"]) == (2, 22, 444)


ASKED = b'"stream_options":{"include_usage":true}'
BODIES = {
    "no options": (b'{"model":"m","stream":true}', b'{"model":"m","stream":true,' + ASKED + b"}"),
    "white space": (b' {"stream" : true , "model" : "m"\n}\n', b' {"stream" : true , "model" : "m"\n,' + ASKED + b"}\n"),
    "no to usage": (
        b'{"stream_options":{"include_usage":false},"model":"m","stream":true}',
        b'{"stream_options":{"include_usage":true},"model":"m","stream":true}',
    ),
    "other options": (
        b'{"model":"m","stream":true,"stream_options":{"include_obfuscation":false, "x":[1]}}',
        b'{"model":"m","stream":true,"stream_options":{"include_obfuscation":false, "x":[1],"include_usage":true}}',
    ),
    "empty options": (b'{"model":"m","stream_options":{},"stream":true}', b'{"model":"m",' + ASKED + b',"stream":true}'),
    "null": (b'{"model":"m","stream_options":null,"stream":true}', b'{"model":"m",' + ASKED + b',"stream":true}'),
}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
@pytest.mark.parametrize("name", BODIES)
def test_the_question_is_all_that_is_changed_in_a_body(counted, name, path):
    gateway, counts = counted()
    sent, wanted = BODIES[name]
    assert USAGE not in stream(gateway, sent, path).body
    assert counts.requests[0].body == wanted
    assert counts.requests[0].header("content-length") == str(len(wanted))
    assert tokens_of(gateway, path) == TOKENS


def test_a_body_in_chunks_is_made_to_ask_as_well(counted):
    gateway, counts = counted()
    client = gateway.client()
    client.send(client.head("POST", "/v1/chat/completions", {**JSON, "Transfer-Encoding": "chunked"}))
    for byte in b'{"model":"m","stream":true}':
        client.send(b"1\r\n%c\r\n" % byte)
    assert USAGE not in client.send(b"0\r\n\r\n").response().body
    assert counts.requests[0].body == BODIES["no options"][1]


@pytest.mark.parametrize("pad", [10, 20_000], ids=["small", "large"])
def test_a_request_on_a_dead_connection_is_sent_again_as_it_was_made(counted, pad):
    gateway, dies = counted(kind=DiesOnReuse, models={"m": {"cluster": "local", "name": "served-name"}})
    for _ in range(2):
        body = b'{"model":"m","pad":"%b","stream":true}' % (b"x" * pad)
        assert stream(gateway, body).json() == {}
    wanted = b'{"model":"served-name","pad":"%b","stream":true,%b}' % (b"x" * pad, ASKED)
    assert [request.body for request in dies.requests] == [wanted] * 3
    assert [request.header("content-length") for request in dies.requests] == [str(len(wanted))] * 3


@pytest.mark.parametrize("how", ["chunked", "burst", "bytes"])
def test_the_public_name_of_a_model_and_a_hidden_chunk_go_together(counted, how):
    gateway, counts = counted(how=how, models={"public": {"cluster": "local", "name": "m"}})
    body = b'{"model":"public","messages":[{}],"stream":true}'
    answer = stream(gateway, body, "/api/v1/chat/completions")
    assert counts.requests[0].body == b'{"model":"m","messages":[{}],"stream":true,%b}' % ASKED
    assert answer.body == (event(0) + event(1) + DONE).replace(b'"m"', b'"public"')
    assert tokens_of(gateway, "/api/v1/chat/completions") == TOKENS


def test_a_long_stream_loses_nothing_but_the_usage_chunk(counted):
    events = [event(index) for index in range(20_000)]
    gateway, _ = counted(events, "burst")
    client = gateway.client(receive_buffer=4096)
    assert client.request("POST", "/v1/chat/completions", JSON, BODIES["no options"][0]).response().body == b"".join(events) + DONE


# What is not there to be hidden


def test_a_backend_that_ignores_the_question_is_passed_on(counted):
    gateway, _ = counted(last=[DONE])
    assert stream(gateway).body == event(0) + event(1) + DONE
    assert tokens_of(gateway) == (None, None)


def test_a_backend_that_answers_in_one_piece_is_passed_on(counted):
    raw = json.dumps({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 222}})
    gateway, _ = counted(f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(raw)}\r\n\r\n{raw}", kind=Answers)
    assert stream(gateway).body == raw.encode()
    assert tokens_of(gateway) == TOKENS
    assert gateway.logged()["bytes_copied"] == 0


def test_a_backend_that_refuses_the_question_is_passed_on(counted):
    raw = b'{"error":{"message":"stream_options is not supported","type":"invalid_request_error","param":null,"code":null}}'
    gateway, _ = counted(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(raw), raw), kind=Answers)
    answer = stream(gateway)
    assert answer.status == 400 and answer.body == raw


def test_options_that_are_none_are_for_the_backend_to_judge(counted):
    gateway, counts = counted(kind=Echoes)
    for options in (b"7", b'"x"', b"[]", b'{"include_usage":"yes"}', b'{"include_usage":1}'):
        body = b'{"model":"m","stream":true,"stream_options":%b}' % options
        assert stream(gateway, body).status == 200
        assert counts.requests[-1].body == body


# Ends that are none


def test_a_stream_that_is_cut_before_its_usage_ends_as_any_other(counted):
    gateway, _ = counted(last=[], keep=False)
    answer = stream(gateway)
    assert_ends_as_a_cut_stream(answer)
    assert answer.body.startswith(event(0) + event(1))
    assert tokens_of(gateway) == (None, None)


def test_a_stream_that_is_cut_behind_its_usage_ends_as_any_other(counted):
    gateway, _ = counted(last=[USAGE], keep=False)
    answer = stream(gateway)
    assert_ends_as_a_cut_stream(answer)
    assert answer.body.startswith(event(0) + event(1)) and USAGE not in answer.body
    assert tokens_of(gateway) == TOKENS


def test_a_stream_that_is_cut_within_its_usage_ends_as_one_that_is_cut_within_an_event(counted):
    gateway, _ = counted(last=[USAGE[:-20]], keep=False)
    answer = stream(gateway)
    assert answer.cut and answer.body == event(0) + event(1)


def test_an_event_that_its_end_leaves_open_goes_on(counted):
    for how in ("chunked", "close"):
        gateway, _ = counted(last=[USAGE[:-1]], how=how)
        answer = stream(gateway)
        assert not answer.cut and answer.body == event(0) + event(1) + USAGE[:-1]


# Left alone


def test_a_client_that_asked_is_shown_every_byte_and_none_is_copied(counted):
    gateway, counts = counted()
    body = b'{"model":"m","stream":true,"stream_options":{"include_usage":true}}'
    assert stream(gateway, body).body == event(0) + event(1) + USAGE + DONE
    assert counts.requests[0].body == body
    record = gateway.logged(path="/v1/chat/completions")
    assert record["bytes_copied"] == 0 and (record["tokens_in"], record["tokens_out"]) == TOKENS


@pytest.mark.parametrize("usage", [{"streams": "never"}, {"streams": "when_limited"}, None])
@pytest.mark.parametrize("name", ["no options", "no to usage"])
def test_where_nobody_needs_the_tokens_nothing_is_asked_and_nothing_copied(counted, usage, name):
    gateway, counts = counted(usage=usage)
    sent, _ = BODIES[name]
    answer = stream(gateway, sent, headers={**JSON, "Accept-Encoding": "gzip"})
    assert answer.body == event(0) + event(1) + DONE
    assert counts.requests[0].body == sent and counts.requests[0].header("accept-encoding") == "gzip"
    assert gateway.logged(path="/v1/chat/completions")["bytes_copied"] == 0


@pytest.mark.parametrize("asks", [False, True], ids=["the client does not ask", "the client asks"])
def test_never_counts_more_than_a_limit_of_tokens_that_would_ask(start, backend, asks):
    counts = backend(CountsTokens)
    rules = {"tokens": {"of": "ip", "tokens": 1000, "seconds": 3600}}
    gateway = start(counts, usage={"streams": "never"}, limits={"rules": rules})
    client = gateway.client()
    body = b'{"model":"m","max_tokens":400,"stream":true' + (b"," + ASKED if asks else b"") + b"}"
    answers = [client.request("POST", "/v1/chat/completions", {**JSON, "Accept-Encoding": "gzip"}, body).response() for _ in range(2)]
    for answer, request in zip(answers, counts.requests, strict=True):
        assert request.body == body and request.header("accept-encoding") == "gzip"
        assert answer.body == event(0) + event(1) + (USAGE if asks else b"") + DONE
    assert tokens_of(gateway) == (TOKENS if asks else (None, None))
    assert gateway.logged(path="/v1/chat/completions")["bytes_copied"] == 0
    # What the backend counted is paid where the client asked for it, and else what was reserved.
    paid = sum(TOKENS) if asks else 400
    assert [answer.header("x-ratelimit-remaining-tokens") for answer in answers] == ["600", str(1000 - paid - 400)]


@pytest.mark.parametrize("path, members", [
    ("/v1/chat/completions", {}), ("/v1/chat/completions", {"stream": False}), ("/v1/responses", {"stream": True}),
    ("/v1/messages", {"stream": True}), ("/v1/embeddings", {"stream": True}), ("/v1/audio/speech", {"stream": True}),
])  # fmt: skip
def test_only_streams_that_have_to_be_asked_are_asked(counted, path, members):
    gateway, counts = counted(kind=Echoes)
    body = json.dumps({"model": "m", **members}).encode()
    assert stream(gateway, body, path, {**JSON, "Accept-Encoding": "gzip"}).status == 200
    assert counts.requests[0].body == body
    # What tells its tokens must come so that they can be read, and all else as the client likes it.
    assert counts.requests[0].header("accept-encoding") == ("gzip" if "speech" in path else "identity")


def test_a_stream_that_is_asked_is_not_asked_for_compressed(counted):
    gateway, counts = counted(kind=Models)
    stream(gateway, headers={**JSON, "Accept-Encoding": "gzip"})
    assert counts.requests[0].all("accept-encoding") == ["identity"]


def test_an_encoding_that_the_file_asks_for_is_asked_for_once(start, backend):
    counts = backend(CountsTokens)
    cluster = {"endpoints": [counts.url], "headers": {"Accept-Encoding": "br"}}
    gateway = start(counts, usage=ALWAYS, clusters={"local": cluster})
    assert stream(gateway).status == 200
    assert counts.requests[0].all("accept-encoding") == ["br"]
