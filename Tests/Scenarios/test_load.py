"""`sluice load`: what it reports of an endpoint, and how it says that there is none."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
import xml.dom.minidom

import pytest

from harness.backends import Answers, Backend, ClosesMidChunk, StallsAfterEvents
from harness.gateway import KEY, binary, free_port

FIELDS = {"mode", "url", "window_seconds", "requests", "events", "requests_per_second", "latency_us", "first_token_us", "gap_us", "errors", "ok"}


def demo(start, **changes):
    """A gateway with a demo backend behind it."""
    port = free_port()
    return start(
        f"http://127.0.0.1:{port}",
        demo_backend={"address": f"127.0.0.1:{port}", "models": ["m"], "word_milliseconds": 2, "first_word_milliseconds": 20},
        **changes,
    )


def command(url, *options, **named):
    options = list(options)
    for name, value in named.items():
        options += [f"--{name.replace('_', '-')}", str(value)]
    return [binary(), "load", "--url", url, "--model", "m", *options]


def load(url, *options, key=KEY, cwd=None, **named):
    environment = {**os.environ, "OPENAI_API_KEY": key or ""}
    return subprocess.run(command(url, *options, **named), env=environment, cwd=cwd, capture_output=True, text=True, timeout=60)


def test_streams_are_measured(start):
    result = load(demo(start).origin + "/v1", streams=5, duration=1)
    assert result.returncode == 0 and result.stderr == "", result.stderr
    for name in ("time to first token", "gap between tokens", "whole stream", "answers", "tokens", "errors"):
        assert name in result.stdout, result.stdout
    assert re.search(r"errors\s+none", result.stdout), result.stdout


def test_one_json_object_says_all(start):
    result = load(demo(start).origin + "/v1", "--json", streams=5, duration=1)
    found = json.loads(result.stdout)
    assert result.returncode == 0 and found["ok"] is True and FIELDS <= found.keys()
    assert found["requests"] > 0 and found["events"] > found["requests"] and found["answers_with_usage"] == found["requests"]
    # The demo backend waits 20 ms in front of the first word and 2 ms between two.
    assert 20_000 <= found["first_token_us"]["p50"] < 200_000 and 1_500 <= found["gap_us"]["p50"] < 50_000
    assert found["latency_us"]["count"] == found["requests"]
    assert sum(count for _, count in found["histograms"]["gap_us"]) == found["gap_us"]["count"]


def test_answers_in_one_piece_are_measured(start):
    found = json.loads(load(demo(start).origin + "/v1", "--no-stream", "--json", streams=5, duration=1).stdout)
    assert found["ok"] is True and found["mode"] == "requests" and found["requests"] > 5 and found["tokens"] > 0


def test_words_that_begin_as_the_benchmarks_mock_does_are_words(backend):
    body = b'{"choices":[{"message":{"role":"assistant","content":"~%s"}}]}'
    for words in (b"hello", b"ABC", b""):
        raw = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (len(body % words))
        result = load(backend(Answers, raw + body % words).url + "/v1", "--no-stream", "--json", streams=2, duration=0.3)
        found = json.loads(result.stdout)
        assert result.returncode == 0 and found["ok"] is True and found["requests"] > 0, found["errors"]


def test_a_rate_is_kept(start):
    found = json.loads(load(demo(start).origin + "/v1", "--json", streams=50, duration=2, rate=20, max_tokens=3).stdout)
    assert found["ok"] is True and 30 <= found["requests"] <= 41 and found["unsent"] == 0


@pytest.mark.parametrize("options", [[], ["--no-stream"]], ids=["streams", "answers"])
def test_a_plot_is_a_picture_with_its_axes_named(start, tmp_path, options):
    file = tmp_path / "load.svg"
    assert load(demo(start).origin + "/v1", *options, streams=5, duration=1, plot=file).returncode == 0
    texts = [node.firstChild.data for node in xml.dom.minidom.parse(str(file)).getElementsByTagName("text")]
    assert any("p99" in text for text in texts) and any("logarithmic" in text for text in texts) and any("%" in text for text in texts)
    assert "prefers-color-scheme" in file.read_text()


def test_a_plot_that_cannot_be_written_is_told(start):
    result = load(demo(start).origin + "/v1", streams=2, duration=1, plot="/dev/null/load.svg")
    assert result.returncode == 69 and "/dev/null/load.svg" in result.stderr


def test_a_wrong_key_is_told_by_its_status_and_never_printed(start):
    result = load(demo(start).origin + "/v1", key="sk-a-wrong-secret", streams=2, duration=0.5)
    assert result.returncode == 1 and "HTTP 401" in result.stdout
    assert "sk-a-wrong-secret" not in result.stdout + result.stderr


class RepeatsTheKey(Backend):
    """Refuses, and tells what it was sent, as careless servers do."""

    def answer(self, connection, request):
        body = b"you sent " + request.header("authorization").encode() + b" and " + request.header("x-pass").encode()
        return connection.send(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: %d\r\n\r\n" % len(body) + body)


@pytest.mark.parametrize("options", [[], ["--json"], ["--no-stream"]], ids=["table", "json", "answers"])
def test_a_key_that_the_server_repeats_is_not_printed(backend, options):
    options = [*options, "--header", "x-pass: s3cret-pass"]
    result = load(backend(RepeatsTheKey).url + "/v1", *options, key="sk-s3cret-key", streams=2, duration=0.3)
    assert result.returncode == 1 and "HTTP 401 you sent Bearer *** and ***" in result.stdout, result.stdout
    assert "s3cret" not in result.stdout + result.stderr


def test_the_keys_option_comes_before_the_environment(start):
    result = load(demo(start).origin + "/v1", "--json", "--key", KEY, key="sk-a-wrong-secret", streams=2, duration=0.5)
    assert json.loads(result.stdout)["ok"] is True


def test_streams_that_are_cut_are_counted_as_such(start, backend):
    gateway = start(backend(ClosesMidChunk))
    found = json.loads(load(gateway.origin + "/v1", "--json", streams=2, duration=0.5).stdout)
    assert found["ok"] is False and found["errors"]["closed"] + found["errors"]["done"] + found["errors"]["failed"] > 0


def test_streams_that_hang_when_the_time_is_over_are_errors(backend):
    result = load(backend(StallsAfterEvents).url + "/v1", streams=3, duration=2)
    assert result.returncode == 1 and re.search(r"errors\s+3 timed out", result.stdout), result.stdout
    assert re.search(r"longest silence\s+[12]\.\d{3} s", result.stdout), result.stdout


@pytest.mark.parametrize("url, words", [
    ("http://127.0.0.1:1/v1", "nobody listens there"), ("http://nowhere.invalid/v1", "nowhere.invalid"),
])
def test_an_endpoint_that_is_not_there_is_told(url, words):
    result = load(url, duration=5)
    assert result.returncode == 69 and words in result.stderr and len(result.stderr.splitlines()) == 1, result.stderr


@pytest.fixture
def deaf():
    """An API's address where attempts to connect are dropped: nobody accepts, and the backlog is full."""
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def test_an_endpoint_that_drops_packets_is_told(deaf):
    result = load(deaf, duration=1)
    assert result.returncode == 69 and result.stdout == "", result.stdout
    assert "no connection could be opened" in result.stderr and len(result.stderr.splitlines()) == 1, result.stderr


