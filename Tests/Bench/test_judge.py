"""The goals, judged on results that were made up."""

import made_up
import pytest
from runner import judge, summary


def goal(results, name):
    return next(verdict for verdict in results["goals"] if verdict["name"] == name)


def spoiled(scenario, peer, figure, factor=None, value=None):
    def change(measurements):
        for record in measurements:
            if record["scenario"] == scenario and record["peer"] == peer:
                figures = record["figures"]
                figures[figure] = value if value is not None else figures[figure] * factor

    return made_up.results(change=change)


def test_every_goal_is_judged_in_a_full_run():
    verdicts = made_up.results()["goals"]
    assert len(verdicts) == len(judge.GOALS) == 16
    assert {verdict["verdict"] for verdict in verdicts} <= {"met", "missed"}


@pytest.mark.parametrize(
    "name, scenario, figure, factor",
    [
        ("plain-1k", "plain-1k", "cpu_us_per_request", 1.3),
        ("plain-64k", "plain-64k", "cpu_us_per_request", 1.5),
        ("sse-500-relay", "sse-500", "cpu_us_per_event", 1.3),
        ("sse-500-best", "sse-500", "cpu_us_per_event", 1.3),
        ("sse-2000-relay", "sse-2000", "cpu_us_per_event", 1.3),
        ("bulk", "bulk", "cpu_ms_per_gib", 1.6),
        ("flood", "sse-flood", "events_per_second", 0.5),
        ("fresh", "fresh", "cpu_us_per_request", 2),
        ("growth", "grow-10000", "cpu_us_per_event", 1.3),
        ("held", "held-5000", "rss_kib_per_stream", 2),
        ("start", "held-5000", "rss_mib_at_start", 2),
        ("stalled", "stalled", "rss_kib_per_stream", 100),
    ],
)
def test_a_worse_sluice_misses(name, scenario, figure, factor):
    assert goal(made_up.results(), name)["verdict"] == "met"
    verdict = goal(spoiled(scenario, "sluice", figure, factor), name)
    assert verdict["verdict"] == "missed"


def test_a_ratio_is_that_of_the_medians_with_the_rounds_apart():
    def change(measurements):
        costs = {"sluice": iter([8.0, 10.0, 9.0]), "haproxy": iter([10.0, 12.5, 9.0])}
        for record in measurements:
            if record["scenario"] == "plain-1k" and record["peer"] in costs:
                record["figures"]["cpu_us_per_request"] = next(costs[record["peer"]])

    verdict = goal(made_up.results(change=change), "plain-1k")
    assert (verdict["value"], verdict["reference"], verdict["ratio"]) == (9.0, 10.0, 0.9)
    assert verdict["ratio_range"] == [0.8, 1.0]
    assert verdict["verdict"] == "met"


def test_the_best_peer_is_no_relay_and_carries_the_same_load():
    # LiteLLM looks best, on a twenty-fifth of the load.
    verdict = goal(spoiled("sse-500", "litellm", "cpu_us_per_event", value=0.1), "sse-500-best")
    assert verdict["peer"] in ("nginx", "haproxy")
    verdict = goal(spoiled("sse-500", "relay", "cpu_us_per_event", value=0.1), "sse-500-best")
    assert verdict["peer"] in ("nginx", "haproxy")
    verdict = goal(spoiled("sse-500", "envoy", "cpu_us_per_event", value=5.0), "sse-500-best")
    assert verdict["peer"] == "envoy" and verdict["verdict"] == "missed"


@pytest.mark.parametrize(
    "name, scenario, peer, connections, why",
    [
        ("growth", "grow-10000", "sluice", 9850, None),
        ("growth", "grow-10000", "sluice", 4850, "only 4,850 of 10,000 connections"),
        ("growth", "grow-100", "sluice", 80, "only 80 of 100 connections"),
        ("held", "held-5000", "sluice", 350, "only 350 of 5,000 connections"),
        ("plain-1k", "plain-1k", "haproxy", 8, "only 8 of 64 connections"),
    ],
)
def test_a_goal_is_judged_under_the_load_it_names(name, scenario, peer, connections, why):
    def change(measurements):
        for record in measurements:
            if (record["scenario"], record["peer"]) == (scenario, peer):
                record["connections"] = connections

    verdict = goal(made_up.results(change=change), name)
    assert verdict.get("why") == why
    assert (verdict["verdict"] == "not measured") == (why is not None)


