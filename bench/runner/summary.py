"""Medians with the least and the most, over the rounds. Latencies are also given with the direct ones taken off."""

import math
import statistics

# How much of the window a connection may wait longer than the mock pauses, and how long where windows are short.
PATIENCE_SHARE = 0.5
PATIENCE_SECONDS_MIN = 0.25
# A few streams fewer, where descriptors are short, are no other load.
WHOLE_LOAD = 0.9


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


def summarize(measurements, scenarios):
    """{scenario: {peer: {"ok", "connections", "failed", "figures": {name: {"median", "min", "max", "rounds"}}}}}

    A measurement with a problem is not `ok` afterwards, whatever the load said of it.
    """
    added(measurements)
    table = {}
    for record in measurements:
        found = problem(record, scenarios.get(record["scenario"], {}).get("mock", {}))
        record["ok"] = found is None
        here = table.setdefault(record["scenario"], {}).setdefault(
            record["peer"], {"ok": True, "connections": record["connections"], "figures": {}}
        )
        here["ok"] = here["ok"] and record["ok"]
        if found:
            here["failed" if record.get("failed") else "complaint"] = found
        for name, value in record.get("figures", {}).items():
            here["figures"].setdefault(name, []).append(value)
    for peers in table.values():
        for here in peers.values():
            here["figures"] = {name: spread(values) for name, values in here["figures"].items()}
    return table


def problem(record, mock):
    """What went wrong in a measurement, in one line; None where nothing did. `mock` has the options of the mock."""
    if record.get("failed"):
        return record["failed"]
    load, complaint = record.get("load", {}), record.get("complaint")
    counts = {name: n for name, n in (load.get("errors") or {}).items() if n}
    if counts:
        wrong = "answers were wrong: " + ", ".join(f"{name} {count}" for name, count in counts.items())
        return f"{wrong}: {complaint}" if complaint else wrong
    if complaint:
        return complaint
    late = stood_still(load, mock) or unsent(load)
    if late or record["ok"]:
        return late
    if not load.get("requests") and not load.get("events"):
        return "nothing was answered within the window"
    return "answers were wrong: unknown"


def stood_still(load, mock):
    """Whether a connection waited in vain when the window ended, in one line.

    A stream waits from event to event. One that is open in `held` and `stalled` may be silent: the load leaves it out.
    """
    silence, window = (load.get("longest_silence_us") or 0) / 1e6, load.get("window_seconds") or 0
    patience = mock.get("gap-us", 0) / 1e6 + max(PATIENCE_SHARE * window, PATIENCE_SECONDS_MIN)
    return f"a connection stood still for the last {silence:.1f} s" if silence > patience else None


def unsent(load):
    """Whether an open loop had requests left that were due, in one line: the load was lighter than it should be."""
    count = load.get("unsent") or 0
    return f"{count:,} request{'s' if count > 1 else ''} could not be sent" if count else None


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


def carried(here, scenario):
    """Whether a peer was measured under the whole load of a scenario, or nearly so."""
    return here["connections"] >= WHOLE_LOAD * scenario["connections"]


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
