"""A whole run that never was: plausible figures for every peer and scenario, through the runner's own pipeline."""

import random
from dataclasses import asdict

from runner import judge, noise, peers, scenarios, summary

# What a request, an event and a stream cost each peer, more or less: (us, us, KiB, system calls).
COSTS = {
    "relay": (9.1, 10.2, 0.14, 4.15),
    "nginx": (15.7, 13.9, 17.7, 7.2),
    "haproxy": (13.5, 13.8, 4.85, 4.2),
    "haproxy-splice": (13.5, 13.8, 4.85, 4.2),
    "envoy": (29, 17.7, 53, 6.3),
    "sglang-router": (48, 20, 41, 4.4),
    "litellm": (6800, 680, 336, 9),
    "sluice": (11.5, 10.9, 1.2, 4.1),
}


def histogram(dice, middle):
    bins = {}
    for _ in range(2000):
        value = round(middle * (1 + dice.expovariate(4)) * (6 if dice.random() < 0.01 else 1), 1)
        bins[value] = bins.get(value, 0) + 1
    return summary.coarse(sorted(bins.items()))


def made_up_figures(scenario, peer, dice):
    """Figures as `figures.figures` would tell them."""
    jitter = dice.uniform(0.97, 1.05)
    request, event, memory, calls = COSTS.get(peer, (0, 0, 0, 0))
    if scenario.counts_syscalls:
        return {"syscalls_per_request" if scenario.mode == "requests" else "syscalls_per_event": calls * jitter}
    if scenario.mode in ("requests", "rate", "fresh"):
        bare = 60 + request * 2
        return {
            **({"cpu_us_per_request": request * jitter * (1 + scenario.body_bytes / 40_000)} if request else {}),
            "requests_per_second": 1e6 / (request * jitter + 6),
            "latency_p50_us": bare * jitter, "latency_p99_us": 3 * bare * jitter, "latency_p99_9_us": 9 * bare * jitter,
            "proxy_busy": 98.0, "load_busy": 60.0,
        }  # fmt: skip
    if scenario.mode == "streams":
        flood = scenario.mock.get("gap-us") == 0
        grown = 1 + 0.02 * len(str(scenario.connections))
        return {
            **({"cpu_us_per_event": event * jitter * grown / (20 if flood else 1)} if event else {}),
            "events_per_second": 1e6 / (event / 20 * jitter + 0.9) if flood else 10_000,
            "delay_p50_us": 90 * jitter, "delay_p99_us": 400 * jitter, "delay_p99_9_us": 900 * jitter,
        }  # fmt: skip
    if scenario.mode == "bulk":
        return {"cpu_ms_per_gib": 20 * event * jitter, "mib_per_second": 20_000 / (event + 1)}
    return {"rss_kib_per_stream": memory * jitter, "pss_kib_per_stream": memory * jitter, "rss_mib_at_start": 12.0}


def record(number, scenario, peer, dice):
    figures = made_up_figures(scenario, peer.name, dice)
    load = {"mode": scenario.mode, "requests": 1000, "events": 1000, "errors": {}, "watched": []}
    if scenario.keeps_histograms:
        name = "event_delay_us" if scenario.mode == "streams" else "latency_us"
        load["histograms"] = {name: histogram(dice, figures.get("latency_p50_us", 90))}
    return {
        "round": number, "scenario": scenario.name, "peer": peer.name, "place": 1, "ok": True,
        "connections": scenario.connections_for(peer, 65_536), "figures": figures, "load": load,
    }  # fmt: skip


def results(level="full", rounds=3, seed=7, change=lambda measurements: None):
    """All of a run's results. `change` may spoil the measurements first."""
    dice = random.Random(seed)
    chosen = [peers.TABLE[name] for name in peers.usual(level)]
    wanted = [scenarios.sized(scenarios.TABLE[name], level) for name in scenarios.usual(level)]
    measurements = [
        record(number, scenario, peer, dice)
        for number in range(1, rounds + 1)
        for scenario in wanted
        for peer in chosen
        if scenario.allows(peer) and not (scenario.once and number > 1)
    ]
    change(measurements)
    described = {scenario.name: asdict(scenario) for scenario in wanted}
    seen = {
        "spin_us_median": 900.0, "spin_spread": 1.02, "spin_drift": 1.0, "steal_share": 0.0, "foreign_cores": 0.01,
        "load_before": 0.1, "one_core": False,
    }  # fmt: skip
    made = {
        "schema": 1, "kind": level, "time": "2026-11-21T06:00:00Z", "rounds": rounds, "seed": seed,
        "commit": {"id": "0123456789abcdef0123", "dirty": False},
        "machine": {
            "processor": "A processor", "cores": 2, "virtual": True, "memory_mib": 24_000, "system": "Debian",
            "kernel": "6.1", "proxy_core": [1], "load_core": [0],
        },
        "noise": noise.verdict(seen), "syscalls_by": "perf", "skipped": [],
        "peers": {
            peer.name: {
                "title": peer.title, "version": "1.0", "note": peer.note,
                "rival": peer.is_rival and peer.name != judge.SLUICE,
            }
            for peer in chosen
        },
        "scenarios": described,
        "measurements": measurements, "planned": len(measurements),
        "summary": summary.summarize(measurements, described),
    }  # fmt: skip
    made["goals"] = judge.judge(made)
    return made
