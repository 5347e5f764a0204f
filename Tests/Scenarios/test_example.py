"""The example package: a gateway of somebody's own with three plugins, built from a clone as its author would build it."""

import json
import os
import subprocess

import pytest

from harness.backends import Backend, Models
from harness.gateway import ROOT, Gateway, basic_config, free_port

PACKAGE = ROOT / "Tests" / "Example"

# The first test waits for the build, with everything that the gateway depends on: minutes in a new clone.
pytestmark = pytest.mark.timeout(1500)


class Tokens(Backend):
    """The service that knows tokens: `good` is team red's, any other nobody's."""

    def answer(self, connection, request):
        if request.header("authorization") == "good":
            return connection.send(b"HTTP/1.1 200 OK\r\nX-Team: red\r\ncontent-length: 0\r\n\r\n")
        return connection.send(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")


@pytest.fixture(scope="module")
def program():
    scratch = ROOT / ".build" / "example"
    command = ["swift", "build", "--package-path", str(PACKAGE), "--scratch-path", str(scratch)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return scratch / "debug" / "team-gateway"


@pytest.fixture
def run(program, backend, tmp_path):
    """`run(plugins)`: the program with these plugins switched on, before a small and a large model."""
    running = []

    def run(**changes):
        small, large, tokens = backend(Models, "small"), backend(Models, "large"), backend(Tokens)
        plugins = {
            "token_service": {"header": "x-team-token", "service": tokens.url + "/tokens"},
            "prompt_length": {"bytes": 500, "short": "small", "long": "large"},
            "plain_words": {"apology": "Sorry"},
        }
        config = basic_config(
            free_port(), auth={"keys": None, "open": True}, plugins=plugins,
            clusters={"small": {"endpoints": [small.url]}, "large": {"endpoints": [large.url]}}, default_cluster="small",
            paths={"prefixes": ["/v1", {"path": "/plain/v1", "dialect": "plain_words"}]}, **changes,
        )  # fmt: skip
        gateway = Gateway(tmp_path, config, command=[str(program)])
        running.append(gateway)
        gateway.start(seconds=30)
        gateway.models, gateway.tokens = (small, large), tokens
        return gateway

    yield run
    for gateway in running:
        gateway.stop()


def chat(gateway, content="hi", prefix="/v1", **headers):
    return gateway.client(key=None).chat(headers, target=prefix + "/chat/completions", messages=[{"role": "user", "content": content}]).response()


def test_a_token_is_shown_to_the_service_that_knows_it(run):
    gateway = run()
    assert chat(gateway, **{"X-Team-Token": "good"}).status == 200
    assert gateway.tokens.requests[0].target == "/tokens"
    assert gateway.logged(path="/v1/chat/completions")["key"] == "red"
    assert chat(gateway, **{"x-team-token": "bad"}).status == 401
    assert chat(gateway).status == 401


def test_a_service_that_is_gone_refuses_everybody(run):
    gateway = run()
    gateway.tokens.stop()
    assert chat(gateway, **{"x-team-token": "good"}).status == 500
    assert len(gateway.models[0].requests) == 0


@pytest.mark.parametrize("length, model", [(10, 0), (5000, 1)])
def test_long_prompts_go_elsewhere(run, length, model):
    gateway = run()
    answer = chat(gateway, "x" * length, **{"x-team-token": "good"})
    assert answer.json()["model"] == ["small", "large"][model]
    assert len(gateway.models[model].requests) == 1


def test_a_dialect_of_one_s_own_has_words_of_its_own(run):
    answer = chat(run(), prefix="/plain/v1")
    assert (answer.status, answer.header("content-type"), answer.body) == (401, "text/plain", b"no key. Sorry\n")
    assert set(json.loads(chat(run()).body)) == {"error"}, "other prefixes speak as before"


def test_a_mistake_in_the_options_is_told_with_its_place(program, tmp_path):
    config = basic_config(free_port(), "http://127.0.0.1:9", plugins={"prompt_length": {"bytes": 5, "short": "small"}})
    file = tmp_path / "sluice.yaml"
    file.write_text(json.dumps(config, indent=2))
    done = subprocess.run([program, "check", file], capture_output=True, text=True, timeout=60, env=os.environ)
    assert done.returncode != 0 and "plugins.prompt_length: found options that cannot be used: long is missing" in done.stderr