def test_system_calls_are_judged_by_the_median_of_all_rounds():
    def change(measurements):
        calls = iter([4.0, 9.0, 4.1])
        for record in measurements:
            if (record["scenario"], record["peer"]) == ("calls-request", "sluice"):
                record["figures"]["syscalls_per_request"] = next(calls)

    verdict = goal(made_up.results(change=change), "calls-request")
    assert (verdict["value"], verdict["verdict"]) == (4.1, "met")


def test_what_strace_counted_is_not_judged():
    results = {**made_up.results(), "syscalls_by": "strace"}
    verdicts = {verdict["name"]: verdict for verdict in judge.judge(results)}
    for name in ("calls-request", "calls-event"):
        assert verdicts[name]["verdict"] == "not measured"
        assert verdicts[name]["why"] == "counted by strace, with the connections' beginnings"
    assert all(verdict["verdict"] != "not measured" for name, verdict in verdicts.items() if "calls" not in name)


def test_more_is_better_for_events_a_second():
    verdict = goal(spoiled("sse-flood", "envoy", "events_per_second", factor=10), "flood")
    assert verdict["peer"] == "envoy" and verdict["verdict"] == "missed"


def test_added_latency_is_against_direct_and_may_leave_nothing():
    results = made_up.results()
    added = results["summary"]["rate-1000"]["sluice"]["figures"]["added_p50_us"]
    latency = results["summary"]["rate-1000"]["sluice"]["figures"]["latency_p50_us"]["rounds"]
    direct = results["summary"]["rate-1000"]["direct"]["figures"]["latency_p50_us"]["rounds"]
    assert added["rounds"] == [round(mine - bare, 1) for mine, bare in zip(latency, direct)]
    verdict = goal(spoiled("rate-1000", "nginx", "latency_p50_us", value=1.0), "added-p50")
    assert "ratio" not in verdict and verdict["verdict"] == "missed"


@pytest.mark.parametrize(
    "change, reason",
    [
        (lambda m: [m.remove(r) for r in list(m) if r["peer"] == "haproxy"], "haproxy did not run in plain-1k"),
        (lambda m: [m.remove(r) for r in list(m) if r["scenario"] == "plain-1k"], "plain-1k did not run"),
        (lambda m: [r.update(ok=False, complaint="it lies") for r in m if r["peer"] == "haproxy"], "it lies"),
        (lambda m: [r.update(ok=False, failed="it fell", figures={}) for r in m if r["peer"] == "sluice"], "it fell"),
        (lambda m: [r.update(ok=False, failed="it fell", figures={}) for r in m if r["peer"] == "haproxy"], "it fell"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_judges_nothing(change, reason):
    verdict = goal(made_up.results(change=change), "plain-1k")
    assert verdict["verdict"] == "not measured" and verdict["why"] == reason


@pytest.mark.parametrize("name, scenario", [("plain-1k", "plain-1k"), ("held", "held-5000"), ("growth", "grow-100")])
def test_wrong_answers_of_sluice_miss_the_goal(name, scenario):
    def change(measurements):
        wrong = [r for r in measurements if (r["scenario"], r["peer"]) == (scenario, "sluice")][-1]
        wrong["ok"] = False
        wrong["load"]["errors"] = {"order": 2, "status": {}}

    verdict = goal(made_up.results(change=change), name)
    assert (verdict["verdict"], verdict["why"]) == ("missed", "answers were wrong: order 2")


def test_a_run_of_nothing_judges_nothing():
    results = {"summary": summary.summarize([], {}), "peers": {}}
    assert {verdict["verdict"] for verdict in judge.judge(results)} == {"not measured"}
