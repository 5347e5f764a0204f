"""Medians with the least and the most, over the rounds. Latencies are also given with the direct ones taken off."""

import math
import statistics


def added(measurements):
    """Per scenario, peer and round: what a proxy adds to the latency, against the direct run of the same round."""
    direct = {
        (record["scenario"], record["round"]): record.get("figures", {})
        for record in measurements
        if record["peer"] == "direct"
    }
    for record in measurements:
        base = direct.get((record["scenario"], record["round"]))
        if record["peer"] == "direct" or not base or "figures" not in record:
            continue
        if record["load"].get("mode") != "rate":
            continue
        for percentile in ("p50", "p99"):
            mine, bare = record["figures"].get(f"latency_{percentile}_us"), base.get(f"latency_{percentile}_us")
            if mine is not None and bare is not None:
                record["figures"][f"added_{percentile}_us"] = round(mine - bare, 1)


def summarize(measurements):
    """{scenario: {peer: {"ok", "connections", "failed", "figures": {name: {"median", "min", "max", "rounds"}}}}}"""
    added(measurements)
    table = {}
    for record in measurements:
        here = table.setdefault(record["scenario"], {}).setdefault(
            record["peer"], {"ok": True, "connections": record["connections"], "figures": {}}
        )
        here["ok"] = here["ok"] and record["ok"]
        if problem(record):
            here["failed" if record.get("failed") else "complaint"] = problem(record)
        for name, value in record.get("figures", {}).items():
            here["figures"].setdefault(name, []).append(value)
    for peers in table.values():
        for here in peers.values():
            here["figures"] = {name: spread(values) for name, values in here["figures"].items()}
    return table


def problem(record):
    """What went wrong in a measurement, in one line; None where nothing did."""
    if record.get("failed") or record["ok"]:
        return record.get("failed")
    if record.get("complaint"):
        return record["complaint"]
    load = record.get("load", {})
    if not load.get("requests") and not load.get("events"):
        return "nothing was answered within the window"
    counts = {name: n for name, n in (load.get("errors") or {}).items() if n}
    return "answers were wrong: " + (", ".join(f"{name} {count}" for name, count in counts.items()) or "unknown")


def spread(values):
    return {
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "rounds": list(values),
    }


def median(summary, scenario, peer, figure):
    """The median, or None where it was not measured, or where answers were wrong."""
    here = summary.get(scenario, {}).get(peer)
    if not here or not here["ok"]:
        return None
    found = here["figures"].get(figure)
    return None if found is None else found["median"]


def coarse(bins, step=1.02):
    """A histogram with bins two percent wide: enough for a plot, and a tenth of the size."""
    found = {}
    for value, count in bins:
        place = math.ceil(math.log(max(value, 0.1), step))
        most, sum_so_far = found.get(place, (0, 0))
        found[place] = (max(most, value), sum_so_far + count)
    return [[value, count] for _, (value, count) in sorted(found.items())]


def percentile_line(histograms):
    """Histograms of the same kind added up: ([1 / share of values above], [value]), up to the last value but one."""
    counts = {}
    for bins in histograms:
        for value, count in bins:
            counts[value] = counts.get(value, 0) + count
    everything = sum(counts.values())
    below, shares, values = 0, [], []
    for value in sorted(counts):
        below += counts[value]
        if below < everything:
            shares.append(everything / (everything - below))
            values.append(value)
    return shares, values
