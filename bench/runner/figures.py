"""From what the load generator tells to figures: costs per request, event, stream and GiB. Plain arithmetic.

A proxy of several processes or threads is the sum of them all. What cannot be told is None, never 0.
"""

GIB = 1 << 30

# name: (what a reader calls it, its unit, digits behind the point, whether less is better)
KNOWN = {
    "cpu_us_per_request": ("CPU per request", "us", 1, True),
    "cpu_us_per_event": ("CPU per event", "us", 2, True),
    "cpu_ms_per_gib": ("CPU per GiB", "ms", 0, True),
    "requests_per_second": ("requests", "/s", 0, False),
    "events_per_second": ("events", "/s", 0, False),
    "mib_per_second": ("throughput", "MiB/s", 0, False),
    "latency_p50_us": ("latency p50", "us", 0, True),
    "latency_p99_us": ("latency p99", "us", 0, True),
    "latency_p99_9_us": ("latency p99.9", "us", 0, True),
    "added_p50_us": ("added p50", "us", 0, True),
    "added_p99_us": ("added p99", "us", 0, True),
    "delay_p50_us": ("delay of an event p50", "us", 0, True),
    "delay_p99_us": ("delay of an event p99", "us", 0, True),
    "delay_p99_9_us": ("delay of an event p99.9", "us", 0, True),
    "rss_kib_per_stream": ("RSS per stream", "KiB", 2, True),
    "pss_kib_per_stream": ("PSS per stream", "KiB", 2, True),
    "rss_mib_at_start": ("RSS at start", "MiB", 1, True),
    "syscalls_per_request": ("system calls per request", "", 2, True),
    "syscalls_per_event": ("system calls per event", "", 2, True),
    "proxy_busy": ("the proxy's core busy", "%", 0, None),
    "load_busy": ("mock's and load's core busy", "%", 0, None),
}
# These are counted as the results' `syscalls_by` says.
SYSCALLS = ("syscalls_per_request", "syscalls_per_event")


def ratio(above, below, digits=4):
    if above is None or not below:
        return None
    return round(above / below, digits)


def summed(processes, name):
    values = [process.get(name) for process in processes]
    return None if not values or any(value is None for value in values) else sum(values)


def percentiles(figures, load, source, prefix):
    times = load.get(source) or {}
    for percentile in ("p50", "p99", "p99_9"):
        if times.get("count"):
            figures[f"{prefix}_{percentile}_us"] = times.get(percentile)


def figures(scenario, load, proxy_pids, mock_pid, syscalls_per_second=None):
    """All figures that one measurement gives."""
    watched = load.get("watched") or []
    proxy = [process for process in watched if process["pid"] in proxy_pids]
    mock = [process for process in watched if process["pid"] == mock_pid]
    seconds = load.get("window_seconds") or 0
    cpu = summed(proxy, "cpu_us")
    found = {}
    if not scenario.counts_syscalls:
        if scenario.mode in ("requests", "rate", "fresh"):
            found["cpu_us_per_request"] = ratio(cpu, load["requests"])
            found["requests_per_second"] = load["requests_per_second"]
            percentiles(found, load, "latency_us", "latency")
        elif scenario.mode == "streams":
            found["cpu_us_per_event"] = ratio(cpu, load["events"])
            found["events_per_second"] = load["events_per_second"]
            percentiles(found, load, "event_delay_us", "delay")
        elif scenario.mode == "bulk":
            # A body is sent and its answer read: what was moved is the sum.
            moved = load["bytes"] + load.get("bytes_sent", 0)
            found["cpu_ms_per_gib"] = ratio(cpu, moved / GIB * 1000, 2) if moved else None
            found["mib_per_second"] = ratio(moved / (1 << 20), seconds, 1)
        elif scenario.holds:
            memory(found, proxy, load.get("streams_open"))
        if seconds and not scenario.holds:
            found["proxy_busy"] = None if cpu is None else round(100 * cpu / 1e6 / seconds, 1)
            ours = (summed(mock, "cpu_us") or 0) + load.get("own_cpu_us", 0)
            found["load_busy"] = round(100 * ours / 1e6 / seconds, 1)
    elif syscalls_per_second is not None:
        per = "request" if scenario.mode == "requests" else "event"
        found[f"syscalls_per_{per}"] = ratio(syscalls_per_second, load[f"{per}s_per_second"], 3)
    return {name: value for name, value in found.items() if value is not None}


def memory(found, proxy, streams):
    """Growth for each open stream, and what was there before the first."""
    for kind in ("rss", "pss"):
        before, after = summed(proxy, f"{kind}_kib_before"), summed(proxy, f"{kind}_kib_after")
        if before is None or after is None:
            continue
        found[f"{kind}_kib_per_stream"] = ratio(after - before, streams)
        if kind == "rss":
            found["rss_mib_at_start"] = round(before / 1024, 2)


def text(name, value):
    """A figure as tables show it, without its unit."""
    if value is None:
        return "–"
    digits = KNOWN[name][2]
    return f"{value:,.{digits}f}"


def with_unit(name, value):
    unit = KNOWN[name][1]
    shown = text(name, value)
    return shown if not unit or value is None else shown + ("" if unit.startswith(("/", "%")) else " ") + unit
