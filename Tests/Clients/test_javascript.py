"""JavaScript against the gateway: fetch, and what OpenAI's own library sends and reads through it."""

import json
import subprocess
from pathlib import Path

import pytest

from harness.gateway import KEY, basic_config, free_port
from harness.rows import row

SCRIPT = Path(__file__).parent / "javascript" / "chat.mjs"
PREFIXES = ["/v1", "/api/v1"]


@pytest.fixture
def gateway(start):
    backend = free_port()
    demo = {"address": f"127.0.0.1:{backend}", "models": ["m"], "word_milliseconds": 20, "first_word_milliseconds": 5}
    return start(config=basic_config(free_port(), f"http://127.0.0.1:{backend}", demo_backend=demo))


def chat(gateway, prefix, how, key=KEY):
    command = ["node", str(SCRIPT), gateway.origin + prefix, key, how]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@row("MP-22", "PLLM-57")
@pytest.mark.parametrize("prefix", PREFIXES)
def test_fetch_gets_an_answer(gateway, prefix):
    said = chat(gateway, prefix, "whole")
    assert said["status"] == 200 and said["type"] == "application/json"
    assert said["answer"]["object"] == "chat.completion" and said["answer"]["choices"][0]["message"]["content"]


@row("MP-21")
@pytest.mark.parametrize("prefix", PREFIXES)
def test_fetch_reads_a_stream_piece_by_piece(gateway, prefix):
    said = chat(gateway, prefix, "stream")
    assert said["status"] == 200 and said["type"].startswith("text/event-stream")
    assert said["done"] and said["left"] == "" and said["text"]
    assert said["pieces"] > 3, "the words came one by one"


@row("MP-22", "PLLM-57")
@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_headers_of_openai_s_library_are_taken(gateway, prefix):
    said = chat(gateway, prefix, "typed")
    assert said["status"] == 200 and said["done"] and said["id"]


@row("MP-22")
@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_error_is_an_object_that_the_library_knows(gateway, prefix):
    said = chat(gateway, prefix, "typed", key="wrong")
    assert said["status"] == 401
    assert set(said["answer"]["error"]) >= {"message", "type", "param", "code"}
