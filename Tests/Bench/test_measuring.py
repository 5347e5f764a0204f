"""Runs with pretended binaries: what is kept of them, and what happens when something goes wrong."""

import os
import random

import pytest
from runner import measure, peers, processes, rotation, scenarios


def test_a_run_with_pretended_tools_has_everything(pretend):
    done = pretend("--scenarios", "plain-1k,sse-500,held-5000", "--rounds", "2", "--seed", "3")
    assert done.code == 0, done.complained
    results = done.results
    measured = [(record["round"], record["scenario"]) for record in results["measurements"]]
    # held-5000 is measured once, by two peers; the others twice, by three.
    assert measured.count((1, "held-5000")) == 2 and (2, "held-5000") not in measured
    assert measured.count((2, "plain-1k")) == 3
    sluice = results["summary"]["plain-1k"]["sluice"]["figures"]["cpu_us_per_request"]
    told = results["measurements"][0]["load"]
    assert sluice["median"] == round(told["watched"][0]["cpu_us"] / told["requests"], 4)
    assert "url" not in told and "README.md" in done.said


def test_wrong_answers_are_shown_and_miss_the_goals(pretend):
    errors = {"order": 3, "closed": 0, "status": {"502": 1}}
    done = pretend("--scenarios", "sse-500", load={"ok": False, "errors": errors})
    assert done.code == 1
    assert "sluice, sse-500: answers were wrong: status {'502': 1}" in done.complained.replace("order 3, ", "")
    goal = next(goal for goal in done.results["goals"] if goal["name"] == "sse-500-relay")
    assert goal["verdict"] == "missed" and "order 3" in goal["why"]
    assert " †" in done.page
    assert "missed  CPU per event, 500 streams: answers were wrong: order 3" in done.said


def test_a_connection_that_stood_still_is_no_right_answer(pretend):
    done = pretend("--scenarios", "plain-1k", load={"longest_silence_us": 510_000})
    assert done.code == 1
    assert "sluice, plain-1k: a connection stood still for the last 0.5 s" in done.complained
    assert not any(record["ok"] for record in done.results["measurements"])
    assert "† Sluice: a connection stood still for the last 0.5 s" in done.page


def test_an_open_loop_that_fell_behind_is_not_judged(pretend):
    done = pretend("--scenarios", "rate-1000", load={"unsent": 40})
    assert done.code == 1
    assert "sluice, rate-1000: 40 requests could not be sent" in done.complained
    goal = next(goal for goal in done.results["goals"] if goal["name"] == "added-p99")
    assert goal["why"] == "40 requests could not be sent"


def test_a_peer_that_does_not_start_is_told_once_and_the_others_go_on(pretend):
    done = pretend("--scenarios", "plain-1k,sse-500", fails="relay")
    assert done.code == 1
    failed = [record for record in done.results["measurements"] if record.get("failed")]
    assert [record["peer"] for record in failed] == ["relay", "relay"]
    # Its words without the directory it ran in, which was gone at once.
    assert failed[0]["failed"] == "relay ended with 3: relay: cannot, in DIR/file"
    assert all(r["ok"] for r in done.results["measurements"] if r["peer"] != "relay")
    assert "| TCP relay | failed |" in done.page


@pytest.mark.parametrize("role", ["mock", "relay"])
def test_a_start_that_fails_is_tried_once_more(pretend, role):
    done = pretend("--scenarios", "plain-1k,sse-500", fails=f"{role}-once")
    assert done.code == 0, done.complained
    assert all(record["ok"] for record in done.results["measurements"])


def test_the_second_start_has_other_ports(monkeypatch, tmp_path):
    ports, asked = iter([20_001, 20_002]), []
    monkeypatch.setattr(measure, "free_port", lambda: next(ports))
    monkeypatch.setattr(measure, "answers", lambda port: port == 20_002)

    def process_at(port):
        asked.append(port)
        # It fails where the port is taken, and stays otherwise.
        return processes.Process(["false"] if port == 20_001 else ["sleep", "60"], os.sched_getaffinity(0), tmp_path)

    with measure.started(process_at, "an answer", 5) as (process, port):
        assert (asked, port, process.process.poll()) == ([20_001, 20_002], 20_002, None)
    assert process.process.poll() is not None


def test_a_load_that_says_nothing_is_a_failure_not_a_crash(pretend):
    done = pretend("--scenarios", "plain-1k", "--peers", "direct", fails="load")
    assert done.code == 1
    assert "direct, plain-1k: the load ended with 3: it said nothing" in done.complained


def test_an_interruption_leaves_what_there_is_and_no_process(pretend):
    before = running_pretenders()
    done = pretend("--scenarios", "plain-1k,sse-500", wait=False).interrupt_after("[3/")
    assert done.code == 130
    results = done.results
    assert 2 <= len(results["measurements"]) < results["planned"] == 6
    assert f"interrupted after {len(results['measurements'])} of 6 measurements" in done.page
    assert running_pretenders() <= before


def running_pretenders():
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as file:
                if "pretended.py" in file.read():
                    found.add(pid)
        except OSError:
            continue
    return found


def test_every_round_has_every_peer_and_an_order_of_its_own():
    wanted = [scenarios.TABLE["plain-1k"], scenarios.TABLE["held-5000"]]
    chosen = [peer for peer in peers.ALL if not peer.slow]
    steps = rotation.order(6, wanted, chosen, seed=5)
    assert steps == rotation.order(6, wanted, chosen, seed=5)
    rounds = [[p.name for n, s, p in steps if n == number and s.name == "plain-1k"] for number in range(1, 7)]
    allowed = {peer.name for peer in chosen if wanted[0].allows(peer)}
    assert all(set(names) == allowed and len(names) == len(allowed) for names in rounds)
    assert len({tuple(names) for names in rounds}) > 3
    assert {n for n, s, _ in steps if s.name == "held-5000"} == {1}
    random.seed()


def test_only_what_time_does_not_change_is_measured_once():
    assert {scenario.name for scenario in scenarios.ALL if scenario.once} == {"held-5000", "stalled"}


def test_who_is_measured_where():
    def names(scenario):
        return {peer.name for peer in peers.ALL if scenarios.TABLE[scenario].allows(peer)}

    assert "direct" in names("rate-1000") and "direct" not in names("bulk")
    assert "haproxy-splice" in names("bulk") and "haproxy-splice" not in names("plain-1k")
    assert "litellm" in names("sse-500") and "litellm" not in names("sse-2000")
    assert "relay" not in names("all-plain")


def test_short_descriptors_mean_fewer_streams():
    scenario, peer = scenarios.TABLE["grow-10000"], peers.TABLE["sluice"]
    assert scenario.connections_for(peer, 65_536) == 10_000
    assert scenario.connections_for(peer, 20_000) == 9_850
    assert scenarios.TABLE["sse-500"].connections_for(peers.TABLE["litellm"], 65_536) == 20
