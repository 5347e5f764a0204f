"""The whole runner with the real tools, relay and gateway, in its form of seconds."""

import pytest
from runner import figures, scenarios

# What every measurement of a mode must tell of a proxy.
FIGURES = {
    "requests": {"cpu_us_per_request", "requests_per_second", "latency_p50_us", "latency_p99_us", "latency_p99_9_us"},
    "fresh": {"cpu_us_per_request", "requests_per_second", "latency_p50_us"},
    "rate": {"cpu_us_per_request", "requests_per_second", "latency_p50_us", "added_p50_us", "added_p99_us"},
    "streams": {"cpu_us_per_event", "events_per_second", "delay_p50_us", "delay_p99_us", "delay_p99_9_us"},
    "bulk": {"cpu_ms_per_gib", "mib_per_second"},
    "held": {"rss_kib_per_stream", "pss_kib_per_stream", "rss_mib_at_start"},
    "stalled": {"rss_kib_per_stream", "pss_kib_per_stream", "rss_mib_at_start"},
}


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    from conftest import Run

    out = tmp_path_factory.mktemp("smoke") / "out"
    return Run(["--smoke", "--seed", "7", "--out", str(out)], out, {})


def test_every_answer_was_right(smoke):
    assert smoke.code == 0, smoke.complained
    for record in smoke.results["measurements"]:
        errors = record["load"]["errors"]
        assert record["ok"] and not any(errors.values()), record


def test_every_scenario_has_its_figures_for_every_peer(smoke):
    results = smoke.results
    assert set(results["scenarios"]) == set(scenarios.usual("smoke")) - (
        {"calls-request"} if results["syscalls_by"] == "nothing" else set()
    )
    for name, scenario in results["scenarios"].items():
        measured = results["summary"][name]
        assert {"relay", "sluice"} <= set(measured), name
        for peer, here in measured.items():
            wanted = set(FIGURES[scenario["mode"]])
            if scenario["counts_syscalls"]:
                wanted = {"syscalls_per_request"}
            if peer == "direct":
                wanted -= {"cpu_us_per_request", "cpu_us_per_event", "added_p50_us", "added_p99_us"}
            assert wanted <= set(here["figures"]), (name, peer, here)
            assert set(here["figures"]) <= set(figures.KNOWN)


def test_figures_are_of_a_sane_size(smoke):
    summary = smoke.results["summary"]
    for peer in ("relay", "sluice"):
        assert 1 < summary["plain-1k"][peer]["figures"]["cpu_us_per_request"]["median"] < 2000
        assert 1 < summary["sse-500"][peer]["figures"]["cpu_us_per_event"]["median"] < 2000
        if "calls-request" in summary:
            assert 1 < summary["calls-request"][peer]["figures"]["syscalls_per_request"]["median"] < 40


def test_the_results_say_where_they_come_from(smoke):
    results = smoke.results
    assert results["kind"] == "smoke" and results["seed"] == 7 and results["schema"] == 1
    assert {"processor", "cores", "kernel", "system", "memory_mib", "descriptors"} <= set(results["machine"])
    assert {"trusted", "reasons", "spin_spread", "steal_share", "foreign_cores"} <= set(results["noise"])
    assert results["commit"]["id"] and results["peers"]["sluice"]["version"].startswith("sluice ")
    assert [goal["name"] for goal in results["goals"]]
    assert "It shows that everything works".lower() in smoke.page.lower()


def test_progress_tells_how_far_it_is(smoke):
    count = len(smoke.results["measurements"])
    lines = [line for line in smoke.complained.splitlines() if line.startswith("[")]
    assert len(lines) == count
    assert lines[0].startswith(f"[1/{count}] round 1 of 1: ") and lines[-1].endswith(" left")
