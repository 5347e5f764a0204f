"""Medians, histograms and figures: plain arithmetic."""

import pytest
from runner import figures, scenarios, summary

PLAIN = scenarios.TABLE["plain-1k"]
STREAMS = scenarios.TABLE["sse-500"]


def test_median_least_and_most():
    assert summary.spread([3, 1, 2]) == {"median": 2, "min": 1, "max": 3, "rounds": [3, 1, 2]}
    assert summary.spread([1.0, 2.0])["median"] == 1.5


def test_one_wrong_round_spoils_the_peer_but_keeps_its_figures():
    def record(number, ok):
        return {
            "round": number, "scenario": "a", "peer": "p", "connections": 1, "ok": ok, "figures": {"f": number},
            "load": {"requests": 1, "errors": {"order": 0 if ok else 2, "status": {}}},
        }  # fmt: skip

    table = summary.summarize([record(1, True), record(2, False)], {})
    assert table["a"]["p"]["figures"]["f"]["rounds"] == [1, 2]
    assert table["a"]["p"]["complaint"] == "answers were wrong: order 2"
    assert summary.median(table, "a", "p", "f") is None
    assert summary.median(table, "b", "p", "f") is None


def test_a_window_without_answers_says_so():
    record = {"ok": False, "load": {"requests": 0, "events": 0, "errors": {}}}
    assert summary.problem(record, {}) == "nothing was answered within the window"


@pytest.mark.parametrize(
    "mock, window, silence, still",
    [
        ({}, 1.2, 0.1, False),
        ({}, 1.2, 1.2, True),
        # A stream of grow-10000 has an event a second, one of sse-500 twenty.
        (scenarios.TABLE["grow-10000"].mock, 1.2, 1.001, False),
        (scenarios.TABLE["grow-10000"].mock, 1.2, 3.5, True),
        (scenarios.TABLE["sse-500"].mock, 1.5, 0.052, False),
        (scenarios.TABLE["sse-500"].mock, 1.5, 1.5, True),
        # In a smoke run's window a busy machine may do nothing for a while.
        ({}, 0.3, 0.2, False),
        ({}, 0.3, 0.4, True),
        # Of streams that are held, those count that never opened.
        (scenarios.TABLE["held-5000"].mock, 2.0, 0.0, False),
        (scenarios.TABLE["held-5000"].mock, 2.0, 22.0, True),
    ],
)
def test_a_connection_stands_still_when_it_waits_for_longer_than_the_mock_pauses(mock, window, silence, still):
    load = {"requests": 9, "events": 9, "window_seconds": window, "longest_silence_us": silence * 1e6}
    record = {"scenario": "a", "peer": "p", "round": 1, "connections": 1, "ok": True, "figures": {"f": 1}, "load": load}
    found = summary.problem(record, mock)
    assert found == (f"a connection stood still for the last {silence:.1f} s" if still else None)
    table = summary.summarize([record], {"a": {"mock": mock}})
    assert table["a"]["p"]["ok"] == record["ok"] == (not still)
    # Results are made anew from what is kept, and say the same again.
    assert summary.summarize([record], {"a": {"mock": mock}}) == table
    assert summary.problem({**record, "ok": False, "load": {**load, "requests": 0, "events": 0}}, mock) == (
        found or "nothing was answered within the window"
    )


@pytest.mark.parametrize("count, words", [(0, None), (1, "1 request could"), (1234, "1,234 requests could")])
def test_requests_that_were_due_and_not_sent_are_a_problem(count, words):
    record = {"ok": True, "load": {"requests": 9, "events": 0, "unsent": count}}
    assert summary.problem(record, {}) == (words and f"{words} not be sent")


def test_coarse_histograms_keep_the_count_and_the_values_within_two_percent():
    bins = [[100 + n / 10, 1] for n in range(1000)]
    coarse = summary.coarse(bins)
    assert sum(count for _, count in coarse) == 1000
    assert len(coarse) < 50
    assert coarse[-1][0] == 199.9
    assert all(b[0] / a[0] < 1.041 for a, b in zip(coarse, coarse[1:]))


def test_percentile_lines_add_histograms_up():
    shares, values = summary.percentile_line([[[10, 50], [20, 40]], [[10, 0], [30, 9], [40, 1]]])
    assert values == [10, 20, 30]
    assert shares == pytest.approx([2, 10, 100])


def load(**changes):
    told = {
        "window_seconds": 2.0, "requests": 1000, "events": 4000, "bytes": 1 << 30, "bytes_sent": 0,
        "requests_per_second": 500.0, "events_per_second": 2000.0, "own_cpu_us": 500_000, "streams_open": 100,
        "latency_us": {"count": 1000, "p50": 100.0, "p99": 200.0, "p99_9": 300.0},
        "event_delay_us": {"count": 4000, "p50": 10.0, "p99": 20.0, "p99_9": 30.0},
        "watched": [
            watched(7, 10_000), watched(8, 30_000),  # a proxy of two processes
            watched(9, 500_000),  # the mock
        ],
    }  # fmt: skip
    return {**told, **changes}


def watched(pid, cpu, before=1000, after=1500):
    return {
        "pid": pid, "cpu_us": cpu, "rss_kib_before": before, "rss_kib_after": after, "pss_kib_before": before,
        "pss_kib_after": after,
    }  # fmt: skip


def test_a_proxy_is_the_sum_of_its_processes():
    found = figures.figures(PLAIN, load(), [7, 8], 9)
    assert found["cpu_us_per_request"] == 40.0
    assert found["proxy_busy"] == 2.0 and found["load_busy"] == 50.0
    assert (found["latency_p50_us"], found["latency_p99_9_us"]) == (100.0, 300.0)
    assert figures.figures(STREAMS, load(), [7, 8], 9)["cpu_us_per_event"] == 10.0


def test_bytes_both_ways_count_for_bulk():
    found = figures.figures(scenarios.TABLE["bulk"], load(bytes_sent=1 << 30), [7, 8], 9)
    assert found["cpu_ms_per_gib"] == 20.0 and found["mib_per_second"] == 1024.0


def test_memory_is_growth_for_each_open_stream():
    found = figures.figures(scenarios.TABLE["held-5000"], load(), [7, 8], 9)
    assert found["rss_kib_per_stream"] == 10.0 and found["rss_mib_at_start"] == 1.95
    assert "proxy_busy" not in found


def test_direct_has_no_cost_and_an_unread_process_is_not_zero():
    assert "cpu_us_per_request" not in figures.figures(PLAIN, load(), [], 9)
    lost = load(watched=[{"pid": 7, "cpu_us": None}])
    assert "cpu_us_per_request" not in figures.figures(PLAIN, lost, [7], 9)


def test_system_calls_are_a_rate_for_a_rate():
    counted = scenarios.TABLE["calls-request"]
    assert figures.figures(counted, load(), [7], 9, 2100.0) == {"syscalls_per_request": 4.2}
    assert figures.figures(scenarios.TABLE["calls-event"], load(), [7], 9, 2100.0) == {"syscalls_per_event": 1.05}
    assert figures.figures(counted, load(), [7], 9, None) == {}


@pytest.mark.parametrize(
    "name, value, text",
    [
        ("cpu_us_per_request", 1234.56, "1,234.6 us"),
        ("requests_per_second", 51964.8, "51,965/s"),
        ("syscalls_per_event", 2.904, "2.90"),
        ("proxy_busy", 99.7, "100%"),
        ("rss_kib_per_stream", None, "–"),
    ],
)
def test_figures_as_text(name, value, text):
    assert figures.with_unit(name, value) == text