@pytest.mark.parametrize("options, words", [
    (["--streams", "0"], "--streams"), (["--duration", "0"], "--duration"), (["--rate", "0"], "--rate"), (["--timeout", "x"], "--timeout"),
    (["--max-tokens", "0"], "--max-tokens"), (["--url", "ftp://host"], "--url"), (["--header", "nonsense"], "--header"),
    (["--key", "a b"], "--key"), (["--nonsense"], "--nonsense"),
])
def test_wrong_arguments_get_a_usage_line_and_64(options, words):
    result = subprocess.run([*command("http://127.0.0.1:1/v1"), *options], capture_output=True, text=True, timeout=20)
    assert result.returncode == 64 and words in result.stderr and "Usage: sluice load" in result.stderr, result.stderr


@pytest.mark.parametrize("options", [
    ["--header", "Authorization Bearer s3cret"], ["--header", "Host: s3cret"], ["--url", "https://user:s3cret@host/v1"],
    ["--url", "https://host/v1?key=s3cret"], ["--url", "s3cret"], ["--key", "s3cret s3cret"],
])
def test_an_argument_that_may_be_a_secret_is_not_told(options):
    result = subprocess.run([*command("http://127.0.0.1:1/v1"), *options], capture_output=True, text=True, timeout=20)
    assert result.returncode == 64 and options[0] in result.stderr and "s3cret" not in result.stdout + result.stderr, result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_early_with_what_was_measured(start, number):
    gateway = demo(start)
    process = subprocess.Popen(command(gateway.origin + "/v1", "--json", streams=3, duration=60), env={**os.environ, "OPENAI_API_KEY": KEY},
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(1)
    process.send_signal(number)
    output, _ = process.communicate(timeout=10)
    found = json.loads(output)
    assert process.returncode == 0 and found["interrupted"] is True and found["events"] > 0 and 0.5 < found["window_seconds"] < 5


def test_certificates_are_verified(start, certificates):
    gateway = demo(start, listeners=[{"address": f"127.0.0.1:{free_port()}", "tls": certificates.pair("good")}])
    url = gateway.origin.replace("http:", "https:") + "/v1"
    refused = load(url, streams=2, duration=1)
    assert refused.returncode == 69 and "certificate" in refused.stderr
    found = json.loads(load(url, "--json", streams=2, duration=1, ca_file=certificates.authority).stdout)
    assert found["ok"] is True and found["requests"] > 0
