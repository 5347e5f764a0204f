"""curl, and the command line itself: what the README's first screen promises."""

import hashlib
import json
import os
import subprocess

import pytest

from harness.gateway import KEY, ROOT, Gateway, basic_config, binary, free_port
from harness.waiting import until


def curl(*arguments, given=None):
    command = ["curl", "-sS", "--max-time", "20", *arguments]
    return subprocess.run(command, input=given, capture_output=True, text=True, timeout=30)


@pytest.fixture
def gateway(start):
    backend = free_port()
    return start(
        config=basic_config(
            free_port(),
            f"http://127.0.0.1:{backend}",
            demo_backend={"address": f"127.0.0.1:{backend}", "models": ["m"], "word_milliseconds": 2, "first_word_milliseconds": 5},
        )
    )


def chat(**members):
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], **members})


def post(gateway, body, *more, given=None):
    url = f"{gateway.origin}/v1/chat/completions"
    return curl(url, "-H", f"Authorization: Bearer {KEY}", "-H", "Content-Type: application/json", "-d", body, *more, given=given)


def test_curl_gets_an_answer(gateway):
    assert json.loads(post(gateway, chat()).stdout)["object"] == "chat.completion"


def test_curl_gets_a_stream(gateway):
    lines = [line for line in post(gateway, chat(stream=True), "-N").stdout.splitlines() if line]
    assert len(lines) > 3 and lines[-1] == "data: [DONE]" and all(line.startswith("data: ") for line in lines)


def test_curl_sees_a_cut_as_a_failure(gateway):
    result = post(gateway, chat(stream=True), "-N", "-H", "x-demo: cut=3")
    assert result.returncode in (18, 56), result
    assert "[DONE]" not in result.stdout and '"error"' in result.stdout


def test_curl_uploads_with_expect_100_continue(gateway):
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x" * 2_000_000}]})
    result = post(gateway, "@-", "-H", "Expect: 100-continue", "-o", "/dev/null", "-w", "%{http_code}", given=body)
    assert result.stdout == "200", result


def test_curl_speaks_http_1_0(gateway):
    assert json.loads(post(gateway, chat(), "--http1.0").stdout)["choices"]


def test_curl_keeps_its_connection(gateway):
    url = f"{gateway.origin}/v1/models"
    result = curl(url, url, url, "-H", f"Authorization: Bearer {KEY}", *["-o", "/dev/null"] * 3, "-w", "%{num_connects} ")
    assert result.stdout.split()[0] == "1" and sum(map(int, result.stdout.split())) == 1, result.stdout


def test_the_demo_backend_runs_by_itself():
    port = free_port()
    process = subprocess.Popen(
        [binary(), "demo-backend", "--address", f"127.0.0.1:{port}", "--word-milliseconds", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        url = f"http://127.0.0.1:{port}/v1/models"
        until("the demo backend to answer", lambda: curl(url, "-f").returncode == 0)
        assert json.loads(curl(url).stdout)["object"] == "list"
    finally:
        process.terminate()
        assert process.wait(10) == 0


def test_the_version_is_told():
    result = subprocess.run([binary(), "version"], capture_output=True, text=True, timeout=10)
    assert result.returncode == 0 and any(c.isdigit() for c in result.stdout)


def test_a_key_s_hash_is_told_without_an_argument_on_the_command_line():
    result = subprocess.run([binary(), "keys", "hash"], input="sk-hello\n", capture_output=True, text=True, timeout=10)
    assert result.returncode == 0 and hashlib.sha256(b"sk-hello").hexdigest() in result.stdout


def test_the_demo_of_make_run_works_as_its_banner_says(tmp_path):
    """conf/demo.yaml, on other ports: the banner's curl line, run by a shell, streams."""
    text = (ROOT / "conf" / "demo.yaml").read_text()
    listen, demo = free_port(), free_port()
    text = text.replace("127.0.0.1:8080", f"127.0.0.1:{listen}").replace("127.0.0.1:18080", f"127.0.0.1:{demo}")
    gateway = Gateway(tmp_path, {}, address=("127.0.0.1", listen))
    gateway.write = lambda *_: gateway.file.write_text(text)
    gateway.start()
    try:
        until("the banner", lambda: any("curl" in line for line in gateway.errors + gateway.output))
        lines = gateway.errors + gateway.output
        first = next(index for index, line in enumerate(lines) if "curl" in line and "-N" in line)
        command = lines[first][lines[first].index("curl"):]
        while command.endswith("\\"):
            first += 1
            command = command[:-1] + lines[first].strip()
        assert f"127.0.0.1:{listen}" in command
        result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30, env={**os.environ})
        assert "data: [DONE]" in result.stdout, (command, result)
    finally:
        gateway.stop()
