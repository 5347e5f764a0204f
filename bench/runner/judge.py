"""The goals, and whether a run has met them. Works on results alone; a figure that is missing judges nothing."""

from dataclasses import dataclass

from . import figures
from .summary import carried, median

SLUICE = "sluice"
BEST = "best"


@dataclass(frozen=True)
class Goal:
    name: str
    text: str
    scenario: str
    figure: str
    # What is allowed: `limit`, or `times` the figure of `against` (a peer, or BEST), or of Sluice in `base`.
    times: float | None = None
    against: str | None = None
    base: str | None = None
    limit: float | None = None
    more_is_better: bool = False


GOALS = [
    Goal("plain-1k", "CPU per request of 1 KiB", "plain-1k", "cpu_us_per_request", 0.90, "haproxy"),
    Goal("plain-64k", "CPU per request of 64 KiB", "plain-64k", "cpu_us_per_request", 0.95, "nginx"),
    Goal("sse-500-relay", "CPU per event, 500 streams", "sse-500", "cpu_us_per_event", 1.10, "relay"),
    Goal("sse-500-best", "CPU per event, 500 streams", "sse-500", "cpu_us_per_event", 0.85, BEST),
    Goal("sse-2000-relay", "CPU per event, 2,000 streams", "sse-2000", "cpu_us_per_event", 1.10, "relay"),
    Goal("held", "memory of an open stream", "held-5000", "rss_kib_per_stream", limit=2.0),
    Goal("start", "memory at the start", "held-5000", "rss_mib_at_start", limit=20.0),
    Goal("bulk", "CPU per GiB of large answers", "bulk", "cpu_ms_per_gib", 1.0, "haproxy-splice"),
    Goal("calls-request", "system calls per request, saturated", "calls-request", "syscalls_per_request", limit=4.2),
    Goal("calls-event", "system calls per paced event", "calls-event", "syscalls_per_event", limit=2.9),
    Goal("flood", "events a second, saturated", "sse-flood", "events_per_second", 1.0, BEST, more_is_better=True),
    Goal("fresh", "CPU per request on a new connection", "fresh", "cpu_us_per_request", 1.0, "nginx"),
    Goal("added-p50", "added latency p50, 1,000 requests/s", "rate-1000", "added_p50_us", 1.0, "nginx"),
    Goal("added-p99", "added latency p99, 1,000 requests/s", "rate-1000", "added_p99_us", 1.0, "nginx"),
    Goal("growth", "CPU per event, 10,000 streams for 100", "grow-10000", "cpu_us_per_event", 1.2, base="grow-100"),
    Goal("stalled", "memory of a stalled stream", "stalled", "rss_kib_per_stream", limit=102.4),
]


def best(results, goal):
    """The rival that is best at the goal's figure, under the same load as Sluice."""
    here = results["summary"].get(goal.scenario, {})
    wanted = here.get(SLUICE, {}).get("connections")
    found = {}
    for name, measured in here.items():
        if results["peers"].get(name, {}).get("rival") and measured["connections"] == wanted:
            value = median(results["summary"], goal.scenario, name, goal.figure)
            if value is not None:
                found[name] = value
    if not found:
        return None
    return (max if goal.more_is_better else min)(found, key=found.get)


def judged(results, goal):
    """One goal with its figures: verdict `met`, `missed`, or `not measured`; without figures, `why` has the reason."""
    summary = results["summary"]
    verdict = {"name": goal.name, "text": goal.text, "scenario": goal.scenario, "figure": goal.figure}
    verdict["more_is_better"] = goal.more_is_better
    value, why = figure_of(results, goal.scenario, SLUICE, goal.figure)
    if value is None:
        return {**verdict, **unjudged(summary, goal.scenario, SLUICE, why)}
    verdict["value"] = value
    if goal.limit is not None:
        return {
            **verdict,
            "limit": goal.limit,
            "ratio": round(value / goal.limit, 3),
            "verdict": "met" if value <= goal.limit else "missed",
        }
    scenario = goal.base or goal.scenario
    peer = SLUICE if goal.base else best(results, goal) if goal.against == BEST else goal.against
    reference, why = figure_of(results, scenario, peer, goal.figure)
    verdict.update({"times": goal.times, "peer": peer, "base": goal.base})
    if reference is None:
        return {**verdict, **unjudged(summary, scenario, peer, why)}
    allowed = reference * goal.times
    met = value >= allowed if goal.more_is_better else value <= allowed
    verdict.update({"reference": reference, "allowed": allowed, "verdict": "met" if met else "missed"})
    # What is taken off may leave nothing, or less: then there is no ratio to speak of.
    if reference > 0:
        verdict["ratio"] = round(value / reference, 3)
        verdict["ratio_range"] = paired(summary, goal, scenario, peer)
    return verdict


def unjudged(summary, scenario, peer, why):
    """The verdict where there is no figure: what Sluice did wrong is a goal missed, and all else was not measured."""
    wrong = peer == SLUICE and summary.get(scenario, {}).get(peer, {}).get("complaint")
    return {"verdict": "missed", "why": wrong} if wrong else {"verdict": "not measured", "why": why}


def paired(summary, goal, scenario, peer):
    """The least and the most of the ratios within one round each, where there is more than one."""
    mine = summary[goal.scenario][SLUICE]["figures"][goal.figure]["rounds"]
    theirs = summary[scenario][peer]["figures"][goal.figure]["rounds"]
    ratios = [a / b for a, b in zip(mine, theirs) if b > 0]
    if len(mine) != len(theirs) or len(ratios) < 2:
        return None
    return [round(min(ratios), 3), round(max(ratios), 3)]


def figure_of(results, scenario, peer, figure):
    """The median that a goal may use, and None; or None, and why there is none to use."""
    here = results["summary"].get(scenario)
    if here is None:
        return None, f"{scenario} did not run"
    if peer is None:
        return None, f"no rival was measured in {scenario}"
    if peer not in here:
        return None, f"{peer} did not run in {scenario}"
    measured, wanted = here[peer], results["scenarios"][scenario]
    value = median(results["summary"], scenario, peer, figure)
    if value is None:
        reason = measured.get("failed") or measured.get("complaint")
        return None, reason or f"{peer} gave no such figure in {scenario}"
    if not carried(measured, wanted):
        return None, f"only {measured['connections']:,} of {wanted['connections']:,} connections"
    if figure in figures.SYSCALLS and results["syscalls_by"] == "strace":
        return None, "counted by strace, with the connections' beginnings"
    return value, None


def judge(results):
    return [judged(results, goal) for goal in GOALS]
