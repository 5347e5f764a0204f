"""Item 16: one JSON line for each request, off the byte path, with what happened to it."""

import json
import os
import re
import signal
import subprocess

import pytest

from harness.backends import ClosesBetweenEvents, Echoes, NeverAnswers, StreamsEvents
from harness.gateway import KEY, binary
from harness.waiting import until

MEMBERS = {
    "time", "id", "client", "method", "path", "status", "model", "cluster", "endpoint", "stream", "bytes_in", "bytes_out",
    "duration_ms", "first_byte_ms", "attempts", "reused", "outcome", "bytes_copied",
}


def test_a_record_has_every_member(start, backend):
    streams = backend(StreamsEvents, count=3, gap=0.05)
    gateway = start(streams)
    answer = gateway.client().chat(stream=True).response()
    record = gateway.logged(path="/v1/chat/completions")
    assert MEMBERS <= set(record), MEMBERS - set(record)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", record["time"])
    assert record["id"] == answer.header("x-request-id")
    assert record["client"] == "127.0.0.1" and record["method"] == "POST" and record["status"] == 200
    assert record["model"] == "m" and record["cluster"] == "local" and streams.authority in record["endpoint"]
    assert record["stream"] is True and record["attempts"] == 1 and record["reused"] is False
    assert record["bytes_in"] > 0 and record["bytes_out"] >= len(answer.body)
    assert 90 < record["duration_ms"] < 3000 and 0 < record["first_byte_ms"] <= record["duration_ms"]
    assert record["bytes_copied"] == 0, "plain sockets, a client that keeps up: nothing is copied"


def test_every_request_has_exactly_one_record(start, backend):
    gateway = start(backend(Echoes), workers=2)
    for index in range(60):
        gateway.client().get(f"/v1/files/{index}")
    gateway.stop()
    paths = [record["path"] for record in gateway.access()]
    assert sorted(paths) == sorted(f"/v1/files/{index}" for index in range(60))


def test_the_log_is_written_out_at_the_end(start, backend):
    gateway = start(backend(Echoes))
    gateway.client().get("/v1/files/last")
    gateway.stop()
    assert [record["path"] for record in gateway.access()] == ["/v1/files/last"]


@pytest.mark.parametrize(
    "path, status, key", [("/v1/none/such", 404, KEY), ("/v1/files", 401, "sk-wrong"), ("/v1/files", 401, None), ("/nowhere", 404, KEY)]
)
def test_refusals_are_logged(start, backend, path, status, key):
    gateway = start(backend(Echoes), default_cluster=None)
    gateway.client(key=key).get(path)
    assert gateway.logged(path=path, status=status)["attempts"] == 0


def test_outcomes_differ(start, backend):
    cut, silent, fine = backend(ClosesBetweenEvents), backend(NeverAnswers), backend(StreamsEvents, count=2)
    gateway = start(
        None,
        clusters={name: {"endpoints": [one.url]} for name, one in (("cut", cut), ("silent", silent), ("fine", fine))},
        models={name: {"cluster": name} for name in ("cut", "silent", "fine")},
        timeouts={"first_byte_seconds": 0.3},
    )
    for model in ("cut", "silent", "fine"):
        gateway.client().chat(model=model, stream=True).response()
    outcomes = {model: gateway.logged(model=model)["outcome"] for model in ("cut", "silent", "fine")}
    assert len(set(outcomes.values())) == 3, outcomes


@pytest.mark.parametrize("hostile", ['/v1/files/"},{"a":"', "/v1/files/\\u0000", "/v1/files/%0a%0d", "/v1/files/<script>"])
def test_what_a_client_sends_cannot_break_a_record(start, backend, hostile):
    gateway = start(backend(Echoes))
    client = gateway.client()
    client.send(client.head("GET", hostile, [("User-Agent", 'x"\\y'), ("X-Request-Id", 'a"b')]))
    client.response()
    gateway.client().get("/v1/files/after")
    gateway.logged(path="/v1/files/after")
    for line in gateway.output:
        assert isinstance(json.loads(line), dict)


def test_a_query_with_a_secret_is_not_logged(start, backend):
    gateway = start(backend(Echoes))
    gateway.client().get("/v1/files?api_key=sk-secret-in-query")
    gateway.client().get("/v1/files/after")
    gateway.logged(path="/v1/files/after")
    assert "sk-secret-in-query" not in "\n".join(gateway.output)


def test_neither_keys_nor_bodies_are_logged(start, backend):
    gateway = start(backend(Echoes))
    gateway.client().chat(user="a-private-word").response()
    gateway.logged(path="/v1/chat/completions")
    gateway.stop()
    everything = "\n".join(gateway.output + gateway.errors)
    assert KEY not in everything and "a-private-word" not in everything


def test_the_log_can_be_a_file(start, backend, tmp_path):
    path = tmp_path / "access.log"
    gateway = start(backend(Echoes), log={"access": str(path)})
    gateway.client().get("/v1/files/one")
    until("the record", lambda: path.exists() and "/v1/files/one" in path.read_text())
    assert gateway.output == []


def test_a_log_file_that_was_moved_away_is_opened_anew_on_reload(start, backend, tmp_path):
    path = tmp_path / "access.log"
    gateway = start(backend(Echoes), log={"access": str(path)})
    gateway.client().get("/v1/files/one")
    until("the first record", lambda: path.exists() and "/v1/files/one" in path.read_text())
    path.rename(tmp_path / "access.log.1")
    gateway.signal(signal.SIGHUP)
    until("a new file", lambda: gateway.client().get("/v1/files/two").status == 200 and path.exists())
    until("a record in it", lambda: "/v1/files/two" in path.read_text())


def test_the_log_can_be_switched_off(start, backend):
    gateway = start(backend(Echoes), log={"access": "off"})
    gateway.client().get("/v1/files")
    gateway.stop()
    assert gateway.output == []


def test_a_reader_of_the_log_that_stalls_stops_no_request(start, backend, tmp_path):
    fifo = tmp_path / "log.fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    gateway = start(backend(Echoes), log={"access": str(fifo)})
    client = gateway.client()
    for _ in range(2000):
        assert client.post("/v1/chat/completions", b'{"model":"m"}', {"Content-Type": "application/json"}).status == 200
    drained = True
    while drained:
        try:
            drained = os.read(reader, 1 << 20)
        except BlockingIOError:
            break
    os.close(reader)


@pytest.mark.parametrize("closed", [">&-", "<&- >&-", "<&- >&- 2>&-"])
def test_closed_standard_descriptors_are_no_sockets(start, backend, closed):
    gateway = start(backend(Echoes), workers=1)
    gateway.signal(signal.SIGTERM)
    assert gateway.wait() == 0
    line = f'exec "$0" run --config "$1" {closed}'
    process = subprocess.Popen(["sh", "-c", line, str(binary()), str(gateway.file)], env={**os.environ, **gateway.environment})
    try:
        until("the gateway to answer", lambda: answers(gateway))
        client = gateway.client()
        for _ in range(20):
            assert client.get("/v1/files").status == 200
        client.close()
        process.terminate()
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.wait()


def answers(gateway):
    try:
        client = gateway.client(timeout=1)
    except OSError:
        return False
    client.close()
    return True
