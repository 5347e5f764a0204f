"""Item 9: one address gets what it is due, exactly, whatever core its connections land on."""

import math
import re
import threading

import pytest

from harness.backends import Answers, Echoes
from harness.client import assert_envelope
from harness.waiting import until

# A period so long that nothing is given back during a test.
HUNDRED = {"per_ip": {"requests": 100, "seconds": 6000, "burst": 100}}
THREE = {"per_ip": {"requests": 3, "seconds": 6000, "burst": 3}}


def statuses_of(gateway, count, threads=8, **rest):
    """`count` requests, each on a connection of its own, from several threads at once."""
    results, lock = [], threading.Lock()
    gate = threading.Barrier(threads)

    def work(share):
        gate.wait()
        for _ in range(share):
            with gateway.client(**rest) as client:
                status = client.get("/v1/files").status
            with lock:
                results.append(status)

    workers = [threading.Thread(target=work, args=(count // threads,)) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert len(results) == count
    return results


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_exactly_one_hundred_of_two_hundred_pass_whatever_the_workers(start, backend, workers):
    gateway = start(backend(Echoes), workers=workers, limits=HUNDRED)
    results = statuses_of(gateway, 200)
    assert results.count(200) == 100 and results.count(429) == 100


def test_the_default_is_one_hundred_a_minute(start, backend):
    gateway = start(backend(Echoes), limits=None)
    client = gateway.client()
    answer = client.get("/v1/files")
    assert answer.header("x-ratelimit-limit-requests") == "100"
    assert int(answer.header("x-ratelimit-remaining-requests")) == 99


def test_a_refusal_says_when_to_come_back(start, backend):
    gateway = start(backend(Echoes), limits={"per_ip": {"requests": 3, "seconds": 60, "burst": 3}})
    client = gateway.client()
    for left in (2, 1, 0):
        answer = client.get("/v1/files")
        assert answer.status == 200 and answer.header("x-ratelimit-remaining-requests") == str(left)
    answer = client.get("/v1/files")
    error = assert_envelope(answer, 429, "requests", "rate_limit_exceeded", message="Rate limit reached")
    assert "try again in" in error["message"].lower()
    seconds, milliseconds = int(answer.header("retry-after")), int(answer.header("retry-after-ms"))
    assert 1 <= seconds <= 20 and 0 < milliseconds <= 20_000
    assert seconds == max(1, math.ceil(milliseconds / 1000))
    assert answer.header("x-ratelimit-limit-requests") == "3"
    assert answer.header("x-ratelimit-remaining-requests") == "0"
    assert re.fullmatch(r"(\d+h)?(\d+m)?(\d+(\.\d+)?s)?|\d+ms", answer.header("x-ratelimit-reset-requests"))


def test_waiting_as_long_as_told_is_enough(start, backend):
    gateway = start(backend(Echoes), limits={"per_ip": {"requests": 10, "seconds": 5, "burst": 2}})
    client = gateway.client()
    assert [client.get("/v1/files").status for _ in range(2)] == [200, 200]
    answer = client.get("/v1/files")
    assert answer.status == 429
    wait = int(answer.header("retry-after-ms")) / 1000
    assert wait <= 0.5
    threading.Event().wait(wait + 0.02)
    assert client.get("/v1/files").status == 200


def test_requests_that_are_refused_cost_nothing(start, backend):
    gateway = start(backend(Echoes), limits={"per_ip": {"requests": 10, "seconds": 5, "burst": 1}})
    client = gateway.client()
    assert client.get("/v1/files").status == 200
    for _ in range(50):
        client.get("/v1/files")
    until("the next request to pass", lambda: client.get("/v1/files").status == 200, 1.5)


def test_another_address_is_not_affected(start, backend):
    gateway = start(backend(Echoes), limits=THREE)
    assert [gateway.client().get("/v1/files").status for _ in range(4)] == [200, 200, 200, 429]
    assert gateway.client(source="127.0.0.2").get("/v1/files").status == 200


def test_two_keys_of_one_address_share_its_limit(start, backend):
    keys = [{"name": "one", "value": "sk-one"}, {"name": "two", "value": "sk-two"}]
    gateway = start(backend(Echoes), limits=THREE, auth={"keys": keys})
    results = [gateway.client(key=f"sk-{name}").get("/v1/files").status for name in ("one", "two", "one", "two")]
    assert results == [200, 200, 200, 429]


def test_guessing_keys_is_limited_too(start, backend):
    gateway = start(backend(Echoes), limits=THREE)
    assert [gateway.client(key=f"sk-guess-{i}").get("/v1/files").status for i in range(5)][-1] == 429


def test_an_exempt_address_is_never_refused(start, backend):
    gateway = start(backend(Echoes), limits={**THREE, "exempt": ["127.0.0.1/32"]})
    client = gateway.client()
    assert [client.get("/v1/files").status for _ in range(20)] == [200] * 20
    assert [gateway.client(source="127.0.0.2").get("/v1/files").status for _ in range(4)][-1] == 429


def test_health_is_never_refused(start, backend):
    gateway = start(backend(Echoes), limits=THREE)
    client = gateway.client()
    assert [client.get("/health").status for _ in range(20)] == [200] * 20
    assert client.get("/v1/files").status == 200, "and costs nothing"


def test_the_limit_is_by_the_client_s_address_behind_a_trusted_proxy(start, backend):
    gateway = start(backend(Echoes), limits=THREE, client={"trusted_proxies": ["127.0.0.0/8", "10.0.0.0/8"]})
    client = gateway.client()
    one = {"X-Forwarded-For": "203.0.113.1, 10.1.2.3"}
    assert [client.get("/v1/files", one).status for _ in range(4)] == [200, 200, 200, 429]
    assert client.get("/v1/files", {"X-Forwarded-For": "203.0.113.2"}).status == 200


def test_what_a_client_claims_in_front_of_a_trusted_proxy_does_not_help_it(start, backend):
    gateway = start(backend(Echoes), limits=THREE, client={"trusted_proxies": ["127.0.0.0/8"]})
    client = gateway.client()
    results = [client.get("/v1/files", {"X-Forwarded-For": f"198.51.100.{i}, 203.0.113.1"}).status for i in range(4)]
    assert results == [200, 200, 200, 429]


def test_a_stranger_s_x_forwarded_for_does_not_help_it(start, backend):
    gateway = start(backend(Echoes), limits=THREE)
    client = gateway.client()
    results = [client.get("/v1/files", {"X-Forwarded-For": f"203.0.113.{i}"}).status for i in range(4)]
    assert results == [200, 200, 200, 429]


def test_ipv6_clients_are_counted_by_their_64(start, backend):
    gateway = start(backend(Echoes), limits=THREE, client={"trusted_proxies": ["127.0.0.0/8"]})
    client = gateway.client()
    results = [client.get("/v1/files", {"X-Forwarded-For": f"2001:db8:1:2::{i}"}).status for i in range(1, 5)]
    assert results == [200, 200, 200, 429]
    assert client.get("/v1/files", {"X-Forwarded-For": "2001:db8:1:3::1"}).status == 200


@pytest.mark.parametrize("value", ["nonsense", "203.0.113.1:99999", "", ",,,", "1.2.3.4.5", "x" * 8000, "unknown", "::ffff:300.1.1.1"])
def test_a_malformed_x_forwarded_for_is_survived_and_limited(start, backend, value):
    gateway = start(backend(Echoes), limits=THREE, client={"trusted_proxies": ["127.0.0.0/8"]})
    client = gateway.client()
    results = [client.get("/v1/files", {"X-Forwarded-For": value}).status for _ in range(4)]
    assert results in ([200, 200, 200, 429], [400] * 4), results


def test_the_backend_s_own_rate_headers_are_not_doubled(start, backend):
    raw = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-ratelimit-limit-tokens: 1000\r\nx-ratelimit-limit-requests: 9\r\n\r\n{}"
    answer = start(backend(Answers, raw), limits=THREE).client().get("/v1/files")
    assert answer.header("x-ratelimit-limit-tokens") == "1000"
    assert len(answer.all("x-ratelimit-limit-requests")) == 1


def test_without_a_limit_no_rate_headers_are_invented(start, backend):
    answer = start(backend(Echoes)).client().get("/v1/files")
    assert answer.header("x-ratelimit-limit-requests") is None


def test_more_addresses_than_the_table_has_entries_are_still_served(start, backend):
    gateway = start(backend(Echoes), limits={**THREE, "table_entries": 1024}, client={"trusted_proxies": ["127.0.0.0/8"]})
    client = gateway.client()
    for index in range(3000):
        status = client.get("/v1/files", {"X-Forwarded-For": f"203.{index // 256}.{index % 256}.1"}).status
        assert status in (200, 429)
    assert client.get("/health").status == 200
